"""The domain's rules on required papers once more, as plain booleans: what the evaluator is compared with.

Written from the domain's text alone. Shares nothing with the program: no types, no configuration, no algorithm. What
is missing is found by trying every set of papers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations

KINDS = (
    "CERT",
    "PROTOCOL",
    "WORKS",
    "DISMANTLE",
    "INSTALL",
    "SEAL",
    "UNSEAL",
    "PASSPORT",
    "PHOTO",
    "APPLICATION",
    "UNFIT",
    "BILL",
)
"""Every kind that a person can hand in."""

Held = Collection[str]
"""The kinds at hand."""


@dataclass(frozen=True)
class Expected:
    """What must come out. `missing` maps each branch in question to the sets that would complete the case."""

    state: str
    branch: str | None
    source: str | None
    missing: dict[str | None, frozenset[frozenset[str]]]
    reviews: frozenset[str]


def verified_on_site(held: Held) -> bool:
    """Say whether VER, ONS is complete: "CERT and PHOTO and (PROTOCOL or WORKS)"."""
    return "CERT" in held and "PHOTO" in held and ("PROTOCOL" in held or "WORKS" in held)


def dismantled(held: Held) -> bool:
    """Say whether VER, DIS is complete: "CERT and PHOTO and DISMANTLE and INSTALL and SEAL and UNSEAL"."""
    return (
        "CERT" in held
        and "PHOTO" in held
        and "DISMANTLE" in held
        and "INSTALL" in held
        and "SEAL" in held
        and "UNSEAL" in held
    )


def numbers_cleared(held: Held) -> bool:
    """Say whether NUM is complete: "(PASSPORT or CERT) and SEAL and PHOTO"."""
    return ("PASSPORT" in held or "CERT" in held) and "SEAL" in held and "PHOTO" in held


def nothing_asked(_: Held) -> bool:
    """Say that OTH is complete: "nothing: a person looks at it"."""
    return True


def at_hand(papers: Collection[Held]) -> frozenset[str]:
    """Say which kinds are there. A combined act is two; an unfitness notice is "never a CERT"."""
    return frozenset(kind for paper in papers for kind in paper if not (kind == "CERT" and "UNFIT" in paper))


def expected(case_type: str | None, declared: str | None, papers: Collection[Held]) -> Expected:
    """Judge a case by the domain's text; `papers` are the kinds of each document."""
    held = at_hand(papers)
    reviews = frozenset({"unfit_meter"} if any("UNFIT" in paper for paper in papers) else ())
    if case_type == "VER":
        return _verification(declared, held, reviews)
    if case_type == "NUM":
        return _without_branches(declared, numbers_cleared, held, reviews)
    if case_type == "OTH":
        return _without_branches(declared, nothing_asked, held, reviews | {"always_reviewed"})
    return Expected("undetermined", None, None, {}, reviews)


def _verification(declared: str | None, held: frozenset[str], reviews: frozenset[str]) -> Expected:
    looks_dismantled = "DISMANTLE" in held or "INSTALL" in held or "UNSEAL" in held
    looks_on_site = "PROTOCOL" in held or "WORKS" in held
    looks_both = looks_dismantled and looks_on_site
    if looks_both or (declared == "DIS" and looks_on_site) or (declared == "ONS" and looks_dismantled):
        reviews |= {"branches_mixed"}
    if declared == "DIS" or (declared is None and looks_dismantled and not looks_on_site):
        return _decided("DIS", "declared" if declared else "inferred", dismantled, held, reviews)
    if declared == "ONS" or (declared is None and looks_on_site and not looks_dismantled):
        return _decided("ONS", "declared" if declared else "inferred", verified_on_site, held, reviews)
    state = "incomplete" if declared is None and not looks_both else "undetermined"
    both: dict[str | None, frozenset[frozenset[str]]] = {
        "ONS": missing(verified_on_site, held),
        "DIS": missing(dismantled, held),
    }
    return Expected(state, None, None, both, reviews)


def _without_branches(
    declared: str | None, complete: Callable[[Held], bool], held: frozenset[str], reviews: frozenset[str]
) -> Expected:
    if declared is not None:
        return Expected("undetermined", None, None, {None: missing(complete, held)}, reviews)
    return _decided(None, None, complete, held, reviews)


def _decided(
    branch: str | None,
    source: str | None,
    complete: Callable[[Held], bool],
    held: frozenset[str],
    reviews: frozenset[str],
) -> Expected:
    if complete(held):
        return Expected("complete", branch, source, {}, reviews)
    return Expected("incomplete", branch, source, {branch: missing(complete, held)}, reviews)


@cache
def missing(complete: Callable[[Held], bool], held: frozenset[str]) -> frozenset[frozenset[str]]:
    """Try every set of other papers, small ones first; keep those that complete and hold none kept before."""
    kept: list[frozenset[str]] = []
    if complete(held):
        return frozenset()
    for more in _every_set(tuple(kind for kind in KINDS if kind not in held)):
        if complete(held | more) and not any(less <= more for less in kept):
            kept.append(more)
    return frozenset(kept)


def _every_set(kinds: tuple[str, ...]) -> Iterator[frozenset[str]]:
    for size in range(len(kinds) + 1):
        yield from map(frozenset, combinations(kinds, size))
