"""What the daemon is compared with, each a program of its own, so that its memory is seen by itself.

    python -m tests.benchmarks.throughput.alternatives NAME FILE PAGE,PAGE,…

It says `ready` when everything is imported, begins when it is told to (a line), and then says, as JSON, how long it
took and how many codes it found; it ends when its input does. Start-up is left out of all: rates are compared.
"""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pdf2image
import pikepdf
import zxingcpp
from PIL import Image
from pyzbar import pyzbar

NAIVE, RUNS, LIMIT = "naive", "runs", "limit"
ALTERNATIVES = {
    NAIVE: "one pdf2image call a page, 300 dpi in colour, zxing-cpp over all formats, one process",
    RUNS: "pdf2image in runs of ten pages, 200 dpi grey, pyzbar, one process",
    LIMIT: "decoding the embedded images at half scale and nothing else, on all cores",
}
RUN_PAGES = 10
_AT_ONCE = 4
"""Pages that a process of the limit takes at a time."""
_opened: list[pikepdf.Pdf] = []


def naive(path: Path, pages: Sequence[int]) -> int:
    """Draw and read one page after another; give the number of codes."""
    found = 0
    for page in pages:
        for image in pdf2image.convert_from_path(path, dpi=300, first_page=page, last_page=page):
            found += len(zxingcpp.read_barcodes(image))
    return found


def in_runs(path: Path, pages: Sequence[int]) -> int:
    """Draw ten pages at a time, then read them; `pages` are whole runs."""
    found = 0
    for begin in range(0, len(pages), RUN_PAGES):
        run = pages[begin : begin + RUN_PAGES]
        images = pdf2image.convert_from_path(path, dpi=200, first_page=run[0], last_page=run[-1], grayscale=True)
        found += sum(len(pyzbar.decode(image)) for image in images)
    return found


def half_scale(pdf: pikepdf.Pdf, page: int) -> int:
    """Decode all images of a page to grey at half their size; give how many there were."""
    images = images_of(pdf.pages[page - 1])
    for image in images:
        half = (int(image["/Width"]) // 2, int(image["/Height"]) // 2)
        if image.get("/Filter") == "/DCTDecode":
            opened = Image.open(io.BytesIO(image.read_raw_bytes()))
            opened.draft("L", half)
            opened.load()
        else:
            pikepdf.PdfImage(image).as_pil_image().convert("L").reduce(2)
    return len(images)


def images_of(page: pikepdf.Page) -> list[pikepdf.Object]:
    """Give the images that a page paints, masks of ink among them, which pikepdf's own list leaves out."""
    painted = page.obj.get("/Resources", {}).get("/XObject", {})
    return [each for each in painted.values() if each.get("/Subtype") == "/Image"]


def _open(path: Path) -> None:
    _opened.append(pikepdf.open(path))


def _decode(pages: Sequence[int]) -> int:
    return sum(half_scale(_opened[0], page) for page in pages)


def _wait(run: Callable[[], int]) -> None:
    print(json.dumps({"ready": True}), flush=True)  # noqa: T201 - what it says to its parent
    if not sys.stdin.readline():
        return
    began = time.monotonic()
    found = run()
    print(json.dumps({"seconds": time.monotonic() - began, "found": found}), flush=True)  # noqa: T201
    sys.stdin.readline()


def main(name: str, path: Path, pages: Sequence[int]) -> None:
    """Run one of them."""
    if name != LIMIT:
        run = {NAIVE: naive, RUNS: in_runs}[name]
        _wait(lambda: run(path, pages))
        return
    cores = len(os.sched_getaffinity(0))
    portions = [pages[begin : begin + _AT_ONCE] for begin in range(0, len(pages), _AT_ONCE)]
    with multiprocessing.get_context("fork").Pool(cores, _open, (path,)) as pool:
        # Each process has its file open before the clock starts.
        pool.map(_decode, [[]] * cores * 4, chunksize=1)
        _wait(lambda: sum(pool.imap_unordered(_decode, portions)))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), [int(page) for page in sys.argv[3].split(",")])
