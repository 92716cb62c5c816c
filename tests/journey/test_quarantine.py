"""What comes out of a box: corrupt, encrypted, hostile and foreign files go to quarantine, and the queue goes on."""

from __future__ import annotations

import io
import json
import os
from dataclasses import dataclass
from pathlib import Path

import pikepdf
import pytest

from tests.journey.drawn_piles import File, Pile, draw_pile
from tests.journey.mailroom import Mailroom
from tests.support import scans
from tests.support.oracle import Row, dropped
from tests.support.pdf_pages import add_image_page, flate_image
from tests.support.stations import make_station

SURNAME = "Ґудзенко"
GOOD_NAMES = (f"{SURNAME}\nквартира 8.pdf", "\udcff\udcfe.pdf", "ї" * 120 + ".pdf", "renamed.jpg", "no extension")
"""Scans are told by what is in them, whatever they are called."""
REASONS = {
    "cut off in the middle": "corrupt",
    "rotten within": "corrupt",
    "encrypted": "encrypted",
    "without pages": "no_pages",
    "a program": "unsupported",
    "an office document": "unsupported",
    "text": "unsupported",
    "too large": "too_large",
    "a page as large as a field": "page_too_large",
    "an image that swells": "page_too_large",
}


@dataclass(frozen=True)
class Filed:
    """What was dropped, and where to ask what became of it."""

    mailroom: Mailroom
    bad: dict[str, File]
    good: dict[str, Pile]

    def scan(self, what: str) -> Row:
        """Give the row of a bad file."""
        (row,) = self.mailroom.scans(self.bad[what])
        return row

    def folder(self, what: str) -> Path:
        """Give the folder where a person finds a bad file."""
        (found,) = (self.mailroom.station.archive / "quarantine").glob(f"*-{self.scan(what)['id']}")
        return found


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Filed:
    station = make_station(tmp_path_factory.mktemp("quarantine"), options={"LIMITS__SCAN_MEGABYTES": "1"})
    mailroom = Mailroom(station)
    good = {name: draw_pile(number, "C1 x") for number, name in enumerate(("before.pdf", *GOOD_NAMES), start=1)}
    bad = {what: spoilt(data) for what, data in bad_files(draw_pile(50, "C1 x").file.data).items()}
    with station.running() as daemon:
        mailroom.drop(good["before.pdf"].file, "before.pdf")
        daemon.wait_for("scan_finished")
        for number, file in enumerate(bad.values(), start=1):
            mailroom.drop(file, f"scan{number:04d}.pdf")
        for _ in bad:
            daemon.wait_for("scan_quarantined")
        for name in GOOD_NAMES:
            mailroom.drop(good[name].file, name)
        for _ in GOOD_NAMES:
            daemon.wait_for("scan_finished")
    mailroom.lines = daemon.lines
    return Filed(mailroom, bad, good)


def spoilt(data: bytes) -> File:
    return File(data, dropped(data, spoilt=True))


def bad_files(whole: bytes) -> dict[str, bytes]:
    """Give files that no case can come of, by what is wrong with them."""
    return {
        "cut off in the middle": scans.truncated(whole, 0.5),
        "rotten within": b"%PDF-1.4\n" + bytes(range(256)) * 40 + b"\nstartxref\n9\n%%EOF\n",
        "encrypted": scans.encrypted(whole),
        "without pages": scans.pdf_without_pages(),
        "a program": scans.program_bytes(),
        "an office document": scans.zip_bytes(),
        "text": "Це не скан.".encode(),
        "too large": with_ballast(whole, 1 << 20),
        "a page as large as a field": one_page(side_pt=14400),
        "an image that swells": one_page(image=(60000, 60000)),
    }


def with_ballast(whole: bytes, size: int) -> bytes:
    """Give a PDF with an object that no page needs."""
    with pikepdf.open(io.BytesIO(whole)) as pdf:
        pdf.Root.Ballast = pdf.make_stream(os.urandom(size))
        return saved(pdf)


def one_page(image: tuple[int, int] | None = None, side_pt: float = 595) -> bytes:
    """Give a PDF of one page of this side; with an image that says it has so many pixels, and hasn't."""
    with pikepdf.new() as pdf:
        if image is None:
            pdf.add_blank_page(page_size=(side_pt, side_pt))
        else:
            add_image_page(pdf, flate_image(pdf, bytes(1000), image, pikepdf.Name.DeviceGray, 1))
        return saved(pdf)


def saved(pdf: pikepdf.Pdf) -> bytes:
    buffer = io.BytesIO()
    pdf.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("what", REASONS)
def test_a_file_that_cannot_be_filed_is_kept_with_its_reason_beside_it(filed: Filed, what: str) -> None:
    scan = filed.scan(what)
    assert (scan["state"], scan["quarantine_reason"]) == ("quarantined", REASONS[what])
    told = (filed.folder(what) / "reason.txt").read_text(encoding="utf-8")
    assert f"ST-{scan['number']}" in told
    assert REASONS[what] in told
    assert "What to do:" in told
    (original,) = filed.folder(what).glob("original*")
    assert original.read_bytes() == filed.bad[what].data


@pytest.mark.parametrize("what", REASONS)
def test_a_quarantine_is_a_warning_in_the_log_and_an_event_in_the_database(filed: Filed, what: str) -> None:
    scan = filed.scan(what)
    (line,) = filed.mailroom.said("scan_quarantined", scan_id=scan["id"])
    assert (line["level"], line["reason"], line["box"]) == ("warning", REASONS[what], "OBL-01")
    events = filed.mailroom.query("SELECT * FROM event WHERE name = 'scan_quarantined'")
    (event,) = (event for event in events if event["scan_id"] == scan["id"])
    assert json.loads(event["data"])["reason"] == REASONS[what]


@pytest.mark.parametrize("name", ["before.pdf", *GOOD_NAMES], ids=ascii)
def test_the_queue_goes_on_whatever_a_good_scan_is_called(filed: Filed, name: str) -> None:
    assert filed.mailroom.told(filed.good[name]) == ["1: COVER 1, UNSORTED 2"]


def test_a_file_that_was_cut_off_is_judged_when_its_writer_has_given_up(filed: Filed) -> None:
    (claimed,) = filed.mailroom.said("scan_claimed", scan_id=filed.scan("cut off in the middle")["id"])
    assert claimed["unfinished"]
    assert [line for line in filed.mailroom.said("scan_claimed") if line.get("unfinished")] == [claimed]


def test_every_page_is_accounted_for_and_nothing_is_left(filed: Filed) -> None:
    assert filed.mailroom.misfits() == []


def test_no_name_of_a_file_is_in_the_log_or_beside_an_original(filed: Filed) -> None:
    station = filed.mailroom.station
    told = "\n".join(json.dumps(line, ensure_ascii=False) for line in filed.mailroom.lines)
    paths = "\n".join(str(path) for path in (station.archive / "quarantine").rglob("*"))
    reasons = "\n".join(path.read_text(encoding="utf-8") for path in station.archive.rglob("reason.txt"))
    assert {SURNAME in told + paths + reasons, "scan0001" in told + paths + reasons} == {False}
    assert SURNAME in "".join(row["original_name"] for row in filed.mailroom.query("SELECT * FROM scan"))


def test_a_retry_takes_a_scan_again_and_one_that_nothing_has_changed_for_comes_back(tmp_path: Path) -> None:
    mailroom = Mailroom(make_station(tmp_path, options={"LIMITS__SCAN_MEGABYTES": "1"}))
    station, pile = mailroom.station, draw_pile(1, "C1 x")
    data = with_ballast(pile.file.data, 1 << 20)
    large = File(data, dropped(data, pile.pages, spoilt=None))
    locked = spoilt(scans.encrypted(pile.file.data))
    mailroom.drop(large, "scan0001.pdf")
    mailroom.drop(locked, "scan0002.pdf")
    mailroom.once()
    assert states(mailroom) == [("quarantined", "too_large"), ("quarantined", "encrypted")]
    assert len(list((station.archive / "quarantine").iterdir())) == 2

    station.environment["SKRYNKA_LIMITS__SCAN_MEGABYTES"] = "10"
    for name in ("ST-1", "ST-2"):
        station.run("quarantine", "retry", name)
    assert list((station.archive / "quarantine").iterdir()) == []
    mailroom.once()
    assert states(mailroom) == [("filed", None), ("quarantined", "encrypted")]
    assert mailroom.told(pile, large) == ["1: COVER 1, UNSORTED 2"]
    (left,) = (station.archive / "quarantine").iterdir()
    assert (left / "reason.txt").exists()
    assert mailroom.misfits() == []


def states(mailroom: Mailroom) -> list[tuple[str, str | None]]:
    return [(row["state"], row["quarantine_reason"]) for row in mailroom.query("SELECT * FROM scan ORDER BY number")]


def test_what_is_no_scan_or_none_yet_stays_in_its_inbox_and_is_never_followed(tmp_path: Path) -> None:
    mailroom = Mailroom(make_station(tmp_path / "station", options={"INTAKE__GIVE_UP_SECONDS": "600"}))
    inbox, elsewhere = mailroom.station.inbox(), tmp_path / "elsewhere.pdf"
    pile = draw_pile(1, "C1 x")
    elsewhere.write_bytes(pile.file.data)
    (inbox / "link.pdf").symlink_to(elsewhere)
    (inbox / "folder.pdf").mkdir()
    (inbox / "folder.pdf" / "scan.pdf").write_bytes(pile.file.data)
    os.mkfifo(inbox / "pipe.pdf")
    (inbox / "empty.pdf").touch()
    (inbox / "half.pdf").write_bytes(scans.truncated(pile.file.data))
    for name in (".hidden.pdf", "~scan.pdf", "scan.tmp", "scan.pdf.part", "scan.filepart", "Thumbs.db"):
        (inbox / name).write_bytes(pile.file.data)
    before = sorted(inbox.rglob("*"))
    other = draw_pile(2, "C1 x")
    mailroom.drop(other.file, "good.pdf")
    mailroom.once()
    assert sorted(inbox.rglob("*")) == before
    assert elsewhere.read_bytes() == pile.file.data
    assert len(mailroom.query("SELECT * FROM scan")) == 1
    assert mailroom.told(other) == ["1: COVER 1, UNSORTED 2"]
    assert sorted(line["kind"] for line in mailroom.said("entry_odd", level="warning")) == ["fifo", "folder", "symlink"]
