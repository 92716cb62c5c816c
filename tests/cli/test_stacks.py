"""What people are told about stacks: rows are made by the functions that the daemon makes them by."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from skrynka.core.reasons import QuarantineReason
from skrynka.core.stacking import Assemble, ClosedBy, OpenedBy, Segment
from skrynka.store.assembly import assemble
from skrynka.store.database import Database, open_database
from skrynka.store.quarantine import quarantine_stack
from tests.cli.conftest import Skrynka
from tests.store import samples


@pytest.fixture
def db(station: Path) -> Iterator[Database]:
    """The station's database, with boxes of another station in it."""
    database = open_database(f"sqlite:///{station / 'skrynka.db'}")
    yield samples.with_boxes(database)
    database.close()


def opened(db: Database, number: int, pages: int, *, opened_by: OpenedBy | None = OpenedBy.SCAN) -> None:
    """Lay a scan into the open stack of its box; with `opened_by` None one is open already."""
    scan_id = samples.read(db, number, pages)
    assemble(db, scan_id, [Segment(1, pages, opened_by)], Assemble.STACK)


def test_a_stack_that_is_open_is_shown_with_its_pages(skrynka: Skrynka, db: Database) -> None:
    opened(db, 1, 3)
    opened(db, 2, 2, opened_by=None)
    told = skrynka("status", "--json").json
    box = next(each for each in told["boxes"] if each["code"] == "OBL-03")
    assert (box["open_stack"], box["open_pages"], box["last_scan"]) == ("A/1", 5, "A-2")
    assert "A/1, 5 pages since " in skrynka("status").out
    assert told["stacks"]["open"] == 1


def test_what_waits_longest_is_told(skrynka: Skrynka, db: Database) -> None:
    samples.received(db, 1)
    told = skrynka("status", "--json").json
    assert told["oldest_waiting_at"] == samples.CLAIMED.isoformat()
    assert told["scans"]["received"] == 1
    local = samples.CLAIMED.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    assert f"waiting since  {local}" in skrynka("status").out


def test_a_box_that_is_no_longer_used_is_told(skrynka: Skrynka, db: Database) -> None:
    samples.sync_boxes(db, "A", "Станція А", samples.BOXES[:1])
    assert "POD-01 (not in use)" in skrynka("status").out


def test_scans_that_lie_in_one_stack_come_out_of_quarantine_together(
    skrynka: Skrynka, db: Database, station: Path
) -> None:
    opened(db, 1, 3)
    run = Segment(1, 2, None, closed_by=ClosedBy.END_SHEET)
    assemble(db, samples.read(db, 2, 2), [run], Assemble.STACK)
    quarantine_stack(db, samples.taken_stack(db), QuarantineReason.CUT_FAILED)
    notes = station / "archive" / "quarantine"
    for each in skrynka("quarantine", "list", "--json").json:
        (notes / f"{each['scan']}-{each['id']}").mkdir(parents=True)
    assert skrynka("quarantine", "retry", "A-2").out == (
        "A-2 is taken again.\nA-1 goes along: it lies in the same stack.\n"
    )
    assert list(notes.iterdir()) == []
    told = skrynka("status", "--json").json
    assert (told["scans"]["quarantined"], told["stacks"]["closed"]) == (0, 1)


def test_an_original_that_is_gone_is_told(skrynka: Skrynka, db: Database) -> None:
    samples.closed(db, 1)
    quarantine_stack(db, samples.taken_stack(db), QuarantineReason.CUT_FAILED)
    assert skrynka("quarantine", "show", "A-1", "--json").json["original"] is None
    shown = skrynka("quarantine", "show", "A-1").out
    assert "ISN'T in the archive" in shown
    assert "the program's" in shown


def test_the_number_of_a_scan_is_enough_where_one_station_has_it(skrynka: Skrynka, db: Database) -> None:
    samples.closed(db, 7)
    quarantine_stack(db, samples.taken_stack(db), QuarantineReason.CUT_FAILED)
    assert skrynka("quarantine", "show", "7", "--json").json["scan"] == "A-7"


def test_an_export_says_which_document_the_archive_lacks(skrynka: Skrynka, db: Database, tmp_path: Path) -> None:
    (case,) = samples.filed(db, 1)
    told = skrynka("documents", "export", case.number, tmp_path / "out")
    assert told.code == 3
    assert "isn't in the archive" in told.err


def test_what_is_in_an_archive_that_is_away_is_not_told_to_be_lost(
    skrynka: Skrynka, db: Database, station: Path, tmp_path: Path
) -> None:
    (case,) = samples.filed(db, 1)
    samples.closed(db, 2)
    quarantine_stack(db, samples.taken_stack(db), QuarantineReason.CUT_FAILED)
    (station / "archive").rename(station / "unmounted")
    told = skrynka("documents", "export", case.number, tmp_path / "out")
    assert told.code == 3
    shown = skrynka("quarantine", "show", "A-2")
    assert shown.code == 0
    for words in (told.err, shown.out):
        assert "Mount the archive" in words
        assert "backup" not in words


def test_nothing_about_a_case_is_cut_off_in_a_pipe(skrynka: Skrynka, db: Database) -> None:
    (case,) = samples.filed(db, 1, pages=40)
    shown = skrynka("cases", "show", case.number).out
    assert "CERT+UNSORTED  A-1: 2–39  5.0 kB" in shown
    assert "00123456" in shown
    assert "M-778899" in shown


def test_a_list_that_was_cut_short_says_so(skrynka: Skrynka, db: Database) -> None:
    for number in (1, 2):
        samples.filed(db, number)
    assert skrynka("cases", "list", "--limit", "1").out.endswith("The newest 1; --limit 0 shows all.\n")
    assert "newest" not in skrynka("cases", "list", "--limit", "3").out


def test_a_day_is_the_first_that_is_listed(skrynka: Skrynka, db: Database) -> None:
    samples.filed(db, 1)
    for day, count in ((samples.DAY, 1), (samples.DAY + timedelta(days=1), 0)):
        assert len(skrynka("cases", "list", "--since", day.isoformat(), "--json").json) == count
