from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrynka.core.claims import moment_of, nanoseconds


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_is_told_to_the_microsecond(moment: datetime) -> None:
    assert moment_of(nanoseconds(moment)) == moment


@pytest.mark.parametrize("mtime_ns", [2**63 - 1, -(2**63)])
def test_what_a_file_system_can_write_is_a_moment_before_the_year_10000(mtime_ns: int) -> None:
    assert moment_of(mtime_ns) is not None


def test_what_no_calendar_has_is_no_moment() -> None:
    assert moment_of(10**21) is None
    assert moment_of(-(10**21)) is None
