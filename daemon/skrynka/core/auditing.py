"""What is told of an audit, and what makes an account wrong: figures in, flaws out.

The figures are counted from the rows of pages; no view and no counter is believed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from skrynka.core.flaws import Flaw, FoundFlaw, Weight


@dataclass(frozen=True, slots=True)
class ScanFigures:
    """A scan's row, and what its pages add up to."""

    id: str
    name: str
    station: str
    state: str
    page_count: int | None
    counters: Mapping[str, int]
    """By disposition, as the row says."""
    counted: Mapping[str, int]
    """By disposition, as the pages' rows are."""
    pending: int
    """Pages without a disposition."""
    rows: int
    first: int | None
    last: int | None
    original: OriginalFigures | None = None
    """For a duplicate: what it points at."""


@dataclass(frozen=True, slots=True)
class OriginalFigures:
    """What a duplicate points at."""

    same_bytes: bool
    duplicate: bool
    """It is one itself."""
    page_count: int | None


@dataclass(frozen=True, slots=True)
class StackFigures:
    """A stack's row, and what its pages and cases add up to."""

    id: str
    name: str
    station: str
    state: str
    rows: int
    first: int | None
    last: int | None
    pending: int
    """Pages without a disposition."""
    quarantined: int
    strangers: int
    """Pages of scans from another box or station."""
    broken_runs: int
    """Scans whose pages don't lie one after the other, in order."""
    cases: int
    first_case: int | None
    last_case: int | None


@dataclass(frozen=True, slots=True)
class CaseFigures:
    """A case's row, and what its documents and its history add up to."""

    name: str
    station: str
    documents: int
    first: int | None
    last: int | None
    recorded: int
    """How often the history says that it was recorded."""


@dataclass(frozen=True, slots=True)
class DocumentFigures:
    """A document's row, and what its pages add up to."""

    name: str
    station: str
    page_count: int
    rows: int
    first: int | None
    last: int | None


def scan_flaws(scan: ScanFigures) -> Iterator[FoundFlaw]:
    """Say what is wrong with the account of a scan."""

    def found(flaw: Flaw, detail: str) -> FoundFlaw:
        return FoundFlaw(flaw, scan.name, detail, scan.station, (scan.id,))

    finished = scan.state in {"filed", "quarantined", "duplicate"}
    whole = _from_one(scan.rows, scan.first, scan.last) and scan.rows == (scan.page_count or 0)
    if not whole:
        yield found(Flaw.PAGES_MISSING, f"{_run(scan.rows, scan.first, scan.last)} on record, {scan.page_count} in all")
    if finished and scan.pending:
        yield found(Flaw.PAGE_UNSETTLED, f"{scan.pending} of {scan.rows} pages")
    if whole and not (finished and scan.pending):
        right = scan.counted if finished else {}
        off = [
            f"{disposition} {said} instead of {right.get(disposition, 0)}"
            for disposition, said in scan.counters.items()
            if said != right.get(disposition, 0)
        ]
        if off:
            yield found(Flaw.COUNTERS_WRONG, ", ".join(off))
    if misplaced := _misplaced(scan):
        yield found(Flaw.PAGE_MISPLACED, misplaced)
    if scan.state == "read" and scan.rows and not scan.pending:
        yield found(Flaw.UNFINISHED, f"{scan.rows} pages")
    if scan.state == "duplicate" and not _points_well(scan):
        yield found(Flaw.DUPLICATE_OF_NOTHING, "")


def stack_flaws(stack: StackFigures) -> Iterator[FoundFlaw]:
    """Say what is wrong with the account of a stack."""

    def found(flaw: Flaw, detail: str) -> FoundFlaw:
        return FoundFlaw(flaw, stack.name, detail, stack.station, (stack.id,))

    if not stack.rows:
        yield found(Flaw.STACK_EMPTY, stack.state)
        return
    if not _from_one(stack.rows, stack.first, stack.last) or stack.broken_runs:
        yield found(Flaw.STACK_OUT_OF_ORDER, _run(stack.rows, stack.first, stack.last))
    if stack.strangers:
        yield found(Flaw.STACK_MIXED, f"{stack.strangers} of {stack.rows} pages")
    finished = stack.state in {"filed", "quarantined"}
    if finished and stack.pending:
        yield found(Flaw.PAGE_UNSETTLED, f"{stack.pending} of {stack.rows} pages")
    if not finished and not stack.pending:
        yield found(Flaw.UNFINISHED, f"{stack.rows} pages")
    settled = stack.rows - stack.pending
    if finished and stack.quarantined != (settled if stack.state == "quarantined" else 0):
        yield found(Flaw.PAGE_MISPLACED, f"{stack.state}, and {stack.quarantined} of {settled} pages in quarantine")
    if not _from_one(stack.cases, stack.first_case, stack.last_case):
        yield found(Flaw.ORDINALS_WRONG, _run(stack.cases, stack.first_case, stack.last_case, "case"))


def case_flaws(case: CaseFigures) -> Iterator[FoundFlaw]:
    """Say what is wrong with a case."""
    if not _from_one(case.documents, case.first, case.last):
        detail = _run(case.documents, case.first, case.last, "document")
        yield FoundFlaw(Flaw.ORDINALS_WRONG, case.name, detail, case.station)
    if case.recorded != 1:
        yield FoundFlaw(Flaw.CASE_EVENT_WRONG, case.name, f"{case.recorded} times", case.station)


def document_flaws(document: DocumentFigures) -> Iterator[FoundFlaw]:
    """Say what is wrong with the pages of a document."""
    if document.rows != document.page_count or not _from_one(document.rows, document.first, document.last):
        detail = f"{_run(document.rows, document.first, document.last)} on record, {document.page_count} in all"
        yield FoundFlaw(Flaw.DOCUMENT_INCOMPLETE, document.name, detail, document.station)


def case_number_flaws(
    box: str, year: int, numbers: Sequence[int], last: int | None, station: str | None
) -> Iterator[FoundFlaw]:
    """Say what is wrong with the case numbers of a box and year; `last` is the counter's, None where it has no row."""
    missing = spans(gaps(sorted(numbers), last or 0))
    if missing or (last or 0) != max(numbers, default=0):
        told = f"missing {missing}; " if missing else ""
        detail = f"{told}the counter says {last}, the highest is {max(numbers, default=None)}"
        yield FoundFlaw(Flaw.CASE_NUMBERS_WRONG, f"{box}/{year}", detail, station)


class Report:
    """What an audit found: all of it counted, and of each flaw so many kept."""

    def __init__(self, most: int | None = None) -> None:
        """`most` is how many of each flaw are kept; without it, all."""
        self._most = most
        self._found: dict[Flaw, list[FoundFlaw]] = {}
        self.more: Counter[Flaw] = Counter()
        """How many of each flaw weren't kept."""

    def add(self, found: FoundFlaw) -> bool:
        """Take a flaw up; say whether it was kept, and not only counted."""
        kept = self._found.setdefault(found.flaw, [])
        if self._most is not None and len(kept) >= self._most:
            self.more[found.flaw] += 1
            return False
        kept.append(found)
        return True

    def leave(self, wanted: Callable[[FoundFlaw], bool]) -> None:
        """Forget the flaws that aren't wanted."""
        for flaw, kept in self._found.items():
            self._found[flaw] = [each for each in kept if wanted(each)]

    @property
    def found(self) -> list[FoundFlaw]:
        """Give the flaws that were kept, the worst first, each kind together."""
        order = list(Weight)
        return [
            each
            for flaw in sorted(self._found, key=lambda flaw: (-order.index(flaw.about.weight), list(Flaw).index(flaw)))
            for each in self._found[flaw]
        ]

    def count(self, *weights: Weight) -> int:
        """Count the flaws of these weights."""
        kept = sum(len(found) for flaw, found in self._found.items() if flaw.about.weight in weights)
        return kept + sum(count for flaw, count in self.more.items() if flaw.about.weight in weights)

    @property
    def good(self) -> bool:
        """Say whether nothing is wrong: notes may be there."""
        return not self.count(Weight.WARNING, Weight.ERROR)


def gaps(numbers: Iterable[int], last: int) -> Iterator[tuple[int, int]]:
    """Give what is missing between 1 and `last` among numbers that rise, as first and last of each run."""
    before = 0
    for number in numbers:
        if number > before + 1:
            yield before + 1, number - 1
        before = max(before, number)
    if last > before:
        yield before + 1, last


def spans(runs: Iterable[tuple[int, int]], most: int = 20) -> str:
    """Write runs of numbers as people do: "3, 7-9"; after `most` of them the rest is counted."""
    told: list[str] = []
    rest = 0
    for first, last in runs:
        if len(told) < most:
            told.append(f"{first}-{last}" if last > first else f"{first}")
        else:
            rest += last - first + 1
    return ", ".join(told) + (f" and {rest} more" if rest else "")


def _from_one(rows: int, first: int | None, last: int | None) -> bool:
    """Say whether so many different numbers, from `first` to `last`, are 1, 2, 3 and so on."""
    return rows == 0 or (first, last) == (1, rows)


def _run(rows: int, first: int | None, last: int | None, what: str = "page") -> str:
    many = f"{rows} {what}{'' if rows == 1 else 's'}"
    return f"{many} ({first}-{last})" if rows else many


def _misplaced(scan: ScanFigures) -> str:
    quarantined = scan.counted.get("quarantined", 0)
    match scan.state:
        case "duplicate":
            others = scan.rows - scan.pending - scan.counted.get("duplicate", 0)
            return f"duplicate, and {others} pages are something else" if others else ""
        case "quarantined":
            return "in quarantine, and no page is" if scan.rows and not (quarantined or scan.pending) else ""
        case _:
            return (
                f"{scan.state}, and {quarantined} pages in quarantine" if scan.state == "filed" and quarantined else ""
            )


def _points_well(scan: ScanFigures) -> bool:
    original = scan.original
    if original is None or original.duplicate or not original.same_bytes:
        return False
    # The original may be on its way once more, out of quarantine: then its pages aren't known again yet.
    return original.page_count is None or original.page_count == scan.page_count
