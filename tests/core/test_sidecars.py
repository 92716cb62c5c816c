from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrynka.core.formats import FileType
from skrynka.core.sidecars import ToldScan, differences, readable_name, sidecar_of, told_scan

SCAN = ToldScan(
    "id", 7, "ST-1", "OBL-01", "скан.pdf", datetime(2026, 3, 2, 8, 14, 5, 123456, UTC), "a" * 64, 1000, FileType.PDF
)


@given(
    st.builds(
        ToldScan,
        id=st.uuids().map(str),
        number=st.integers(1),
        station=st.text("AB1-", min_size=1),
        box=st.text("AB1-", min_size=1),
        original_name=st.text(),
        claimed_at=st.datetimes(timezones=st.just(UTC)),
        sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
        size_bytes=st.integers(0),
        file_type=st.sampled_from([None, *FileType]),
        written_at=st.none() | st.datetimes(timezones=st.just(UTC)),
        after_gap=st.booleans(),
    )
)
def test_what_is_written_is_what_is_read(scan: ToldScan) -> None:
    assert told_scan(sidecar_of(scan)) == scan


def test_a_scan_is_named_as_people_do() -> None:
    assert SCAN.name == "ST-1-7"


def test_a_name_that_is_no_utf_8_is_as_the_database_has_it() -> None:
    written = json.dumps(
        {**json.loads(sidecar_of(SCAN)), "original_name": b"\xff\xfe.pdf".decode("utf-8", "surrogateescape")}
    )
    assert told_scan(written.encode()).original_name == "\\xff\\xfe.pdf" == readable_name("\udcff\udcfe.pdf")


@pytest.mark.parametrize(
    "change",
    [
        {"number": 0},
        {"number": "seven"},
        {"claimed_at": "2026-03-02T08:14:05"},
        {"claimed_at": "yesterday"},
        {"claimed_at": None},
        {"file_type": "docx"},
        {"size_bytes": None},
    ],
)
def test_what_says_something_else_is_no_sidecar_and_is_not_echoed(change: dict[str, object]) -> None:
    told = json.dumps({**json.loads(sidecar_of(SCAN)), **change}).encode()
    with pytest.raises(ValueError, match=r"\Ano sidecar of a scan\Z"):
        told_scan(told)


@pytest.mark.parametrize("told", [b"", b"\xff", b"[]", b"{}", b'"text"'])
def test_what_is_no_record_at_all_is_no_sidecar(told: bytes) -> None:
    with pytest.raises(ValueError, match="no sidecar"):
        told_scan(told)


def test_differences_are_named_and_not_told() -> None:
    assert differences(SCAN, SCAN) == ()
    assert differences(SCAN, replace(SCAN, original_name="Приходько.pdf", number=8)) == ("number", "original_name")
