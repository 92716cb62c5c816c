from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from skrynka.store.database import open_database
from tests.support.databases import migrate
from tests.support.durable_calls import DurableCalls

WRITES_TWICE = """
import sys
from sqlalchemy import text
from skrynka.core.errors import DatabaseAway
from skrynka.store.database import open_database

database = open_database(sys.argv[1])
for _ in range(2):
    try:
        with database.write() as connection:
            connection.execute(text("UPDATE station SET name = name"))
        print("written")
    except DatabaseAway as away:
        print(away.message)
"""


def test_a_connection_that_found_the_log_closed_to_writers_is_not_used_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'skrynka.db'}"
    migrate(url)
    made = tmp_path / "made"
    made.mkdir()
    calls = DurableCalls(made)
    database = open_database(url)
    try:
        # Somebody else has it open, as other threads have in the service: so its WAL is there to be opened.
        with database.read() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM station").scalar()
            calls.fail(None, tmp_path, 1, 28)
            told = subprocess.run(
                [sys.executable, "-c", WRITES_TWICE, url],
                env=os.environ | calls.environment,
                capture_output=True,
                text=True,
                check=True,
            )
    finally:
        database.close()
    assert calls.hit == "openat skrynka.db-wal"
    assert told.stdout.splitlines()[1:] == ["written"], told.stdout
    assert told.stdout.startswith("The database can't be used now (SQLITE_")
