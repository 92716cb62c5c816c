from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.pdf_pages import encoded, numbered_pdf, picture
from tests.support.scans import vector_pdf

DIES_FIRST = """
import multiprocessing, os, signal
from multiprocessing import forkserver
multiprocessing.get_context("forkserver").set_forkserver_preload(["skrynka.readers.server"])
forkserver.connect_to_new_process([])
os.kill(os.getpid(), signal.SIGKILL)
"""
DOES_ORDERS = """
import sys
from pathlib import Path
import skrynka.readers.server
from skrynka.core.formats import FileType
from skrynka.core.model import PageRef, Symbology
from skrynka.readers import tasks
from skrynka.readers.messages import CutOrder, CutSource, PageLimits, ReadOrder

limits, work = PageLimits(1 << 30, 120_000_000, 60.0), Path(sys.argv[1])
known = set(sys.modules)
for path in map(Path, sys.argv[2:]):
    kind = FileType(path.suffix[1:])
    order = ReadOrder(path, kind, work, limits, frozenset({Symbology.QR}), frozenset(), foreign_text=False)
    assert sum(isinstance(answer, tasks.Read) for answer in tasks._read(order, lambda: None)) == 1
    cut = work / path.name
    cut.mkdir()
    list(tasks._cut(CutOrder({"A": CutSource(path, kind, "")}, ((PageRef("A", 1),),), cut, limits), lambda: None))
print(*sorted(set(sys.modules) - known))
"""


def test_a_reader_whose_service_was_killed_before_it_gave_the_order_ends_without_a_word() -> None:
    # The server process and the reader hold the pipe too: all three have ended when this comes back.
    done = subprocess.run([sys.executable, "-c", DIES_FIRST], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (-9, "")


def test_the_server_has_imported_what_readers_need(tmp_path: Path) -> None:
    """Else each reader imports it anew, which takes longer than reading a page."""
    work = tmp_path / "work"
    work.mkdir()
    numbered_pdf([1], tmp_path / "jpeg.pdf")
    (tmp_path / "drawn.pdf").write_bytes(vector_pdf([1]))
    for kind in ("jpeg", "png", "tiff"):
        (tmp_path / f"picture.{kind}").write_bytes(encoded(picture(1), kind.upper(), dpi=(300, 300)))
    files = sorted(path for path in tmp_path.iterdir() if path.is_file())
    done = subprocess.run(
        [sys.executable, "-c", DOES_ORDERS, work, *files], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == []
