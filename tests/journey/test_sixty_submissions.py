"""The main job at its full size: sixty submissions on three hundred pages, in one file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pikepdf
import pytest

from tests.support.databases import MakeDatabase
from tests.support.drawn_sheets import SheetFields
from tests.support.oracle import Row, cases_in_order, dropped, misfits, query
from tests.support.scanner import Encoding, Scanning
from tests.support.scans import joined, pdf_of, vector_pdf
from tests.support.stacks import Envelope, Paper, Role, TruePage, draw_stack, office_scanning
from tests.support.stations import Station, make_station

SUBMISSIONS = 60
PAGES = 300
DPI = 120
DRAWN_BY_PROGRAMS = (17, 44)
"""The submissions, by place, whose last page is text and vectors instead of an image."""


@dataclass(frozen=True, slots=True)
class Pile:
    """The file, and the truth about it."""

    data: bytes
    pages: tuple[TruePage, ...]
    cases: list[list[int]]


@pytest.fixture(scope="module")
def pile() -> Pile:
    return _draw()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def station(
    request: pytest.FixtureRequest, pile: Pile, make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Station]:
    """A station that has filed the pile."""
    with make_database(request.param) as url:
        made = make_station(tmp_path_factory.mktemp("sixty") / "station", database_url=url)
        made.drop(pile.data)
        made.once()
        yield made


def test_sixty_submissions_become_sixty_cases_in_order(station: Station, pile: Pile) -> None:
    numbers = [row["number"] for row in query(station.database, 'SELECT number FROM "case" ORDER BY ordinal')]
    assert len(numbers) == SUBMISSIONS
    assert numbers == sorted(numbers)
    assert cases_in_order(station.database, station.archive) == pile.cases


def test_every_page_is_accounted_for(station: Station, pile: Pile) -> None:
    truth = dropped(pile.data, pile.pages)
    assert misfits(station.database, station.archive, [truth], pile.cases, empty_folders=station.leftovers) == []
    (counts,) = query(station.database, "SELECT page_count, sheet_pages, document_pages FROM scan")
    assert tuple(counts.values()) == (PAGES, SUBMISSIONS, PAGES - SUBMISSIONS)
    assert query(station.database, "SELECT count(*) AS pages FROM page") == [{"pages": PAGES}]


def test_the_image_of_a_page_is_byte_by_byte_the_scanners(station: Station, pile: Pile) -> None:
    compared = 0
    filters = set()
    with pikepdf.open(io.BytesIO(pile.data)) as original:
        for row in _places(station):
            before = original.pages[row["number"] - 1].get_images()
            with pikepdf.open(_document(station, row["sha256"])) as document:
                after = document.pages[row["page_in_document"] - 1].get_images()
                assert len(before) == len(after)
                for one, other in zip(before.values(), after.values(), strict=True):
                    assert one.read_raw_bytes() == other.read_raw_bytes()
                    assert one.Filter == other.Filter
                    assert (one.Width, one.Height) == (other.Width, other.Height)
                    filters.add(str(one.Filter[0] if isinstance(one.Filter, pikepdf.Array) else one.Filter))
                    compared += 1
    assert compared == PAGES - len(DRAWN_BY_PROGRAMS)
    assert filters == {"/DCTDecode", "/CCITTFaxDecode", "/FlateDecode"}


def _places(station: Station) -> list[Row]:
    return query(
        station.database,
        "SELECT page.number, page.page_in_document, document.sha256 FROM page"
        " JOIN document ON document.id = page.document_id ORDER BY page.number",
    )


def _document(station: Station, digest: object) -> Path:
    return station.archive / "documents" / str(digest)[:2] / f"{digest}.pdf"


def _draw() -> Pile:
    kinds = ("CERT", "SEAL", "PHOTO", "WORKS", "DISMANTLE", "PASSPORT", "PROTOCOL")
    envelopes = [
        Envelope(
            tuple(Paper(kinds[(place + nth) % len(kinds)]) for nth in range(PAGES // SUBMISSIONS - 1)),
            SheetFields(serial=f"A{place:06d}", box="OBL-01", case_type="VER"),
        )
        for place in range(1, SUBMISSIONS + 1)
    ]
    stack = draw_stack(envelopes, np.random.default_rng(60), dpi=DPI, scanning=_as_scanners_do)
    parts, pages, begun = [], list(stack.pages), 0
    for place in DRAWN_BY_PROGRAMS:
        last = place * PAGES // SUBMISSIONS - 1
        page_id = pages[last].page_id
        assert page_id is not None
        parts += [pdf_of([page.scanned for page in pages[begun:last]]), vector_pdf([page_id])]
        begun = last + 1
    parts.append(pdf_of([page.scanned for page in pages[begun:]]))
    truth = tuple(TruePage(page.role, page.page_id, page.case) for page in pages)
    assert sum(page.role is Role.COVER for page in truth) == SUBMISSIONS
    return Pile(joined(parts), truth, [case.page_ids for case in stack.cases])


def _as_scanners_do(rng: np.random.Generator) -> Scanning:
    """Scan most pages to grey JPEG, some to black and white, some without loss."""
    scanning = office_scanning(rng)
    match int(rng.integers(10)):
        case 0 | 1 | 2:
            return replace(scanning, encoding=Encoding.G4, noise=0, edge_shadow=0)
        case 3:
            return replace(scanning, encoding=Encoding.DEFLATE, noise=0)
        case _:
            return scanning
