from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from tests.faults.power_cut import cuts, without_folder_fsyncs
from tests.faults.row import Injected
from tests.faults.suite import first_faults

POINTS = 20
"""Half of them with all on one disk, half with archive and database on disks of their own."""
MOST = 3 * POINTS
"""It ends with the first loss, and about each fifth cut is one; others double a scan, or come to nothing."""
GONE = re.compile(r"0 originals of scan|page \d+ is stored 0 times|a document isn't in the archive")
UNKNOWN = re.compile(r"0 rows for a scan dropped")
"""What the judge says of papers that are lost. That they came out late, or twice, isn't the same."""


def loses_papers(injected: Injected) -> bool:
    """Say whether a scan, a page or a document is gone: what still lies in an inbox or in the spool isn't lost."""
    waits = any(sentence.startswith("left behind") for sentence in injected.wrong)
    return any(map(GONE.match, injected.wrong)) or (any(map(UNKNOWN.match, injected.wrong)) and not waits)


def test_nothing_is_lost_when_the_power_is_cut_at_any_moment(tmp_path: Path) -> None:
    found = first_faults(cuts, tmp_path, POINTS)
    assert [injected for injected in found if injected.wrong] == []
    assert len(found) == POINTS


def test_without_the_fsyncs_of_folders_such_power_cuts_lose_papers(tmp_path: Path) -> None:
    source = without_folder_fsyncs(tmp_path)
    found = first_faults(partial(cuts, source=source), tmp_path, MOST, last=loses_papers)
    assert [injected for injected in found if loses_papers(injected)], [injected.wrong for injected in found]
