"""PDFs that were cut off or damaged: refused with a reason, or no page lost."""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import img2pdf
import pikepdf
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from skrynka.core.errors import ScanRejected
from skrynka.core.formats import FileType
from skrynka.core.reasons import QuarantineReason
from skrynka.steps.pages import open_scan
from tests.support.pdf_pages import (
    Pixels,
    encoded,
    jpeg,
    numbered_pdf,
    picture,
    shows,
)
from tests.support.pdf_scans import LIMITS, read_all


def outcome(path: Path, work: Path) -> list[Pixels] | QuarantineReason:
    try:
        return read_all(path, work)
    except ScanRejected as refusal:
        return refusal.reason


def by_pikepdf(folder: Path, **options: object) -> bytes:
    return numbered_pdf([1, 2, 3], folder / "made.pdf", **options).read_bytes()


def by_pillow(_: Path) -> bytes:
    first, *rest = [picture(number) for number in (1, 2, 3)]
    return encoded(first, "PDF", save_all=True, append_images=rest)


def by_img2pdf(_: Path) -> bytes:
    data = [jpeg(number) for number in (1, 2, 3)]
    return bytes(img2pdf.convert(data, engine=img2pdf.Engine.internal, nodate=True))


def by_cairo(folder: Path) -> bytes:
    source = numbered_pdf([1, 2, 3], folder / "source.pdf")
    subprocess.run(["pdftocairo", "-pdf", source, folder / "made.pdf"], check=True)
    return (folder / "made.pdf").read_bytes()


PRODUCERS: dict[str, Callable[[Path], bytes]] = {
    "pikepdf": by_pikepdf,
    "pikepdf with object streams": lambda folder: by_pikepdf(
        folder, object_stream_mode=pikepdf.ObjectStreamMode.generate
    ),
    "pikepdf, linearised": lambda folder: by_pikepdf(folder, linearize=True),
    "Pillow": by_pillow,
    "img2pdf": by_img2pdf,
    "cairo": by_cairo,
}


@pytest.mark.parametrize("producer", PRODUCERS)
def test_a_pdf_cut_off_anywhere_is_refused_or_loses_no_page(producer: str, tmp_path: Path) -> None:
    data = PRODUCERS[producer](tmp_path)
    path = tmp_path / "scan.pdf"
    path.write_bytes(data)
    with open_scan(path, FileType.PDF, tmp_path, LIMITS) as scan:
        assert scan.count == 3
    ends = {len(data) * share // 100 for share in range(1, 100)} | set(range(len(data) - 60, len(data)))
    passed = []
    for end in sorted(ends):
        path.write_bytes(data[:end])
        result = outcome(path, tmp_path)
        if isinstance(result, list):
            assert [shows(pixels, number) for number, pixels in enumerate(result, 1)] == [True, True, True]
            passed.append(end)
        else:
            assert result is QuarantineReason.CORRUPT
    # What passes lacks no more than the end-of-file marker.
    assert all(len(data) - end < 10 for end in passed)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    damage=st.lists(st.tuples(st.integers(0, 1 << 30), st.integers(1, 255)), min_size=1, max_size=10),
    among_objects=st.booleans(),
)
@example(damage=[(682, 128)], among_objects=False)
def test_a_damaged_pdf_is_refused_with_a_reason_or_read_and_nothing_else(
    damage: list[tuple[int, int]],
    among_objects: bool,  # noqa: FBT001 -- drawn
    tmp_path: Path,
) -> None:
    data = bytearray(by_pikepdf(tmp_path, object_stream_mode=pikepdf.ObjectStreamMode.disable))
    # Most of the bytes are pixels: half of the damage goes to what describes them.
    streams = [match.span() for match in re.finditer(rb"stream\n.*?endstream", data, re.DOTALL)]
    places = [at for at in range(len(data)) if not any(start <= at < end for start, end in streams)]
    for place, flipped in damage:
        data[places[place % len(places)] if among_objects else place % len(data)] ^= flipped
    path = tmp_path / "scan.pdf"
    path.write_bytes(data)
    result = outcome(path, tmp_path)
    assert isinstance(result, QuarantineReason) or all(pixels.ndim == 2 for pixels in result)


def test_a_picture_in_a_pdf_by_cairo_is_read_as_drawn(tmp_path: Path) -> None:
    (tmp_path / "scan.pdf").write_bytes(by_cairo(tmp_path))
    with open_scan(tmp_path / "scan.pdf", FileType.PDF, tmp_path, LIMITS) as scan:
        pixels = scan.page(2).pixels(60)
    assert shows(pixels, 2)
    assert Image.open(io.BytesIO(encoded(Image.fromarray(pixels), "PNG"))).mode == "L"
