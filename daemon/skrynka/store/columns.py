"""The language of tables and migrations: column types and constraints that mean the same on both engines.

A migration that was released uses it too, so what stands here keeps its meaning for good.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    Dialect,
    Double,
    Index,
    Integer,
    MetaData,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.types import REAL, TypeEngine

NAMES = {
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
}
"""Every constraint has a name, so that a later migration can speak of it on both engines."""

metadata = MetaData(naming_convention=NAMES)
"""Holds the tables as this version declares them (`tables`, `case_tables`)."""


class Timestamp(TypeDecorator[datetime]):
    """A moment, in UTC with its time zone.

    `timestamptz` on PostgreSQL. SQLite has no such type: there it is text such as
    `2026-03-01T08:14:05.000000+00:00`, always this long, so that comparing texts compares moments.
    A moment without a time zone is refused with ValueError: nobody knows when it was.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose text where there is no type for moments."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ANN401 - the driver's type
        """Give the moment as the engine keeps it."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        moment = value.astimezone(UTC)
        return moment.isoformat(timespec="microseconds") if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ANN401 - the driver's type
        """Give the moment in UTC."""
        if value is None:
            return None
        moment = datetime.fromisoformat(value) if dialect.name == "sqlite" else value
        return moment.astimezone(UTC)


class Day(TypeDecorator[date]):
    """A calendar day: `date` on PostgreSQL, text such as `2026-03-01` on SQLite."""

    impl = Date
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose text where there is no type for days."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Date())

    def process_bind_param(self, value: date | None, dialect: Dialect) -> Any:  # noqa: ANN401 - the driver's type
        """Give the day as the engine keeps it."""
        return value.isoformat() if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:  # noqa: ANN401 - the driver's type
        """Give the day."""
        return date.fromisoformat(value) if value is not None and dialect.name == "sqlite" else value


class Flag(TypeDecorator[bool]):
    """Yes or no: `boolean` on PostgreSQL, 1 or 0 on SQLite (`is_flag` keeps other figures out)."""

    impl = Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose integers where there is no type for truth."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else Boolean())

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> Any:  # noqa: ANN401, FBT001 - SQLAlchemy's
        """Give the truth as the engine keeps it."""
        return int(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:  # noqa: ANN401, ARG002 - the driver's
        """Give the truth."""
        return None if value is None else bool(value)


def real() -> TypeEngine[float]:
    """Give the type of measured figures: eight bytes on both engines."""
    return Double().with_variant(REAL(), "sqlite")


def large() -> TypeEngine[int]:
    """Give the type of figures that outgrow four bytes: every INTEGER of SQLite has eight."""
    return BigInteger().with_variant(Integer(), "sqlite")


def one_of(column: str, *values: str) -> CheckConstraint:
    """Allow these values only (and NULL, where the column allows that)."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def is_flag(column: str) -> CheckConstraint:
    """Allow 1 and 0 only, on SQLite: PostgreSQL has a type for that."""
    return CheckConstraint(f"{column} IN (0, 1)", name=f"{column}_flag").ddl_if(dialect="sqlite")


def is_id(column: str = "id") -> CheckConstraint:
    """Allow texts as long as a UUID only."""
    return CheckConstraint(f"length({column}) = 36", name=f"{column}_uuid")


def is_hash(column: str = "sha256") -> CheckConstraint:
    """Allow texts as long as a SHA-256 in hexadecimal only."""
    return CheckConstraint(f"length({column}) = 64", name=f"{column}_hash")


def rule(name: str, condition: str) -> CheckConstraint:
    """Make a state that the condition doesn't hold for impossible."""
    return CheckConstraint(condition, name=name)


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """Index the rows that the condition holds for, only."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))
