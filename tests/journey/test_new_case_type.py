"""A new case type by configuration alone, from the printed sheet to the verdict on its papers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from pdf2image import convert_from_path

from tests.support.oracle import query
from tests.support.papers import paper
from tests.support.scanner import OFFICE, EncodedPage, scan
from tests.support.scans import pdf_of
from tests.support.stations import Station, make_station

DPI = 200
NEW_TYPE = """
[[kind]]
code = "CONTRACT"
uk = "договір про встановлення"
en = "installation contract"

[[case_type]]
code = "NEWM"
uk = "Встановлення нового лічильника"
en = "a new meter"
requires = { all = ["CONTRACT", { any = ["PASSPORT", "CERT"] }] }
"""


@pytest.fixture
def station(tmp_path: Path) -> Station:
    made = make_station(tmp_path / "station")
    types = made.folder / "case_types.toml"
    types.write_text(types.read_text(encoding="utf-8") + NEW_TYPE, encoding="utf-8")
    return made


def printed(station: Station, *words: str) -> EncodedPage:
    """Print a sheet with the real command, and scan it."""
    file = station.folder / f"{'-'.join(words).replace('--', '')}.pdf"
    station.run("sheets", *words, "--output", str(file))
    (image,) = convert_from_path(file, dpi=DPI, grayscale=True)
    return scan(np.asarray(image, np.uint8), DPI, OFFICE, np.random.default_rng(1))


def on_paper(kind: str, page_id: int) -> EncodedPage:
    rng = np.random.default_rng(page_id)
    return scan(paper(kind, page_id, rng, DPI), DPI, OFFICE, rng)


def filed(station: Station, pages: Sequence[EncodedPage]) -> dict[str, object]:
    """File a scan of one case, and say what the command line says of it."""
    station.drop(pdf_of(pages))
    station.once()
    (row,) = query(station.database, 'SELECT number FROM "case" ORDER BY created_at DESC LIMIT 1')
    told: dict[str, object] = json.loads(station.run("cases", "show", str(row["number"]), "--json").stdout)
    return told


def test_its_sheet_is_printed_read_and_judged_without_a_line_of_code(station: Station) -> None:
    case = printed(station, "case", "--box", "OBL-01", "--type", "NEWM")
    contract = printed(station, "document", "--kind", "CONTRACT")
    passport = printed(station, "document", "--kind", "PASSPORT")
    papers = [on_paper("WORKS", 1), on_paper("PASSPORT", 2)]
    told = filed(station, [case, contract, papers[0], passport, papers[1]])
    assert (told["case_type"], told["completeness"], told["review"]) == ("NEWM", "complete", [])


def test_what_is_missing_is_told_by_its_own_requirements(station: Station) -> None:
    case = printed(station, "case", "--box", "OBL-01", "--type", "NEWM")
    told = filed(station, [case, on_paper("WORKS", 3)])
    assert (told["case_type"], told["completeness"]) == ("NEWM", "incomplete")
    assert told["missing"] == [{"branch": None, "sets": [["CERT", "CONTRACT"], ["PASSPORT", "CONTRACT"]]}]
