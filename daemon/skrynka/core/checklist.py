"""The list of required papers in reading order, for a printed sheet: what everybody brings, then branch by branch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from skrynka.core.catalogue import AllOf, Branch, CaseType, Catalogue, Names, Provider, Requirement
from skrynka.core.errors import ConfigurationError
from skrynka.core.requirements import applicable, ways


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One paper."""

    kind: str
    names: Names
    hint_uk: str
    """What to say after the name; empty where there is nothing to add."""


@dataclass(frozen=True, slots=True)
class ChecklistEntry:
    """One line: alternatives, of which one is enough; an alternative is the papers to hand in together.

    `((X,),)` reads "X"; `((X,), (Y,))` reads "X or Y"; `((X, Y), (Z,))` reads "X and Y, or Z".
    """

    alternatives: tuple[tuple[ChecklistItem, ...], ...]


@dataclass(frozen=True, slots=True)
class BranchChecklist:
    """What one branch asks for on top; its names are the block's heading."""

    code: str
    names: Names
    entries: tuple[ChecklistEntry, ...]


@dataclass(frozen=True, slots=True)
class Checklist:
    """A case type's required papers. Everything empty: nothing is required."""

    entries: tuple[ChecklistEntry, ...]
    """For every case; with a branch given, that branch's too."""
    branches: tuple[BranchChecklist, ...]
    """One of these on top, whichever applies; empty with a branch given, and where the type has none."""


def checklist(catalogue: Catalogue, case_type: str, branch: str | None, providers: Sequence[str] = ()) -> Checklist:
    """List the papers that a case of the type needs, as the evaluator will ask for them.

    Raises ConfigurationError where the case type, the branch or a provider isn't configured.
    """
    known = catalogue.case_type(case_type)
    if known is None:
        raise _not_configured("case type", catalogue.case_types)
    if branch is not None and known.branch(branch) is None:
        raise _not_configured("branch of this case type", known.branches)
    if any(catalogue.provider(code) is None for code in providers):
        raise _not_configured("provider", catalogue.providers)
    common = _lines(applicable(known, known.branch(branch), providers))
    on_top = [] if branch is not None else [(one, _lines(applicable(known, one, providers))) for one in known.branches]
    return Checklist(
        _entries(catalogue, known, common),
        tuple(
            BranchChecklist(one.code, one.names, _entries(catalogue, known, _beyond(common, lines)))
            for one, lines in on_top
        ),
    )


_Line = tuple[frozenset[str], ...]
"""The ways to meet one line."""


def _lines(required: Requirement) -> list[_Line]:
    """Give a line for each part that stands alone; what another line asks for already isn't said again."""
    lines: list[_Line] = []
    for line in (ways(part) for part in _parts(required)):
        if frozenset() in line or any(_covers(other, line) for other in lines):
            continue
        lines = [*(other for other in lines if not _covers(line, other)), line]
    return lines


def _parts(required: Requirement) -> Iterator[Requirement]:
    if isinstance(required, AllOf):
        for part in required.parts:
            yield from _parts(part)
    else:
        yield required


def _covers(strong: _Line, weak: _Line) -> bool:
    """Tell whether whoever meets `strong` has met `weak`, whichever way he chose."""
    return all(any(less <= more for less in weak) for more in strong)


def _beyond(common: Sequence[_Line], lines: Iterable[_Line]) -> list[_Line]:
    return [line for line in lines if not any(_covers(other, line) for other in common)]


def _entries(catalogue: Catalogue, case_type: CaseType, lines: Iterable[_Line]) -> tuple[ChecklistEntry, ...]:
    hints = {kind.code: kind.hint_uk for kind in catalogue.kinds} | dict(case_type.hints_uk)
    items = {kind.code: ChecklistItem(kind.code, kind.names, hints[kind.code]) for kind in catalogue.kinds}
    return tuple(
        ChecklistEntry(tuple(tuple(items[kind] for kind in catalogue.in_order(way)) for way in line)) for line in lines
    )


def _not_configured(what: str, configured: Sequence[CaseType | Branch | Provider]) -> ConfigurationError:
    return ConfigurationError(
        f"There is no such {what} in the configuration.",
        f"Configured: {', '.join(one.code for one in configured) or 'none'}.",
    )
