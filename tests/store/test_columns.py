from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, insert, select, text
from sqlalchemy.exc import StatementError

from skrynka.store.columns import Day, Flag, Timestamp
from skrynka.store.database import Database

sample = Table(
    "sample",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("at", Timestamp),
    Column("day", Day),
    Column("flag", Flag),
)
KYIV_WINTER = timezone(timedelta(hours=2))


@pytest.fixture
def samples(database: Database) -> Database:
    with database.write() as connection:
        sample.create(connection)
    return database


def test_values_come_back_as_they_went_in(samples: Database) -> None:
    moment = datetime(2026, 3, 2, 10, 14, 5, 120, tzinfo=KYIV_WINTER)
    with samples.write() as connection:
        connection.execute(insert(sample).values(id=1, at=moment, day=date(2026, 3, 2), flag=True))
        connection.execute(insert(sample).values(id=2, at=None, day=None, flag=None))
        rows = connection.execute(select(sample).order_by(sample.c.id)).all()
    assert tuple(rows[0]) == (1, moment, date(2026, 3, 2), True)
    assert rows[0].at.tzinfo is UTC
    assert tuple(rows[1]) == (2, None, None, None)


def test_a_moment_without_a_time_zone_is_refused(samples: Database) -> None:
    with pytest.raises(StatementError, match="time zone"), samples.write() as connection:
        connection.execute(insert(sample).values(id=1, at=datetime(2026, 3, 2)))  # noqa: DTZ001 - what is tested


_OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.lists(st.datetimes(timezones=_OFFSETS), min_size=2, max_size=5))
def test_texts_of_moments_sort_as_the_moments_do(moments: list[datetime]) -> None:
    dialect = create_engine("sqlite://").dialect
    try:
        texts = [Timestamp().process_bind_param(moment, dialect) for moment in moments]
    except OverflowError:
        return  # the first and last hours that a datetime knows have no UTC
    assert {len(each) for each in texts} == {len("2026-03-01T08:14:05.000000+00:00")}
    assert sorted(texts) == [Timestamp().process_bind_param(moment, dialect) for moment in sorted(moments)]
    assert [Timestamp().process_result_value(each, dialect) for each in texts] == moments


@pytest.mark.parametrize("engine", ["sqlite"])
def test_sqlite_keeps_moments_and_days_as_text(samples: Database) -> None:
    with samples.write() as connection:
        moment = datetime(2026, 3, 2, 10, 14, tzinfo=KYIV_WINTER)
        connection.execute(insert(sample).values(id=1, at=moment, day=date(2026, 3, 2), flag=True))
        kept = connection.execute(text("SELECT at, day, flag FROM sample")).one()
    assert tuple(kept) == ("2026-03-02T08:14:00.000000+00:00", "2026-03-02", 1)
