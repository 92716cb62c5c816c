"""Whether a case is complete, and if not, which papers would complete it: asked of the catalogue, never guessed.

A requirement is turned into its *ways*: the smallest sets of document kinds that meet it. What is missing from a case
is what is left of each way once the kinds at hand are taken out, and of those the sets that hold no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from skrynka.core.catalogue import AllOf, AnyOf, Branch, CaseType, Catalogue, Needed, ProviderRule, Requirement
from skrynka.core.reasons import ReviewReason


class CompletenessState(StrEnum):
    """What can be said about a case's papers."""

    COMPLETE = "complete"
    """Nothing is missing. There may be reasons for review all the same."""
    INCOMPLETE = "incomplete"
    """Something is missing, and `missing` says what."""
    UNDETERMINED = "undetermined"
    """A person has to say first what the case is: its type, branch or a provider isn't known, or branches mix."""


class BranchSource(StrEnum):
    """How a case's branch is known."""

    DECLARED = "declared"
    """The case sheet says so."""
    INFERRED = "inferred"
    """The papers are evidence of this branch and of no other."""


@dataclass(frozen=True, slots=True)
class BranchMissing:
    """What would complete a case if it is of this branch."""

    branch: str | None
    """None where the case type has no branches."""
    sets: tuple[tuple[str, ...], ...]
    """Each set of kinds completes the case, and no smaller part of it does: the shortest first, then in the order of
    the kinds in the configuration, as within a set. Empty: nothing is missing."""


@dataclass(frozen=True, slots=True)
class Completeness:
    """The judgement on a case's papers."""

    state: CompletenessState
    branch: str | None = None
    branch_source: BranchSource | None = None
    missing: tuple[BranchMissing, ...] = ()
    """Empty when complete. Incomplete: one entry, or one for each branch while nothing tells the branch. Undetermined:
    one for each branch that it may be, for the person who decides; empty where the case type isn't known."""
    reviews: tuple[ReviewReason, ...] = ()
    """BRANCHES_MIXED, UNFIT_METER or ALWAYS_REVIEWED, each at most once. Codes that aren't configured are for the
    planner to report: it knows the page."""

    @property
    def surely_missing(self) -> tuple[str, ...]:
        """The kinds that are missing whichever branch it is, and whichever way it is completed."""
        first, *others = [kinds for lack in self.missing for kinds in lack.sets] or [()]
        return tuple(kind for kind in first if all(kind in kinds for kinds in others))


def evaluate(
    catalogue: Catalogue,
    case_type: str | None,
    declared_branch: str | None,
    providers: Sequence[str],
    documents: Sequence[frozenset[str]],
) -> Completeness:
    """Judge a case by its documents, each given as the set of kinds that it declares to be.

    A declared branch stands, and papers that are evidence of another one are for review. Without one, papers of one
    branch tell it; papers of several leave the case undetermined; of none leave it incomplete, in every branch.
    Several providers: what each of them asks for, together. Kinds that aren't configured meet nothing.
    A type that requires nothing is complete with no papers at all. Nothing is raised.
    """
    known = catalogue.case_type(case_type)
    kinds = _counted(catalogue, documents)
    reviews = _kind_reviews(catalogue, documents)
    if known is None:
        return Completeness(CompletenessState.UNDETERMINED, reviews=_in_order(reviews))
    if known.always_reviewed:
        reviews.add(ReviewReason.ALWAYS_REVIEWED)
    told = _tell_branch(known, declared_branch, kinds)
    if told.mixed:
        reviews.add(ReviewReason.BRANCHES_MIXED)
    missing = tuple(
        BranchMissing(
            branch.code if branch is not None else None,
            _missing(catalogue, _required(catalogue, known, branch, providers, to_tell=told.branch is None), kinds),
        )
        for branch in told.candidates
    )
    if told.unclear or any(catalogue.provider(code) is None for code in providers):
        state = CompletenessState.UNDETERMINED
    elif any(lack.sets for lack in missing):
        state = CompletenessState.INCOMPLETE
    else:
        state, missing = CompletenessState.COMPLETE, ()
    return Completeness(state, told.branch, told.source, missing, _in_order(reviews))


def applicable(case_type: CaseType, branch: Branch | None, providers: Sequence[str]) -> AllOf:
    """Put together what a case must meet: the type's part, then the branch's, as each of the providers asks for it.

    A provider without a rule of its own asks for what the case type says, and so does a case without providers.
    What two providers ask for in the same words is there once.
    """
    rules = {rule.provider: rule for rule in case_type.rules}
    asking = [rules.get(code, ProviderRule(code)) for code in providers] or [ProviderRule("")]
    parts = [case_type.requires if rule.requires is None else rule.requires for rule in asking]
    if branch is not None:
        parts += [dict(rule.branches).get(branch.code, branch.requires) for rule in asking]
    return AllOf(tuple(dict.fromkeys(parts)))


def ways(requirement: Requirement) -> tuple[frozenset[str], ...]:
    """Give every set of kinds that meets a requirement and holds no smaller one that does, in reading order.

    There is always at least one; the empty set alone where nothing is required.
    """
    if isinstance(requirement, Needed):
        return (frozenset({requirement.kind}),)
    if isinstance(requirement, AnyOf):
        return _smallest(way for part in requirement.parts for way in ways(part))
    found: tuple[frozenset[str], ...] = (frozenset(),)
    for part in requirement.parts:
        found = _smallest(way | more for way in found for more in ways(part))
    return found


def _smallest(sets: Iterable[frozenset[str]]) -> tuple[frozenset[str], ...]:
    """Drop doubles and whatever holds another set."""
    distinct = tuple(dict.fromkeys(sets))
    return tuple(one for one in distinct if not any(other < one for other in distinct))


def _counted(catalogue: Catalogue, documents: Sequence[frozenset[str]]) -> frozenset[str]:
    """Gather the kinds that the documents count as: an unfitness notice never counts as a certificate."""
    counted: set[str] = set()
    for kinds in documents:
        counted |= kinds.difference(*(kind.never_counts_as for kind in catalogue.kinds if kind.code in kinds))
    return frozenset(counted)


def _kind_reviews(catalogue: Catalogue, documents: Sequence[frozenset[str]]) -> set[ReviewReason]:
    declared = frozenset[str]().union(*documents)
    return {kind.review for kind in catalogue.kinds if kind.review is not None and kind.code in declared}


def _in_order(reviews: set[ReviewReason]) -> tuple[ReviewReason, ...]:
    return tuple(reason for reason in ReviewReason if reason in reviews)


@dataclass(frozen=True, slots=True)
class _Told:
    """What sheet and papers tell about the branch."""

    candidates: tuple[Branch | None, ...]
    """What it may be; a lone None where the type has no branches."""
    branch: str | None = None
    source: BranchSource | None = None
    mixed: bool = False
    unclear: bool = False
    """A person has to decide."""


def _tell_branch(case_type: CaseType, declared_branch: str | None, kinds: frozenset[str]) -> _Told:
    evidenced = tuple(branch for branch in case_type.branches if branch.evidence & kinds)
    if declared_branch is not None:
        declared = case_type.branch(declared_branch)
        if declared is None:
            return _Told(case_type.branches or (None,), mixed=len(evidenced) > 1, unclear=True)
        mixed = any(branch is not declared for branch in evidenced)
        return _Told((declared,), declared.code, BranchSource.DECLARED, mixed=mixed)
    match evidenced:
        case (only,):
            return _Told((only,), only.code, BranchSource.INFERRED)
        case (_, _, *_):
            return _Told(evidenced, mixed=True, unclear=True)
        case _:
            return _Told(case_type.branches or (None,))


def _required(
    catalogue: Catalogue, case_type: CaseType, branch: Branch | None, providers: Sequence[str], *, to_tell: bool
) -> Requirement:
    """Say what completes a case of a branch; `to_tell`: the papers must also tell that it is that branch."""
    required = applicable(case_type, branch, providers)
    if branch is None or not to_tell:
        return required
    return AllOf((required, AnyOf(tuple(Needed(kind) for kind in catalogue.in_order(branch.evidence)))))


def _missing(catalogue: Catalogue, required: Requirement, kinds: frozenset[str]) -> tuple[tuple[str, ...], ...]:
    """Give the sets of kinds that are still missing, the shortest first; none where the requirement is met."""
    lacking = [lack for lack in _smallest(way - kinds for way in ways(required)) if lack]
    order = catalogue.in_order(frozenset[str]().union(*lacking))
    sets = [tuple(kind for kind in order if kind in lack) for lack in lacking]
    return tuple(sorted(sets, key=lambda one: (len(one), [order.index(kind) for kind in one])))
