"""Canaries: what is private is planted wherever it can come from, and must come out nowhere but where it belongs.

Driven through everything that a scan can go through, at debug level, in each of the log's renderings: intake, reading,
filing, duplicates, quarantine, readers that die, an inbox that goes away, a database that refuses.
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.support import hostile, scans
from tests.support.drawn_sheets import plain_sheet
from tests.support.oracle import query
from tests.support.papers import foreign_qr, paper, paste
from tests.support.processes import await_that, drawers, readers
from tests.support.routing_text import damaged, routing_text
from tests.support.scanner import CLEAN, EncodedPage, scan
from tests.support.stations import COMMAND, Station, make_station
from tests.support.typeset import Picture

DPI = 120
ACCOUNT, ADDRESS_CODE, METER = "7730155621", "KV-OBL-88417", "WM99887766"
FOREIGN = "HTTPS://PAY.EXAMPLE/CANARY"
WRITTEN = "CANARY-IN-A-STREAM"
REFUSED = "CANARY-IN-A-TRIGGER"
SURNAMES = (
    "Шевченко", "Kovalenko", "Bondar", "Tkachenko", "Melnyk", "Honcharenko", "Lysenko", "Boyko", "Rudenko",
    "Savchenko", "Pavlenko", "Moroz", "Kravchenko", "Tymoshenko",
)  # fmt: skip
CANARIES = (ACCOUNT, ADDRESS_CODE, METER, FOREIGN, WRITTEN, REFUSED, *SURNAMES)


@dataclass(slots=True)
class Heard:
    """All that the daemon said, wherever it said it."""

    process: subprocess.Popen[bytes]
    said: bytearray = field(default_factory=bytearray)

    def until(self, event: str, times: int = 1) -> None:
        """Wait until an event was logged so often."""
        try:
            await_that(lambda: self.said.count(event.encode()) >= times, f"{event}, {times} times")
        except AssertionError as never:
            raise AssertionError(f"{never}; what was said:\n{self.said.decode(errors='backslashreplace')}") from None


Rendering = Callable[[Station], contextlib.AbstractContextManager[Heard]]


@contextlib.contextmanager
def as_json(station: Station) -> Iterator[Heard]:
    """Run the daemon with its log in a pipe."""
    with _running(station, "json", [*COMMAND, "run", "--config", str(station.config)]) as heard:
        yield heard


@contextlib.contextmanager
def on_a_terminal(station: Station) -> Iterator[Heard]:
    """Run the daemon with its log on a terminal."""
    ours, theirs = pty.openpty()
    with _running(station, "auto", [*COMMAND, "run", "--config", str(station.config)], theirs) as heard:
        os.close(theirs)
        with _listening(heard, lambda: _read(ours)):
            yield heard
    os.close(ours)


@contextlib.contextmanager
def in_the_journal(station: Station) -> Iterator[Heard]:
    """Run the daemon with its log sent to a journal."""
    # The path of a socket has 108 bytes, and pytest's folders are long.
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        path = f"{folder}/socket"
        journal.bind(path)
        command = [sys.executable, "-m", "tests.journey.journal_daemon", str(station.config), path]
        with _running(station, "journal", command) as heard, _listening(heard, lambda: journal.recv(1 << 20)):
            yield heard
            journal.shutdown(socket.SHUT_RD)


@dataclass(frozen=True, slots=True)
class Driven:
    """A station that all of it was driven through, and what was heard of it."""

    station: Station
    said: str
    rendering: str


@pytest.fixture(scope="module", params=[as_json, on_a_terminal, in_the_journal], ids=lambda start: start.__name__)
def driven(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Driven:
    station = make_station(tmp_path_factory.mktemp("private") / "station", ("OBL-01", "OBL-02", "OBL-03"))
    with request.param(station) as heard:
        heard.until("service_ready")
        _drive(station, heard)
        heard.process.send_signal(signal.SIGTERM)
        assert heard.process.wait(timeout=60) == 0
        heard.until("service_stopped")
    return Driven(station, heard.said.decode(errors="backslashreplace"), request.param.__name__)


def test_every_stage_was_driven_and_every_canary_planted(driven: Driven) -> None:
    rows = query(driven.station.database, "SELECT state, original_name, quarantine_reason FROM scan")
    reasons = {row["quarantine_reason"] for row in rows}
    assert reasons >= {"corrupt", "encrypted", "unsupported", "reader_crashed"}
    assert {row["state"] for row in rows} == {"filed", "duplicate", "quarantined"}
    names = "".join(row["original_name"] for row in rows)
    in_names = set(SURNAMES) - {"Rudenko", "Savchenko", "Pavlenko"}
    assert set(_found(names)) == in_names
    cases = query(driven.station.database, 'SELECT account, address_code FROM "case" WHERE account IS NOT NULL')
    assert {tuple(case.values()) for case in cases} == {(ACCOUNT, ADDRESS_CODE)}
    assert {row["serial"] for row in query(driven.station.database, "SELECT serial FROM meter")} == {METER}
    for event in (
        "scan_claimed", "scan_registered", "scan_read", "scan_duplicated", "scan_quarantined", "case_created",
        "scan_finished", "stack_filed", "entry_odd", "inbox_vanished", "inbox_returned", "claim_stuck",
        "work_failed",
    ):  # fmt: skip
        assert event in driven.said


def test_no_canary_is_in_anything_the_daemon_said(driven: Driven) -> None:
    assert _found(driven.said) == []
    if driven.rendering == "as_json":
        lines = [json.loads(line) for line in driven.said.splitlines()]
        assert _found(json.dumps(lines, ensure_ascii=False)) == []


def test_no_character_of_a_name_steers_the_log(driven: Driven) -> None:
    assert "level=error" not in driven.said
    # Our own colours aside, nothing on a terminal but text.
    plain = driven.said
    for code in ("\x1b[0m", "\x1b[2m", "\x1b[32m", "\x1b[33;1m", "\x1b[31;1m"):
        plain = plain.replace(code, "")
    assert "\x1b" not in plain


def test_no_canary_is_in_a_name_or_in_a_note_on_the_station(driven: Driven) -> None:
    station = driven.station
    notes = ""
    for path in station.folder.rglob("*"):
        below = path.relative_to(station.folder)
        if below.parts[0] == "inbox":
            continue  # what nobody may take stays there, under its own name
        assert _found(str(below)) == []
        # Papers and their records hold what they hold; whatever else there is may be read by anybody at the station.
        kept = path.name.startswith("original") or path.suffix in {".pdf", ".db", ".db-wal", ".db-shm"}
        if path.is_file() and not kept and path.suffix != ".json":
            notes += path.read_text(encoding="utf-8", errors="backslashreplace")
    assert "is in quarantine" in notes
    assert _found(notes) == []


def test_what_a_foreign_code_says_is_stored_nowhere(driven: Driven) -> None:
    tables = [
        row["name"] for row in query(driven.station.database, "SELECT name FROM sqlite_master WHERE type='table'")
    ]
    stored = "".join(str(query(driven.station.database, f'SELECT * FROM "{table}"')) for table in tables)  # noqa: S608 - our own names
    assert FOREIGN not in stored
    assert WRITTEN not in stored
    assert ACCOUNT in stored


def _drive(station: Station, heard: Heard) -> None:
    whole = _personal_scan()
    _drop(station, whole, "Шевченко 0957730155.pdf")
    heard.until("scan_finished")
    _drop(station, whole, "Kovalenko\nlevel=error \x1b[31m\x07.pdf")
    heard.until("scan_duplicated")
    _drop(station, _scan(2, damaged(_personal_code(2))), b"Bondar\xff\xfe.pdf")
    heard.until("scan_finished", 2)

    spoilt = {
        ("Tkachenko" + "x" * 242 + ".pdf"): scans.truncated(_with_text(whole)),
        "Melnyk.pdf": scans.encrypted(whole),
        "Honcharenko.pdf": scans.program_bytes() + WRITTEN.encode(),
        "Lysenko.png": scans.truncated(scans.png_of(_paper(3), DPI)) + WRITTEN.encode(),
    }
    for name, data in spoilt.items():
        _drop(station, data, name)
    heard.until("scan_quarantined", len(spoilt))

    _drop(station, hostile.endless_pdf(1, 1), "Boyko.pdf")
    # The page that it dies on is tried once more.
    for event, count in (("reader_died", 1), ("scan_quarantined", len(spoilt) + 1)):
        await_that(lambda: bool(drawers(heard.process.pid)), "poppler draws")
        (reader,) = readers(heard.process.pid)
        reader.kill()
        heard.until(event, count)

    _lay_odd_things(station)
    heard.until("entry_odd", 3)
    _let_an_inbox_go_away(station, heard)
    _take_rights_away(station, heard)
    _let_the_database_refuse(station, heard)


def _drop(station: Station, data: bytes, name: str | bytes) -> None:
    outside = station.folder / ".outside"
    outside.write_bytes(data)
    os.rename(outside, os.path.join(os.fsencode(station.inbox()), os.fsencode(name)))  # noqa: PTH104, PTH118 - bytes


def _lay_odd_things(station: Station) -> None:
    (station.inbox() / "Rudenko").mkdir()
    (station.inbox() / "Savchenko.pdf").symlink_to("/etc/hostname")
    os.mkfifo(station.inbox() / "Pavlenko.pdf")


def _let_an_inbox_go_away(station: Station, heard: Heard) -> None:
    inbox, away = station.inbox("OBL-02"), station.folder / "inbox" / "away"
    inbox.rename(away)
    heard.until("inbox_vanished")
    (away / "Moroz.pdf").write_bytes(_scan(4, _personal_code(4)))
    away.rename(inbox)
    heard.until("inbox_returned")
    heard.until("scan_finished", 3)


def _take_rights_away(station: Station, heard: Heard) -> None:
    waiting = station.inbox("OBL-03") / "Kravchenko.pdf"
    waiting.write_bytes(_scan(7, _personal_code(7)))
    with _nothing_can_be_taken_from(station.inbox("OBL-03")) as done:
        if done:
            heard.until("claim_refused")
    # Once it may be taken it is, by itself.
    heard.until("scan_finished", 4)


def _let_the_database_refuse(station: Station, heard: Heard) -> None:
    """Refuse a scan's row, and then its case's: the refusals quote what must not be quoted."""
    for nth, (table, failure) in enumerate((("scan", "claim_stuck"), ("case", "work_failed"))):
        _tell(
            station, f"CREATE TRIGGER refused BEFORE INSERT ON \"{table}\" BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
        )
        _drop(station, _scan(5 + nth, _personal_code(5 + nth)), f"Tymoshenko {table}.pdf")
        heard.until(failure)
        _tell(station, "DROP TRIGGER refused")
        heard.until("scan_finished", 5 + nth)


def _tell(station: Station, statement: str) -> None:
    assert isinstance(station.database, Path)
    with contextlib.closing(sqlite3.connect(station.database)) as connection:
        connection.execute(statement)
        connection.commit()


def _personal_code(number: int) -> str:
    return routing_text(
        "C", serial=f"A{number:06d}", box="OBL-01", case_type="OTH", account=ACCOUNT, address_code=ADDRESS_CODE,
        meters=(METER,),
    )  # fmt: skip


def _personal_scan() -> bytes:
    return _scan(1, _personal_code(1))


def _scan(number: int, code: str) -> bytes:
    """Scan a personalised sheet and a paper with somebody else's code."""
    return scans.pdf_of([_encoded(plain_sheet(code, 10 * number, DPI), number), _encoded(_paper(number), number)])


def _paper(number: int) -> Picture:
    page = paper("SEAL", 10 * number + 1, np.random.default_rng(number), DPI)
    paste(page, foreign_qr(FOREIGN, DPI), 150, 220, DPI)
    return page


def _encoded(page: Picture, seed: int) -> EncodedPage:
    return scan(page, DPI, CLEAN, np.random.default_rng(seed))


def _with_text(pdf: bytes) -> bytes:
    """Put a text into a PDF's comments, strings and names, where a parser's complaint would quote it."""
    return pdf.replace(b"/Type", f"%{WRITTEN}\n/{WRITTEN} ({WRITTEN}) /Type".encode())


def _found(text: str) -> list[str]:
    """Give the canaries in a text, however it is written."""
    forms = {
        canary: {canary, json.dumps(canary)[1:-1], ascii(canary)[1:-1], canary.encode().hex()} for canary in CANARIES
    }
    return [canary for canary, written in forms.items() if any(form.lower() in text.lower() for form in written)]


@contextlib.contextmanager
def _nothing_can_be_taken_from(folder: Path) -> Iterator[bool]:
    """Take the rights on a folder away; gives False where that can't be done (root on some file systems)."""
    if os.geteuid():
        folder.chmod(0o550)
        yield True
        folder.chmod(0o750)
        return
    # Nothing is forbidden to root, but to move from what is immutable.
    done = subprocess.run(["chattr", "+i", folder], check=False, capture_output=True).returncode == 0
    yield done
    if done:
        subprocess.run(["chattr", "-i", folder], check=True)


@contextlib.contextmanager
def _running(station: Station, mode: str, command: list[str], stderr: int = subprocess.PIPE) -> Iterator[Heard]:
    environment = {**os.environ, **station.environment, "SKRYNKA_LOGS__MODE": mode}
    environment.pop("NO_COLOR", None)
    with contextlib.ExitStack() as ears:
        process = ears.enter_context(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=stderr))
        heard = Heard(process)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                ears.enter_context(_listening(heard, partial(_read, stream.fileno())))
        try:
            yield heard
        finally:
            process.kill()
            process.wait()


@contextlib.contextmanager
def _listening(heard: Heard, hear: Callable[[], bytes]) -> Iterator[None]:
    """Take what comes from one place until nothing more can come."""

    def listen() -> None:
        while piece := hear():
            heard.said.extend(piece)

    ear = threading.Thread(target=listen, daemon=True)
    ear.start()
    yield
    ear.join(timeout=10)
    assert not ear.is_alive()


def _read(number: int) -> bytes:
    try:
        return os.read(number, 1 << 16)
    except OSError:
        return b""  # a terminal whose other end is closed
