"""Which revision the database is at, and the way to the newest. There is no way back: restore a backup instead."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from skrynka.core.errors import EnvironmentUnfit
from skrynka.store.database import Database
from skrynka.store.views import create_views, drop_views

_SCRIPTS = Path(__file__).parent / "migrations"
_ONE_AT_A_TIME = 0x6D6967726174
"""The advisory lock's key: "migrat" in ASCII."""


def head_revision() -> str:
    """Give the revision that this program works with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:  # pragma: no cover - a wheel without migrations
        raise EnvironmentUnfit("The migrations aren't installed.", "Install Skrynka again.")
    return head


def current_revision(db: Database) -> str | None:
    """Give the revision that the database is at; None for one without tables. Raises DatabaseAway."""
    with db.read() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(db: Database) -> tuple[str | None, str]:
    """Bring the database to the newest revision, in one transaction; give the revision before and after.

    A service calls it for a new SQLite database only: a shared one is upgraded by a person. Raises EnvironmentUnfit
    where the database is newer than this program, DatabaseAway.
    """
    with db.write() as connection:
        if db.shared:
            # Rewriting a table may take longer than a statement of ours otherwise may.
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
        before = MigrationContext.configure(connection).get_current_revision()
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
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if current is not None and current not in known:
        raise EnvironmentUnfit(
            f"The database is at revision {current}, which this program doesn't know.",
            "Upgrade Skrynka on this station too.",
        )


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
