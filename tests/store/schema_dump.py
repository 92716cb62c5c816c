"""The schema of a database as the engine tells it, so that two ways of making it can be compared."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from sqlalchemy import make_url

from skrynka.store.database import Database

_SPACES = re.compile(r"\s+")


def dump_sqlite(db: Database) -> dict[str, str]:
    """Give each table, index, view and trigger with the text it was made by."""
    with db.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT type, name, sql FROM sqlite_schema WHERE name <> 'alembic_version' AND sql IS NOT NULL"
        ).all()
    return {f"{kind} {name}": _SPACES.sub(" ", sql).strip() for kind, name, sql in rows}


def dump_postgres(url: str, pg_dump: Path) -> list[str]:
    """Give the statements of pg_dump; it sorts objects by itself."""
    parsed = make_url(url)
    dumped = subprocess.run(
        [
            pg_dump,
            "--schema-only",
            "--no-owner",
            "--exclude-table=alembic_version",
            "--restrict-key=same",
            f"--dbname={parsed.render_as_string(hide_password=False)}",
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [line for line in dumped.splitlines() if line and not line.startswith("--")]
