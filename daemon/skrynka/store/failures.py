"""What the drivers' errors mean to us. Theirs quote rows and values; ours never do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from skrynka.core.errors import DatabaseAway, DatabaseDamaged, DatabaseRefused

_REMEDY = "Look whether the database server runs and can be reached; nothing is lost meanwhile."
_LOCAL_REMEDY = "Look at the free space, the rights and the health of the disk that the database lies on."

# SQLite's result codes: locked by another process, the disk fails, is full, or the file can't be opened or written.
_SQLITE_AWAY = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_FULL", "SQLITE_CANTOPEN", "SQLITE_READONLY")
_SQLITE_DAMAGED = "SQLITE_CORRUPT"
_SQLITE_SPOILT = ("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY", _SQLITE_DAMAGED, "SQLITE_NOTADB")
_SQLITE_KINDS = {
    "SQLITE_CONSTRAINT_UNIQUE": "unique",
    "SQLITE_CONSTRAINT_PRIMARYKEY": "unique",
    "SQLITE_CONSTRAINT_CHECK": "check",
    "SQLITE_CONSTRAINT_FOREIGNKEY": "foreign_key",
    "SQLITE_CONSTRAINT_NOTNULL": "not_null",
}
_SQLITE_NAMED = re.compile(r"[A-Z ]+ constraint failed: ([\w., ]+)")

# PostgreSQL's error classes: 08 connection, 53 resources, 57 operator intervention (a time-out, a shutdown), 58 system.
# 25006: a server that only reads, as a standby does before it takes over.
_POSTGRES_AWAY = ("08", "25006", "53", "57", "58")
_POSTGRES_LOCK_TIMEOUT = "55P03"
_POSTGRES_KINDS = {"23505": "unique", "23514": "check", "23503": "foreign_key", "23502": "not_null"}
_POSTGRES_AGAIN = ("40001", "40P01")
"""Serialization failure and deadlock: the transaction is undone, and the same one again is likely to succeed."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn the drivers' errors into DatabaseAway and DatabaseRefused.

    "from None": a traceback would print the driver's own message, and with it the row it is about.
    """
    try:
        yield
    except PoolExhausted:
        raise DatabaseAway("All connections to the database are in use.", _REMEDY) from None
    except DBAPIError as error:
        raise _translation(error) from None


def worth_repeating(error: BaseException) -> bool:
    """Tell whether the engine undid a transaction only because it met another one."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _POSTGRES_AGAIN


def sqlite_connection_spoilt(error: BaseException) -> bool:
    """Tell whether the connection itself may be what fails, and a new one may not.

    Where a file can't be opened for writing SQLite opens it for reading, and the connection stays so
    (`unixOpen` in os_unix.c; a WAL that is open for reading only refuses writers in wal.c).
    """
    return (getattr(error, "sqlite_errorname", None) or "").startswith(_SQLITE_SPOILT)


def _translation(error: DBAPIError) -> DatabaseAway | DatabaseRefused:
    if isinstance(error.orig, psycopg.Error):
        return _from_postgres(error.orig, gone=error.connection_invalidated)
    return _from_sqlite(error.orig)


def _from_sqlite(cause: BaseException | None) -> DatabaseAway | DatabaseRefused:
    # Errors that the sqlite3 module raises by itself have no code.
    code: str = getattr(cause, "sqlite_errorname", None) or type(cause).__name__
    if code == "SQLITE_NOTADB":
        return DatabaseAway("What is there is no database of ours.", "Look at `database.url`.", "another_file")
    if code.startswith(_SQLITE_DAMAGED):
        return DatabaseDamaged(code)
    if code.startswith(_SQLITE_AWAY):
        return DatabaseAway(f"The database can't be used now ({code}).", _LOCAL_REMEDY)
    named = _SQLITE_NAMED.fullmatch(str(cause))
    return DatabaseRefused(_SQLITE_KINDS.get(code, "other"), named[1] if named else code)


def _from_postgres(cause: psycopg.Error, *, gone: bool) -> DatabaseAway | DatabaseRefused:
    state = cause.sqlstate
    no_answer = state is None and isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
    if gone or no_answer:
        return DatabaseAway("The database can't be reached.", _REMEDY)
    if state is not None and (state.startswith(_POSTGRES_AWAY) or state == _POSTGRES_LOCK_TIMEOUT):
        return DatabaseAway(f"The database can't be used now (SQLSTATE {state}).", _REMEDY)
    return DatabaseRefused(_POSTGRES_KINDS.get(state or "", "other"), cause.diag.constraint_name or state or "")
