"""What comes out of a box: stacks that go on in the next file, counts, the same file twice, photocopied sheets."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journey.drawn_piles import DPI, File, Page, Pile, draw_pile, serial
from tests.journey.mailroom import Mailroom
from tests.support.oracle import dropped
from tests.support.papers import blank_paper
from tests.support.scanner import Encoding, Scanning
from tests.support.scans import encrypted, tiff_of, truncated
from tests.support.stacks import DrawnPage, Role
from tests.support.stations import make_station

BY_FILE, GOING_ON, TORN, IDLE = "OBL-01", "OBL-02", "OBL-03", "OBL-04"
COUNTS = {
    "as many as counted": ("B:2 C1 x C2 x", None),
    "fewer than counted": ("B:3 C1 x C2 x", (3, 2)),
    "more than counted on the end sheet": ("C1 x C2 x C3 x E:2", (2, 3)),
    "the end sheet knows the count better": ("B:9 C1 x E:1", None),
    "a held boundary is a submission too": ("B:1 C1 x H x", (1, 2)),
}
"""Piles of a box that assembles by file: what was counted and how many were found, where that is to be told."""

WHITE_BACK = Page(lambda _, _rng: blank_paper(DPI), Role.BLANK, numbered=False, scanning=Scanning(encoding=Encoding.G4))
"""A scanner that saves pure black and white saves every empty back alike."""


@dataclass(frozen=True)
class Split:
    """A pile that was dropped as several files."""

    pile: Pile
    files: tuple[File, ...]


@dataclass(frozen=True)
class Filed:
    """What was dropped, and where to ask what became of it."""

    mailroom: Mailroom
    jammed: Split
    page_by_page: Split
    torn: Split
    unended: Split
    counts: dict[str, Pile]
    twice: Pile
    copied: Pile
    photocopy: Pile
    copied_within: Pile


def split(pile: Pile, *lasts: int) -> Split:
    """Save a pile as files that end at these places."""
    firsts = [1, *(last + 1 for last in lasts[:-1])]
    return Split(pile, tuple(pile.part(first, last) for first, last in zip(firsts, lasts, strict=True)))


def drop_files(mailroom: Mailroom, files: Sequence[File], box: str) -> None:
    """Drop files as a scanner numbers them."""
    for file in files:
        mailroom.drop(file, f"scan{len(mailroom.dropped) + 1:04d}.pdf", box)


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Filed:
    stack = {"assemble": '"stack"'}
    boxes = {BY_FILE: {}, GOING_ON: stack, TORN: stack, IDLE: stack}
    mailroom = Mailroom(make_station(tmp_path_factory.mktemp("stacks"), boxes))

    jammed = split(draw_pile(1, "B:3 C1 x x x C2 x:CERT x C3 x E", box=GOING_ON), 4, 8, 11)
    drop_files(mailroom, jammed.files, GOING_ON)
    duplex = draw_pile(2, "B b C1 c1 x _ x w C2 c2 x _ E e", box=GOING_ON)
    page_by_page = split(duplex, *range(1, len(duplex.pages) + 1))
    drop_files(mailroom, page_by_page.files, GOING_ON)

    torn = split(draw_pile(3, "B C1 x x C2 x C3 x", box=TORN), 3, 5, 8)
    locked = encrypted(torn.files[1].data)
    torn = Split(torn.pile, (torn.files[0], File(locked, dropped(locked, spoilt=True)), torn.files[2]))
    drop_files(mailroom, torn.files, TORN)

    unended = split(draw_pile(4, "C1 x x", box=IDLE), 2, 3)
    drop_files(mailroom, unended.files, IDLE)

    counts = {name: draw_pile(n, words) for n, (name, (words, _)) in enumerate(COUNTS.items(), start=11)}
    twice, copied = draw_pile(21, "C1 x _"), draw_pile(22, "C1 x")
    photocopy, within = draw_pile(23, "C1 x x C2 x", serials_of=22), draw_pile(24, "C1 x C1 x")
    drop_files(mailroom, [pile.file for pile in (*counts.values(), twice, twice, copied, photocopy, within)], BY_FILE)
    mailroom.once()
    # One after the other, for two inboxes are claimed from side by side.
    for box in (BY_FILE, GOING_ON):
        drop_files(mailroom, [twice.file], box)
        mailroom.once()
    return Filed(mailroom, jammed, page_by_page, torn, unended, counts, twice, copied, photocopy, within)


def test_every_page_is_where_it_belongs(filed: Filed) -> None:
    assert filed.mailroom.misfits() == []


def test_a_stack_goes_on_in_the_next_file_and_a_case_crosses_its_end(filed: Filed) -> None:
    pile, files = filed.jammed.pile, filed.jammed.files
    assert filed.mailroom.told(pile, *files) == [
        "1: COVER 2, UNSORTED 3 4 5",
        "2: COVER 6, UNSORTED 7 8",
        "3: COVER 9, UNSORTED 10",
    ]
    assert filed.mailroom.account(pile, *files) == "ssdddsddsds"
    assert stacks_of(filed, files) == 1


def test_a_file_for_each_page_in_duplex_is_one_stack(filed: Filed) -> None:
    pile, files = filed.page_by_page.pile, filed.page_by_page.files
    assert filed.mailroom.told(pile, *files) == ["1: COVER 3 ~, UNSORTED 5 7 ~", "2: COVER 9 ~, UNSORTED 11"]
    assert filed.mailroom.account(pile, *files) == "ssssdbddssdbss"
    assert stacks_of(filed, files) == 1


def test_a_stack_without_an_end_sheet_is_filed_too(filed: Filed) -> None:
    assert filed.mailroom.told(filed.unended.pile, *filed.unended.files) == ["1: COVER 1, UNSORTED 2 3"]


def test_papers_after_a_file_in_quarantine_are_nobodys(filed: Filed) -> None:
    before, _, after = filed.torn.files
    assert filed.mailroom.told(filed.torn.pile, before, after) == [
        "1: COVER 2, UNSORTED 3 [boundary_doubtful]",
        "held: UNSORTED 6 [pages_after_gap]",
        "3: COVER 7, UNSORTED 8",
    ]
    assert filed.mailroom.account(filed.torn.pile, before, after) == "ssdDsd"
    assert findings(filed, before) == ["claim_gap"]


@pytest.mark.parametrize("name", COUNTS)
def test_the_hand_count_is_compared_and_told_at_once(filed: Filed, name: str) -> None:
    told = COUNTS[name][1]
    file = filed.counts[name].file
    assert findings(filed, file) == (["stack_count_mismatched"] if told else [])
    (stack_id,) = {page["stack_id"] for page in filed.mailroom.pages(file)}
    lines = filed.mailroom.said("stack_count_mismatched", stack_id=stack_id)
    assert [(line["level"], line["counted"], line["submissions"]) for line in lines] == (
        [("warning", *told)] if told else []
    )


def test_the_same_file_again_makes_no_second_case_and_its_pages_are_duplicates(filed: Filed) -> None:
    mailroom = filed.mailroom
    assert mailroom.told(filed.twice) == ["1: COVER 1, UNSORTED 2"]
    first, *again = mailroom.scans(filed.twice.file)
    assert (first["state"], [scan["state"] for scan in again]) == ("filed", ["duplicate"] * 3)
    assert [(scan["duplicate_of"], scan["page_count"], scan["duplicate_pages"]) for scan in again] == [
        (first["id"], 3, 3)
    ] * 3
    assert [scan["box_code"] for scan in again] == [BY_FILE, BY_FILE, GOING_ON]
    names = [scan["original_name"] for scan in (first, *again)]
    assert names == sorted(set(names))
    pages = mailroom.pages(filed.twice.file)
    assert [page["disposition"] for page in pages].count("duplicate") == 9
    for scan in again:
        (line,) = mailroom.said("scan_duplicated", scan_id=scan["id"])
        assert line["level"] == "info"
        events = mailroom.query("SELECT * FROM event WHERE name = 'scan_duplicated'")
        assert scan["id"] in {event["scan_id"] for event in events}


def test_a_photocopied_sheet_makes_a_case_of_its_own_linked_and_for_review(filed: Filed) -> None:
    mailroom = filed.mailroom
    assert mailroom.told(filed.copied) == ["1: COVER 1, UNSORTED 2"]
    assert mailroom.told(filed.photocopy) == ["1: COVER 1, UNSORTED 2 3 [serial_repeated]", "2: COVER 4, UNSORTED 5"]
    linked = mailroom.query('SELECT * FROM "case"')
    assert [case["sheet_serial"] for case in linked].count(serial(22, 1)) == 2


def test_a_sheet_photocopied_within_its_stack_is_for_review(filed: Filed) -> None:
    assert filed.mailroom.told(filed.copied_within) == [
        "1: COVER 1, UNSORTED 2",
        "1: COVER 3, UNSORTED 4 [serial_repeated]",
    ]


def test_only_what_a_person_must_do_today_is_more_than_normal_work_in_the_log(filed: Filed) -> None:
    loud = {line["event"] for line in filed.mailroom.lines if line["level"] not in {"info", "debug"}}
    assert loud == {"stack_count_mismatched", "scan_quarantined"}


def test_a_stack_is_filed_while_the_paper_is_on_the_table(tmp_path: Path) -> None:
    stack = {"assemble": '"stack"'}
    options = {"FILING__END_SHEET_QUIET_SECONDS": "0.5", "FILING__STACK_QUIET_SECONDS": "3"}
    mailroom = Mailroom(make_station(tmp_path, {GOING_ON: stack, IDLE: stack}, options=options))
    ended = draw_pile(1, "B:3 C1 x C2 x E", box=GOING_ON)
    idle = split(draw_pile(2, "C1 x x", box=IDLE), 2, 3)
    with mailroom.station.running() as daemon:
        drop_files(mailroom, [ended.file], GOING_ON)
        daemon.wait_for("stack_count_mismatched", level="warning", counted=3, submissions=2)
        drop_files(mailroom, idle.files, IDLE)
        daemon.wait_for("stack_filed", box=IDLE)
    assert mailroom.misfits() == []
    assert mailroom.told(ended) == ["1: COVER 2, UNSORTED 3", "2: COVER 4, UNSORTED 5"]
    assert mailroom.told(idle.pile, *idle.files) == ["1: COVER 1, UNSORTED 2 3"]
    assert [row["closed_by"] for row in mailroom.query("SELECT * FROM stack ORDER BY number")] == ["quiet_time"] * 2


def test_blank_pages_that_are_alike_byte_by_byte_break_no_stack_of_a_file_for_each_page(tmp_path: Path) -> None:
    mailroom = Mailroom(make_station(tmp_path, {GOING_ON: {"assemble": '"stack"'}}))
    pile = draw_pile(1, "C1 white x white C2 white x white", {"white": WHITE_BACK}, box=GOING_ON)
    files = [save_tiff(page) for page in pile.pages]
    assert len({file.truth.sha256 for file in files}) == 5
    drop_files(mailroom, files, GOING_ON)
    mailroom.once()
    assert mailroom.told(pile, *files) == ["1: COVER 1, UNSORTED 3", "2: COVER 5, UNSORTED 7"]
    assert mailroom.query("SELECT * FROM stack_finding") == []
    assert len(mailroom.query("SELECT * FROM stack")) == 1
    assert mailroom.misfits() == []
    assert [row["state"] for row in mailroom.scans(files[1])] == ["filed", *["duplicate"] * 3]


def test_papers_after_a_file_that_came_twice_in_a_stack_are_nobodys(tmp_path: Path) -> None:
    mailroom = Mailroom(make_station(tmp_path, {GOING_ON: {"assemble": '"stack"'}}))
    parts = split(draw_pile(1, "C1 x x x C2 x", box=GOING_ON), 2, 3, 6)
    first, second, third = parts.files
    drop_files(mailroom, [first, second, second, third], GOING_ON)
    mailroom.once()
    assert mailroom.told(parts.pile, *parts.files) == [
        "1: COVER 1, UNSORTED 2 3 [boundary_doubtful]",
        "held: UNSORTED 4 [pages_after_gap]",
        "2: COVER 5, UNSORTED 6",
    ]
    assert mailroom.misfits() == []


def test_piles_that_waited_in_an_inbox_are_told_apart_by_when_they_were_scanned(tmp_path: Path) -> None:
    mailroom = Mailroom(make_station(tmp_path, {GOING_ON: {"assemble": '"stack"'}}))
    morning, noon = split(draw_pile(1, "C1 x x", box=GOING_ON), 2, 3), draw_pile(2, "x x", box=GOING_ON)
    files = [*morning.files, noon.file]
    drop_files(mailroom, files, GOING_ON)
    now = time.time()
    for inbox, hours in zip(sorted(mailroom.station.inbox(GOING_ON).iterdir()), (4.0, 3.9, 1.0), strict=True):
        os.utime(inbox, (now - hours * 3600,) * 2)
    mailroom.once()
    assert mailroom.told(morning.pile, *morning.files) == ["1: COVER 1, UNSORTED 2 3"]
    assert mailroom.told(noon) == ["-: UNSORTED 1 2 [no_sheet]"]
    assert [row["closed_by"] for row in mailroom.query("SELECT * FROM stack ORDER BY number")] == ["quiet_time"] * 2
    assert mailroom.misfits() == []


def test_papers_after_a_scan_that_was_written_over_are_nobodys(tmp_path: Path) -> None:
    options = {"INTAKE__GIVE_UP_SECONDS": "600", "INTAKE__SWEEP_SECONDS": "0.5", "FILING__STACK_QUIET_SECONDS": "3"}
    mailroom = Mailroom(make_station(tmp_path, {GOING_ON: {"assemble": '"stack"'}}, options=options))
    before, lost, after = split(draw_pile(1, "C1 x C2 x x x", box=GOING_ON), 2, 4, 6).files
    path = mailroom.station.inbox(GOING_ON) / "scan.pdf"
    with mailroom.station.running() as daemon:
        # Without its end it is waited for, and written over meanwhile.
        path.write_bytes(truncated(lost.data))
        first = mailroom.drop(before, "before.pdf", GOING_ON)
        os.utime(first, (path.stat().st_mtime - 1,) * 2)
        daemon.wait_for("scan_read")
        mailroom.drop(after, path.name, GOING_ON)
        daemon.wait_for("scan_overwritten")
        daemon.wait_for("stack_filed")
    assert [mailroom.told(draw_pile(1, "C1 x C2 x x x", box=GOING_ON), before, after)] == [
        [
            "1: COVER 1, UNSORTED 2 [boundary_doubtful]",
            "held: UNSORTED 5 6 [pages_after_gap]",
        ]
    ]
    assert mailroom.misfits() == []


def save_tiff(page: DrawnPage) -> File:
    data = tiff_of([page.scanned])
    return File(data, dropped(data, [page]))


def stacks_of(filed: Filed, files: Sequence[File]) -> int:
    return len({page["stack_id"] for file in files for page in filed.mailroom.pages(file)})


def findings(filed: Filed, file: File) -> list[str]:
    stacks = {page["stack_id"] for page in filed.mailroom.pages(file)}
    rows = filed.mailroom.query("SELECT * FROM stack_finding ORDER BY ordinal")
    return [row["reason"] for row in rows if row["stack_id"] in stacks]
