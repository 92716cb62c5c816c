from __future__ import annotations

import json

from skrynka.logs import Mode
from skrynka.outages import Outages
from tests.support.log_lines import listening


def test_the_database_and_the_archive_are_told_apart_on_change_and_while_it_lasts() -> None:
    stream = listening(Mode.JSON)
    clock = [0.0]
    outages = Outages(lambda: clock[0])
    for clock[0], database, archive in (
        (0.0, True, False),
        (5.0, True, True),
        (310.0, True, False),
        (315.0, False, False),
    ):
        outages.tell("database", away=database, waiting=3, free_bytes=10**9)
        outages.tell("archive", away=archive, waiting=3, free_bytes=10**9, error="EROFS")
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], line["message"]) for line in told] == [
        ("database_lost", "the database is away; 3 claimed and waiting, 1.0 GB free for more"),
        ("archive_lost", "the archive is away: EROFS; 3 claimed and waiting, 1.0 GB free for more"),
        ("database_lost", "the database is away for 310 s now; 3 claimed and waiting, 1.0 GB free for more"),
        ("archive_returned", "the archive is back after 305 s, 3 to archive"),
        ("database_returned", "the database is back after 315 s, 3 to register"),
    ]
    assert outages.away == []


def test_that_it_is_away_for_another_reason_is_told_at_once_and_once() -> None:
    stream = listening(Mode.JSON)
    clock = [0.0]
    outages = Outages(lambda: clock[0])
    errors = ("not_there", "not_there", None, "another_file", "not_there", "another_file")
    for clock[0], error in zip((0.0, 5.0, 10.0, 15.0, 20.0, 25.0), errors, strict=True):
        outages.tell("database", away=True, waiting=3, free_bytes=10**9, error=error)
    outages.tell("database", away=False, waiting=3, free_bytes=10**9)
    outages.tell("database", away=True, waiting=3, free_bytes=10**9, error="another_file")
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], line.get("error"), line.get("seconds")) for line in told] == [
        ("database_lost", "not_there", None),
        ("database_lost", "another_file", 15.0),
        ("database_returned", None, 25.0),
        ("database_lost", "another_file", None),
    ]
