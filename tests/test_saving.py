from __future__ import annotations

import errno
import io
from pathlib import Path

import pikepdf
import pytest

from skrynka.saving import save_pdf
from tests.faults.disks import Memory, require_mounting
from tests.faults.row import CannotInject
from tests.support.pdf_pages import numbered_pdf
from tests.support.skipped_faults import skip_fault

KILOBYTES = 256


def test_a_pdf_is_saved_as_it_would_be_without_us(tmp_path: Path) -> None:
    with pikepdf.open(io.BytesIO(some_pdf(tmp_path))) as pdf:
        save_pdf(pdf, tmp_path / "ours.pdf", deterministic_id=True)
        pdf.save(tmp_path / "theirs.pdf", deterministic_id=True)
    assert (tmp_path / "ours.pdf").read_bytes() == (tmp_path / "theirs.pdf").read_bytes()


@pytest.mark.parametrize("free_kilobytes", [0, 4, 8])
def test_a_disk_that_is_full_at_any_byte_is_the_disks_error_and_no_scans(tmp_path: Path, free_kilobytes: int) -> None:
    data = some_pdf(tmp_path)
    assert len(data) > 12 << 10
    disk = Memory(tmp_path / "disk", f"{KILOBYTES}k")
    try:
        require_mounting(tmp_path)
    except CannotInject as why:
        skip_fault(why)
    disk.mount()
    try:
        (disk.place / "filling").write_bytes(bytes((KILOBYTES - free_kilobytes) << 10))
        with pikepdf.open(io.BytesIO(data)) as pdf, pytest.raises(OSError, match="No space left") as caught:
            save_pdf(pdf, disk.place / "document.pdf")
        assert caught.value.errno == errno.ENOSPC
    finally:
        disk.unmount()


def some_pdf(folder: Path) -> bytes:
    return numbered_pdf([1, 2, 3], folder / "some.pdf").read_bytes()
