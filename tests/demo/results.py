"""What became of the scans: asked of the program as anybody would ask, and held against what was drawn."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from skrynka.cli.output import show_table
from skrynka.core.reasons import ReviewReason
from tests.demo.material import BILL, DemoScan, TrueCase
from tests.demo.station import DemoStation
from tests.demo.telling import Teller
from tests.support.oracle import cases_in_order, misfits, query

_CASES = "SELECT case_id, number, case_type FROM case_overview ORDER BY station_code, stack_number, ordinal"
_DOCUMENTS = "SELECT kinds FROM case_document WHERE case_id = '{}' ORDER BY ordinal"
_ENDS = ("document", "sheet", "blank", "duplicate", "quarantined")
_ACCOUNT = """
SELECT page_account.*, scan.original_name FROM page_account JOIN scan ON scan.id = page_account.scan_id
ORDER BY page_account.station_code, page_account.scan_number
"""


@dataclass(frozen=True, slots=True)
class Results:
    """What the program answers when it is asked with --json."""

    cases: list[dict[str, Any]]
    quarantined: list[dict[str, Any]]


def show_results(station: DemoStation, teller: Teller) -> Results:
    """Show the cases, what waits for a person and why, what is in quarantine and why, and the page account."""
    found = Results(station.ask("cases", "list"), station.ask("quarantine", "list"))
    teller.chapter("The cases")
    station.show("cases", "list")
    teller.chapter("What waits for review, and why")
    _show_reviews(found.cases, teller)
    teller.chapter("What is in quarantine, and why")
    for scan in found.quarantined:
        teller.item(scan["scan"], f" from {scan['box']}: {scan['sentence']}")
        teller.text(f"    What to do: {scan['remedy']}")
    teller.chapter("The page account")
    _show_account(station, teller)
    return found


def judge(station: DemoStation, scans: Sequence[DemoScan]) -> list[str]:
    """Say whatever isn't as it was drawn, a sentence each.

    Every drawn page is looked for in the stored documents by the row of black and white cells at its foot, and every
    case must hold just the pages that were laid into its envelope.
    """
    truths = [scan.truth for scan in scans]
    cases = [case for scan in scans for case in scan.cases]
    wrong = misfits(
        station.database,
        station.archive,
        truths,
        [case.page_ids for case in cases],
        empty_folders=station.must_be_empty,
    )
    for row in query(station.database, "SELECT scan_number FROM page_account WHERE NOT balanced"):
        wrong.append(f"the account of scan {row['scan_number']} doesn't balance")
    return [*wrong, *_misjudged(station, cases)]


def _misjudged(station: DemoStation, cases: Sequence[TrueCase]) -> Iterator[str]:
    """Say which cases have another type, or documents of other kinds, than were laid into the envelope."""
    true = {case.page_ids: case for case in cases}
    rows = query(station.database, _CASES)
    for row, page_ids in zip(rows, cases_in_order(station.database, station.archive), strict=True):
        case = true.get(tuple(page_ids))
        if case is None:
            continue
        documents = query(station.database, _DOCUMENTS.format(row["case_id"]))
        kinds = tuple(document["kinds"] for document in documents)
        if (row["case_type"], kinds) != (case.case_type, case.documents):
            yield (
                f"case {row['number']} is {row['case_type']} with {', '.join(kinds)}; "
                f"it was drawn as {case.case_type} with {', '.join(case.documents)}"
            )


def say_what_next(station: DemoStation, scans: Sequence[DemoScan], found: Results, teller: Teller) -> None:
    """Name the commands to try next; they all work on what the demo has left."""
    held = next(case["number"] for case in found.cases if case["held"])
    complete = next(case["number"] for case in found.cases if case["completeness"] == "complete")
    bill = next(scan for scan in scans if scan.path.name == BILL)
    spoilt = found.quarantined[0]["scan"]
    for why, command in (
        ("A case that waits for a person:", station.typed("cases", "show", held)),
        ("A case's papers, as files:", station.typed("documents", "export", complete, str(station.folder / "papers"))),
        ("What would become of a scan:", station.without_station("inspect", str(bill.path))),
        ("Why a scan is in quarantine:", station.typed("quarantine", "show", spoilt)),
        ("How the work stands:", station.typed("status")),
    ):
        teller.item(why)
        teller.command(shlex.split(command))


def _show_reviews(cases: Sequence[dict[str, Any]], teller: Teller) -> None:
    waiting: dict[str, list[str]] = {}
    for case in cases:
        for reason in case["review"]:
            waiting.setdefault(reason, []).append(case["number"])
    for reason, numbers in waiting.items():
        teller.item(reason, f": {ReviewReason(reason).sentence}")
        teller.text(f"    {', '.join(numbers)}")


def _show_account(station: DemoStation, teller: Teller) -> None:
    """Show the view that other systems read too."""
    rows = query(station.database, _ACCOUNT)
    totals = Counter[str]()
    shown: list[tuple[object, ...]] = []
    for row in rows:
        counts = {end: row[f"{end}_pages"] for end in _ENDS}
        totals.update(counts, pages=row["page_count"] or 0)
        pages = "?" if row["page_count"] is None else row["page_count"]
        name = f"{row['station_code']}-{row['scan_number']}"
        ends = (count or "" for count in counts.values())
        shown.append((name, row["box_code"], row["original_name"], row["state"], pages, *ends))
    shown.append(("all", "", "", "", totals["pages"], *(totals[end] for end in _ENDS)))
    show_table(("scan", "box", "file", "state", "pages", *_ENDS), shown)
    terms = " + ".join(f"{totals[end]} {end}" for end in _ENDS if totals[end])
    teller.text(f"{totals['pages']} pages = {terms}")
