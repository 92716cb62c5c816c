from __future__ import annotations

import os
import signal
from pathlib import Path

from skrynka.core.settling import Arrival, SettlingRules
from skrynka.journey.inboxes import Inbox, WatchedInbox
from skrynka.logs import Mode
from tests.support.log_lines import lines, listening

WHOLE = b"%PDF-1.7\nsomething\n%%EOF\n"


def watched(folder: Path, *, ordered: bool) -> WatchedInbox:
    rules = SettlingRules(quiet_seconds=5.0, give_up_seconds=60.0)
    return WatchedInbox(Inbox("OBL-01", folder, share=False, rules=rules, sweep_seconds=5.0, ordered=ordered))


def put(folder: Path, name: str, content: bytes, at: int) -> None:
    (folder / name).write_bytes(content)
    os.utime(folder / name, (at, at))


def names(inbox: WatchedInbox, now: float) -> list[str]:
    return [settled.seen.name for settled in inbox.look(now)]


def test_an_ordered_inbox_gives_no_scan_before_an_earlier_one_that_still_settles(tmp_path: Path) -> None:
    inbox = watched(tmp_path, ordered=True)
    put(tmp_path, "1.pdf", WHOLE[:-6], at=100)
    put(tmp_path, "2.pdf", WHOLE, at=200)
    inbox.hint("2.pdf", Arrival.RENAMED_IN)
    assert names(inbox, 1000.0) == []
    assert names(inbox, 1010.0) == []
    assert names(inbox, 1060.0) == ["1.pdf", "2.pdf"]


def test_any_other_inbox_gives_each_scan_as_soon_as_it_has_settled(tmp_path: Path) -> None:
    inbox = watched(tmp_path, ordered=False)
    put(tmp_path, "1.pdf", WHOLE[:-6], at=100)
    put(tmp_path, "2.pdf", WHOLE, at=200)
    inbox.hint("2.pdf", Arrival.RENAMED_IN)
    assert names(inbox, 1000.0) == ["2.pdf"]


def test_an_empty_file_holds_nobody_up(tmp_path: Path) -> None:
    inbox = watched(tmp_path, ordered=True)
    put(tmp_path, "1.pdf", b"", at=100)
    put(tmp_path, "2.pdf", WHOLE, at=200)
    inbox.hint("2.pdf", Arrival.RENAMED_IN)
    assert names(inbox, 1000.0) == ["2.pdf"]


def test_what_can_not_be_taken_is_left_alone_for_a_while_and_does_not_count_as_settling(tmp_path: Path) -> None:
    inbox = watched(tmp_path, ordered=False)
    put(tmp_path, "1.pdf", WHOLE, at=100)
    inbox.hint("1.pdf", Arrival.RENAMED_IN)
    assert names(inbox, 1000.0) == ["1.pdf"]
    assert inbox.settling == 1
    for at, last, next_time in ((1000.0, 1004.0, 1006.0), (1006.0, 1015.0, 1017.0), (1017.0, 1036.0, 1038.0)):
        inbox.refuse("1.pdf", at)
        assert (names(inbox, last), inbox.settling) == ([], 0)
        assert names(inbox, next_time) == ["1.pdf"]


def test_in_an_ordered_inbox_no_scan_overtakes_one_that_can_not_be_taken(tmp_path: Path) -> None:
    inbox = watched(tmp_path, ordered=True)
    put(tmp_path, "1.pdf", WHOLE, at=100)
    put(tmp_path, "2.pdf", WHOLE, at=200)
    for name in ("1.pdf", "2.pdf"):
        inbox.hint(name, Arrival.RENAMED_IN)
    assert names(inbox, 1000.0) == ["1.pdf", "2.pdf"]
    inbox.refuse("1.pdf", 1000.0)
    assert names(inbox, 1003.0) == []
    (tmp_path / "2.pdf").unlink()
    assert names(inbox, 1004.0) == []
    assert (inbox.expecting, inbox.settling) == (True, 1)
    assert names(inbox, 1006.0) == ["1.pdf"]


def test_a_scan_that_somebody_keeps_open_for_long_is_told_once(tmp_path: Path) -> None:
    log = listening(Mode.JSON)
    inbox = watched(tmp_path, ordered=False)
    put(tmp_path, "1.pdf", WHOLE, at=100)
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)  # as the service does: a broken lease sends it
    try:
        with (tmp_path / "1.pdf").open("r+b"):
            for now in (1000.0, 1010.0, 1059.0, 1060.0, 1070.0):
                assert names(inbox, now) == []
        assert names(inbox, 1080.0) == ["1.pdf"]
    finally:
        signal.signal(signal.SIGIO, before)
    told = [(line["event"], line["inbox"], line["waited_seconds"]) for line in lines(log)]
    assert told == [("scan_kept_open", "OBL-01", 60.0)]


def test_a_scan_that_lacks_its_end_is_told_of_once_until_it_goes_on(tmp_path: Path) -> None:
    log = listening(Mode.JSON)
    inbox = watched(tmp_path, ordered=False)
    put(tmp_path, "1.pdf", WHOLE[:-6], at=100)
    for now in (1000.0, 1005.0, 1006.0, 1030.0):
        assert names(inbox, now) == []
    put(tmp_path, "1.pdf", WHOLE[:-5], at=101)
    for now in (1031.0, 1041.0, 1090.0):
        assert names(inbox, now) == []
    assert names(inbox, 1091.0) == ["1.pdf"]
    told = [(line["event"], line["inbox"], line["waited_seconds"], line["left_seconds"]) for line in lines(log)]
    assert told == [("scan_unfinished", "OBL-01", 6.0, 54.0), ("scan_unfinished", "OBL-01", 10.0, 50.0)]


def test_a_hint_makes_the_inbox_due_and_an_ignored_name_does_not(tmp_path: Path) -> None:
    inbox = watched(tmp_path, ordered=False)
    assert names(inbox, 1000.0) == []
    assert inbox.due == 1005.0
    inbox.hint(".hidden", Arrival.CLOSED)
    assert inbox.due == 1005.0
    inbox.hint("scan.pdf", Arrival.CLOSED)
    assert inbox.due == 0.0
