"""Which revision the database is at, and the way to the newest. There is no way back: restore a backup instead."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from skrynka.core.errors import EnvironmentUnfit
from skrynka.store.database import Database
from skrynka.store.views import create_views, drop_views

if TYPE_CHECKING:
    from alembic.config import Config

_SCRIPTS = Path(__file__).parent / "migrations"
_TABLE = "alembic_version"
_ONE_AT_A_TIME = 0x6D6967726174
"""The advisory lock's key: "migrat" in ASCII."""


def head_revision() -> str:
    """Give the revision that this program works with."""
    known = _revisions()
    if not known:  # pragma: no cover - a wheel without migrations
        raise EnvironmentUnfit("The migrations aren't installed.", "Install Skrynka again.")
    return known[-1]


def current_revision(db: Database) -> str | None:
    """Give the revision that the database is at; None for one without tables. Raises DatabaseAway."""
    with db.read() as connection:
        return _current(connection)


def upgrade(db: Database) -> tuple[str | None, str]:
    """Bring the database to the newest revision, in one transaction; give the revision before and after.

    A service calls it for a new SQLite database only: a shared one is upgraded by a person. Raises EnvironmentUnfit
    where the database is newer than this program, DatabaseAway.
    """
    # Imported here: it costs a service, which only asks how the database stands, 12 MB.
    from alembic import command  # noqa: PLC0415 - see above

    with db.write() as connection:
        if db.shared:
            # Rewriting a table may take longer than a statement of ours otherwise may.
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
        before = _current(connection)
        _refuse_newer(before)
        drop_views(connection)
        command.upgrade(_config(connection), "head")
        create_views(connection)
    return before, head_revision()


def require_head(db: Database) -> None:
    """Raise EnvironmentUnfit unless the database is at the revision that this program works with; or DatabaseAway."""
    current = current_revision(db)
    _refuse_newer(current)
    if current != head_revision():
        raise EnvironmentUnfit(
            f"The database is at revision {current or 'none'}, and this program works with {head_revision()}.",
            "Stop the other stations, make a backup, and run `skrynka db upgrade`.",
        )


def _refuse_newer(current: str | None) -> None:
    if current is not None and current not in _revisions():
        raise EnvironmentUnfit(
            f"The database is at revision {current}, which this program doesn't know.",
            "Upgrade Skrynka on this station too.",
        )


def _revisions() -> list[str]:
    """Give the revisions that there are, in order: each migration's file begins with its own."""
    return sorted(path.name.partition("_")[0] for path in (_SCRIPTS / "versions").glob("[0-9]*.py"))


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_TABLE):
        return None
    current: str | None = connection.scalar(text(f"SELECT version_num FROM {_TABLE}"))  # noqa: S608 - alembic's name
    return current


def _config(connection: Connection) -> Config:
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
