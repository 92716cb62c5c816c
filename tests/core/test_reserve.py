from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from skrynka.core.reserve import InWork, Shortage, Volume, shortage

RESERVE = 500
NAMES = ("spool", "archive", "work", "state", "database")


def one_disk(free: int) -> list[Volume]:
    return [Volume(name, 1, free) for name in NAMES]


def test_a_scan_is_written_four_times_on_one_disk() -> None:
    # Fetched from a share, as an original, in the work folder, as documents.
    assert shortage(one_disk(RESERVE + 400), RESERVE, InWork(), 100) is None
    short = shortage(one_disk(RESERVE + 399), RESERVE, InWork(), 100)
    assert short == Shortage(Volume("spool", 1, RESERVE + 399), RESERVE + 400)


def test_the_scans_in_work_come_first() -> None:
    work = InWork(claimed_bytes=100, registered_bytes=50)
    assert shortage(one_disk(RESERVE + 650), RESERVE, work, 100) is None
    assert shortage(one_disk(RESERVE + 649), RESERVE, work, 100) is not None


def test_the_disk_that_is_full_is_named() -> None:
    volumes = [Volume(name, number, 10_000) for number, name in enumerate(NAMES)]
    for place, name in enumerate(NAMES):
        few = [Volume(each.name, each.device, 499 if each.name == name else each.free_bytes) for each in volumes]
        assert shortage(few, RESERVE, InWork(), 0) == Shortage(few[place], RESERVE)


def test_a_disk_without_inodes_is_full_however_much_room_it_has() -> None:
    few, enough, uncounted = (Volume("spool", 1, 10**12, files) for files in (999, 1000, None))
    assert shortage([few], RESERVE, InWork(), 0) == Shortage(few, RESERVE)
    assert shortage([enough, uncounted], RESERVE, InWork(), 0) is None


def test_a_folder_that_is_away_says_nothing() -> None:
    assert shortage([], RESERVE, InWork(10**9, 10**9), 10**9) is None


sizes = st.integers(0, 10**12)


@given(
    st.lists(st.builds(Volume, st.sampled_from(NAMES), st.integers(0, 3), sizes, st.none()), max_size=6),
    sizes,
    sizes,
    sizes,
)
def test_where_there_is_room_for_a_scan_there_is_room_for_a_smaller_one(
    volumes: list[Volume], claimed: int, registered: int, size: int
) -> None:
    if shortage(volumes, RESERVE, InWork(claimed, registered), size) is None:
        assert shortage(volumes, RESERVE, InWork(claimed // 2, registered // 2), size // 2) is None
        assert all(volume.free_bytes >= RESERVE for volume in volumes)
