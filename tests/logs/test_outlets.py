from __future__ import annotations

import io
import json
import os
import pty
import socket
import struct
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from skrynka.logs import EVENTS, Mode, configure
from skrynka.logs.journal import JournalOutlet
from tests.support.log_lines import entry, lines, listening


def test_in_a_pipe_the_log_is_json() -> None:
    assert configure(io.StringIO()) is Mode.JSON


def test_standard_error_is_where_the_log_goes_unless_told(capsys: pytest.CaptureFixture[str]) -> None:
    before = datetime.now(UTC)
    assert configure() is Mode.JSON
    structlog.get_logger().info("service_stopped")
    written = json.loads(capsys.readouterr().err)
    assert datetime.fromisoformat(written["time"]) >= before - timedelta(milliseconds=1)
    assert written["time"].endswith("Z")


@pytest.mark.parametrize(("no_colour", "painted"), [("", True), ("1", False)])
def test_on_a_terminal_the_log_is_for_people(monkeypatch: pytest.MonkeyPatch, no_colour: str, *, painted: bool) -> None:
    monkeypatch.setenv("NO_COLOR", no_colour)
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        assert configure(terminal) is Mode.CONSOLE
        structlog.get_logger().info("service_stopped")
        shown = os.read(ours, 1000)
    os.close(ours)
    assert (b"\x1b[32m" in shown) is painted
    assert b"stopped" in shown


@pytest.mark.parametrize("named", [True, False])
def test_under_systemd_the_log_goes_to_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, named: bool
) -> None:
    with (tmp_path / "stderr").open("w", encoding="utf-8") as stream:
        status = os.fstat(stream.fileno())
        inode = status.st_ino if named else status.st_ino + 1
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{inode}")
        assert configure(stream) is (Mode.JOURNAL if named else Mode.JSON)


def test_a_stream_without_a_descriptor_is_no_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "1:2")
    assert configure(io.StringIO()) is Mode.JSON


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """Give a socket that listens as the journal's does, and its path."""
    path = str(tmp_path / "journal.socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        listener.settimeout(10)
        yield listener, path


def heard(listener: socket.socket) -> list[tuple[str, str]]:
    """Read one datagram of the journal's protocol."""
    rest, fields = listener.recv(1 << 20), []
    while rest:
        line, _, after = rest.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            (size,) = struct.unpack_from("<Q", after)
            value, after = after[8 : 8 + size], after[8 + size + 1 :]
        fields.append((name.decode(), value.decode()))
        rest = after
    return fields


def test_the_journal_gets_the_sentence_the_priority_and_our_fields(journal: tuple[socket.socket, str]) -> None:
    listener, path = journal
    stream = listening(Mode.JOURNAL, journal_socket=path)
    structlog.get_logger().info(
        "case_created", case_number="OBL-03-2025-000017", documents=2, pages=5, reasons=["no_sheet", "box_mismatched"]
    )
    structlog.get_logger().info("scan_overwritten", inbox="obl-03")
    assert heard(listener) == [
        ("MESSAGE", "case OBL-03-2025-000017: 2 documents, 5 pages; for review: no_sheet, box_mismatched"),
        ("PRIORITY", "6"),
        ("SYSLOG_IDENTIFIER", "skrynka"),
        ("SKRYNKA_EVENT", "case_created"),
        ("SKRYNKA_CASE_NUMBER", "OBL-03-2025-000017"),
        ("SKRYNKA_DOCUMENTS", "2"),
        ("SKRYNKA_PAGES", "5"),
        ("SKRYNKA_REASONS", "no_sheet"),
        ("SKRYNKA_REASONS", "box_mismatched"),
    ]
    shouted = dict(heard(listener))
    assert shouted["PRIORITY"] == "3"
    assert shouted["SKRYNKA_REMEDY"] == EVENTS["scan_overwritten"].remedy
    assert stream.getvalue() == ""


def test_the_journal_gets_a_value_with_line_ends_whole(journal: tuple[socket.socket, str]) -> None:
    listener, path = journal
    JournalOutlet(io.StringIO(), path).write(entry(message="one\ntwo=three", pid=7))
    assert heard(listener)[0] == ("MESSAGE", "one\ntwo=three")


def test_a_message_too_large_for_the_journal_is_cut(journal: tuple[socket.socket, str]) -> None:
    listener, path = journal
    stream = io.StringIO()
    JournalOutlet(stream, path).write(entry(message="x" * 5_000_000, pid=7))
    fields = dict(heard(listener))
    assert (fields["MESSAGE"], fields["SKRYNKA_PID"]) == ("x" * 1000, "7")
    assert stream.getvalue() == ""


def test_without_a_journal_the_line_goes_to_the_stream(tmp_path: Path) -> None:
    stream = listening(Mode.JOURNAL, journal_socket=str(tmp_path / "gone"))
    structlog.get_logger().info("service_stopped")
    assert [line["event"] for line in lines(stream)] == ["service_stopped"]


def test_a_log_file_that_was_closed_takes_nothing_down(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w", encoding="utf-8") as stream:
        configure(stream, Mode.JSON)
    structlog.get_logger().info("service_stopped")


def test_a_log_on_a_full_disk_takes_nothing_down() -> None:
    stream = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115 - closing it is bound to fail
    configure(stream, Mode.JSON)
    structlog.get_logger().info("service_stopped")
    with pytest.raises(OSError, match="No space"):
        stream.close()


def test_a_signal_that_logs_in_the_middle_of_a_line_does_not_hang() -> None:
    class Interrupted(io.StringIO):
        """A stream that is interrupted by a signal's handler at its first flush."""

        interruptions = 1

        def flush(self) -> None:
            if self.interruptions:
                self.interruptions -= 1
                structlog.get_logger().info("service_stopping", signal="SIGTERM")

    stream = Interrupted()
    configure(stream, Mode.JSON)
    structlog.get_logger().info("service_stopped")
    assert [line["event"] for line in lines(stream)] == ["service_stopped", "service_stopping"]


def test_lines_of_many_threads_stay_whole() -> None:
    stream = listening()

    def work() -> None:
        for _ in range(50):
            structlog.get_logger().info("service_stopped")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lines(stream)) == 400
