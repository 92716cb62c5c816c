"""The connection to the database: how transactions begin, how long they may last, and who may write.

SQLite: one writer at a time, in this process by a lock, between processes by BEGIN IMMEDIATE; what is committed is on
the disk (WAL with synchronous=FULL). PostgreSQL: nothing waits for ever, and a deadlock is tried again.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import psycopg
import uuid_utils
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, select
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from skrynka.core.errors import ConfigurationError, DatabaseAway, DatabaseDamaged, DatabaseRefused, EnvironmentUnfit
from skrynka.store.failures import sqlite_connection_spoilt, translated, worth_repeating
from skrynka.store.filesystems import network_filesystem
from skrynka.store.sqlite_file import SqliteFile, require_no_log_beside, require_not_lost

T = TypeVar("T")

_BUSY_SECONDS = 30
"""How long SQLite waits for another process's transaction; ours last milliseconds, a backup's a little longer."""
_CACHE_KILOBYTES = 512
"""Of each SQLite connection, and every thread has one: full soon, so that a service doesn't grow with its database."""
_WRITES = "skrynka_writes"
_PASSWORD = "PGPASSWORD"  # noqa: S105 - a variable's name
_ATTEMPTS = 6
_USED_AT = "used_at"
_FRESH_SECONDS = 1.0
"""A connection that was used within it isn't asked whether it lives: that costs as much as most of what follows."""

# Keepalives find a server that went away without a word after 30 + 3 * 10 seconds.
_POSTGRES = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "application_name": "skrynka",
    "options": "-c timezone=UTC -c statement_timeout=60s -c lock_timeout=15s"
    " -c idle_in_transaction_session_timeout=60s",
}


def new_id() -> str:
    """Give a new UUIDv7, as text: ids sort by the time they were made."""
    return str(uuid_utils.uuid7())


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Database:
    """A database that is open. Safe to use from several threads; transactions don't nest."""

    def __init__(
        self,
        engine: Engine,
        clock: Callable[[], datetime],
        file: Path | None = None,
        *,
        give_up_damaged: bool = False,
    ) -> None:
        """`file` is a SQLite database's. Raises DatabaseAway where it isn't there.

        `give_up_damaged`: once it was found damaged, nothing more is asked of it, nor written into it.
        """
        self._give_up_damaged = give_up_damaged
        self._damaged: DatabaseDamaged | None = None
        self._engine = engine
        self._clock = clock
        self._path = file
        self._file = SqliteFile(file) if file is not None else None
        self._writer = threading.Lock() if engine.dialect.name == "sqlite" else nullcontext()

    @property
    def engine(self) -> str:
        """Say which engine it is: "sqlite" or "postgresql"."""
        return self._engine.dialect.name

    @property
    def shared(self) -> bool:
        """Say whether other stations may use it too: work is leased then, and a service doesn't migrate it."""
        return self.engine == "postgresql"

    @property
    def file_identity(self) -> tuple[int, int] | None:
        """Device and inode of SQLite's file, wherever it lies now; None for a server's database."""
        return None if self._file is None else self._file.identity

    def now(self) -> datetime:
        """Give the time to write into rows, in UTC."""
        return self._clock()

    def reach(self) -> None:
        """Ask the database for nothing. Raises DatabaseAway."""
        with self.read() as connection:
            connection.execute(select(1))

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection in a transaction that is undone at the end. Raises DatabaseAway."""
        with self._translated():
            self._require_file()
            with self._engine.connect() as connection:
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection in a transaction that is committed at the end, and undone by an exception.

        Raises DatabaseAway (then whether it was committed isn't known) and DatabaseRefused.
        """
        with self._translated(), self._transaction() as connection:
            yield connection

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Call `work` in a transaction and commit it; again, where the engine undid it for a deadlock.

        `work` must do nothing but talk to the database. Raises as `write` does, and what `work` raises.
        """
        with self._translated():
            try:
                return self._once(work)
            except DBAPIError as error:
                if not worth_repeating(error):
                    raise
            done: T = _again(self._once, work)
        return done

    @property
    def replaced(self) -> bool:
        """Say whether another file lies in the place of the one that was opened."""
        return self._file is not None and self._file.replaced

    def take_replacement(self, require_fit: Callable[[Database], None]) -> None:
        """Go on with the file that lies in the place of the one that was opened, a backup mostly.

        `require_fit` raises EnvironmentUnfit for a file that isn't ours. Raises DatabaseAway, and stays with the lost
        one, where it does, and where the lost one's log would be taken for the new one's.
        """
        if self._file is None or self._path is None:
            return
        self._engine.dispose()
        require_no_log_beside(self._path)
        found = SqliteFile(self._path)
        trial = Database(_untouching_engine(self._path), self._clock)
        try:
            require_fit(trial)
            # What was looked at, and not what came in its place, or beside it, meanwhile.
            found.require()
            require_no_log_beside(self._path)
        except (DatabaseDamaged, DatabaseRefused):
            raise _another_file("It can't be read.") from None
        except DatabaseAway:
            raise
        except EnvironmentUnfit as unfit:
            raise _another_file(unfit.message) from None
        finally:
            trial.close()
        before, self._file = self._file, found
        self._damaged = None
        before.release()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()
        if self._file is not None:
            self._file.release()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            with translated():
                yield
        except DatabaseDamaged as damaged:
            if self._give_up_damaged:
                self._damaged = damaged
            raise

    def _require_file(self) -> None:
        if self._damaged is not None:
            raise DatabaseDamaged(self._damaged.code)
        if self._file is None:
            return
        try:
            self._file.require()
        except DatabaseAway:
            # SQLite would write on into the file that nobody finds. Closed so, it leaves the log where it is: what was
            # committed comes back with the file (`databaseIsUnmoved` in pager.c).
            self._engine.dispose()
            raise

    def _once(self, work: Callable[[Connection], T]) -> T:
        with self._transaction() as connection:
            return work(connection)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        self._require_file()
        # _WRITES is read by `_begin_sqlite`, which the first statement calls.
        with (
            self._writer,
            self._engine.connect().execution_options(**{_WRITES: True}) as connection,
            connection.begin(),
        ):
            yield connection
            # Once more: what is committed into a file that has just gone would be told as kept.
            self._require_file()


def _another_file(why: str) -> DatabaseAway:
    return DatabaseAway(
        f"Another file lies in the database's place. {why}",
        "Bring the station's own file back, or a backup of it.",
        "another_file",
    )


_again = Retrying(
    retry=retry_if_exception(worth_repeating),
    wait=wait_random_exponential(multiplier=0.02, max=1),
    stop=stop_after_attempt(_ATTEMPTS - 1),
    reraise=True,
)


def open_database(
    url: str, *, create: bool = False, clock: Callable[[], datetime] = _utc_now, give_up_damaged: bool = False
) -> Database:
    """Open `sqlite:////path/to/file` or `postgresql://user@host/name`; nothing is asked of a server yet.

    `create` makes a SQLite file that isn't there (0640: it names people's papers). Raises ConfigurationError for
    another kind of URL, EnvironmentUnfit for a SQLite file that isn't there or lies on a network file system.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigurationError("`database.url` isn't a URL.", _URL_REMEDY) from None
    match parsed.get_backend_name():
        case "sqlite":
            path = _sqlite_path(parsed, create=create)
            return Database(_sqlite_engine(path), clock, path, give_up_damaged=give_up_damaged)
        case "postgresql" | "postgres":
            return Database(_postgresql(parsed), clock)
        case _:
            raise ConfigurationError("`database.url` names an engine that isn't known.", _URL_REMEDY)


_URL_REMEDY = "Write sqlite:////path/to/skrynka.db or postgresql://user@host/database."


def _sqlite_path(url: URL, *, create: bool) -> Path:
    if not url.database or url.database == ":memory:":
        raise ConfigurationError("`database.url` names no file.", _URL_REMEDY)
    path = Path(url.database)
    folder = path.absolute().parent
    if not folder.is_dir():
        raise EnvironmentUnfit("The folder of the database isn't there.", "Make it, or correct `database.url`.")
    kind = network_filesystem(folder)
    if kind is not None:
        raise EnvironmentUnfit(
            f"The SQLite database would lie on a network file system ({kind}), where its locks mean nothing.",
            "Put it on a local disk, or use PostgreSQL.",
        )
    require_not_lost(path, create=create)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o640))
    return path


def _sqlite_engine(path: Path) -> Engine:
    # "rw": a file that has gone isn't made anew by whoever connects next.
    engine = create_engine(_sqlite_url(path, mode="rw"), hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "handle_error", _give_up_spoilt_sqlite)
    return engine


def _untouching_engine(path: Path) -> Engine:
    """Give an engine that reads a file without a log, and touches nothing beside it.

    While another would look, a person may put the lost file and its log back: SQLite would use that log as its own,
    and remove it by its name in the end.
    """
    return create_engine(_sqlite_url(path, mode="ro", immutable="1"), hide_parameters=True)


def _sqlite_url(path: Path, **query: str) -> URL:
    name = f"file:{quote(str(path.absolute()))}"
    return URL.create("sqlite+pysqlite", database=name, query={**query, "uri": "true"})


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's connection
    # The driver's own idea of when a transaction begins is switched off: `_begin_sqlite` says so.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout={_BUSY_SECONDS * 1000}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"cache_size=-{_CACHE_KILOBYTES}",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _give_up_spoilt_sqlite(context: ExceptionContext) -> None:
    # Kept in the pool, such a connection would fail whoever is given it next, for as long as the service runs.
    if sqlite_connection_spoilt(context.original_exception):
        context.is_disconnect = True


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later can't wait for another writer: so writers say it at once.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql(url: URL) -> Engine:
    if url.password is None and _PASSWORD in os.environ:
        # libpq would look for it anew at every connection; a service takes it out of the environment.
        url = url.set(password=os.environ[_PASSWORD])
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"), hide_parameters=True, pool_timeout=30, connect_args=_POSTGRES
    )
    event.listen(engine, "connect", _note_use)
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", partial(_require_alive, engine))
    return engine


def _note_use(_connection: Any, record: ConnectionPoolEntry) -> None:  # noqa: ANN401 - the driver's connection
    record.info[_USED_AT] = time.monotonic()


def _require_alive(
    engine: Engine,
    connection: Any,  # noqa: ANN401 - the driver's connection
    record: ConnectionPoolEntry,
    _proxy: PoolProxiedConnection,
) -> None:
    """Have all connections made anew where this one has died since it was used: the others most likely have, too."""
    if time.monotonic() - record.info[_USED_AT] < _FRESH_SECONDS:
        return
    try:
        engine.dialect.do_ping(connection)
    except psycopg.Error as error:
        raise InvalidatePoolError from error
