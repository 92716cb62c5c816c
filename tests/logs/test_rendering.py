from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import structlog

from skrynka.logs import EVENTS, Level, Mode
from skrynka.logs.entries import Entry
from skrynka.logs.rendering import for_people
from tests.support.log_lines import NOON, entry, listening


def test_a_json_line_from_its_first_character_to_its_last() -> None:
    stream = listening()
    structlog.get_logger().bind(scan_number="A-4417", box="OBL-03").info(
        "scan_finished",
        claimed_at=datetime(2025, 11, 21, 8, 14, tzinfo=UTC),
        pages=124,
        document=98,
        sheet=13,
        blank=13,
        duplicate=0,
        quarantined=0,
        cases=12,
        reviews=2,
    )
    assert stream.getvalue() == (
        '{"time": "2025-11-21T12:00:30.250Z", "level": "info", "event": "scan_finished", '
        '"message": "scan A-4417 OBL-03 10:14: 124 pages = 98 document + 13 sheet + 13 blank; 12 cases, 2 for review", '
        '"scan_number": "A-4417", "box": "OBL-03", "claimed_at": "2025-11-21T08:14:00.000Z", "pages": 124, '
        '"document": 98, "sheet": 13, "blank": 13, "duplicate": 0, "quarantined": 0, "cases": 12, "reviews": 2}\n'
    )


def test_a_line_for_people_begins_with_the_sentence_and_leaves_out_what_it_said() -> None:
    stream = listening(Mode.CONSOLE)
    structlog.get_logger().info("scan_claimed", scan_number="A-4417", box="OBL-03", size_bytes=1_500_000, attempt=2)
    assert stream.getvalue() == "14:00:30 info    scan A-4417 OBL-03 claimed, 1.5 MB  scan_claimed attempt=2\n"


def test_a_line_for_people_shows_an_id_only_where_no_number_stands_for_it() -> None:
    stream = listening(Mode.CONSOLE)
    structlog.get_logger().info("scan_read", scan_number="A-4417", scan_id=UUID(int=7), stack_id=UUID(int=8), pages=3)
    assert stream.getvalue() == (
        "14:00:30 info    scan A-4417 read: 3 pages  scan_read stack_id=00000000-0000-0000-0000-000000000008\n"
    )


def test_a_warning_tells_people_what_to_do_on_a_line_of_its_own() -> None:
    stream = listening(Mode.CONSOLE)
    structlog.get_logger().warning("disk_low", volume="spool", free_bytes=900, inbox="OBL-01")
    first, second = stream.getvalue().splitlines()
    assert first == "14:00:30 warning spool: 900 bytes free; a scan in OBL-01 waits  disk_low"
    assert second.strip() == EVENTS["disk_low"].remedy


def test_colours_are_only_paint() -> None:
    for event in ("service_ready", "disk_low", "work_failed"):
        painted = for_people(colour=True, zone=UTC)(entry(event, "the sentence", pid=7))
        plain = for_people(colour=False, zone=UTC)(entry(event, "the sentence", pid=7))
        assert "\x1b[" in painted
        for code in ("\x1b[0m", "\x1b[2m", "\x1b[32m", "\x1b[33;1m", "\x1b[31;1m"):
            painted = painted.replace(code, "")
        assert painted == plain


def test_an_event_that_the_catalogue_lost_is_still_shown_to_people() -> None:
    strange = Entry(NOON, Level.ERROR, "something_happened", "something happened", {"pid": 7})
    assert (
        for_people(colour=False, zone=UTC)(strange) == "12:00:30 error   something happened  something_happened pid=7"
    )
