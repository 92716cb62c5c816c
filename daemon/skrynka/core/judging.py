"""A plan with each case judged by what its type requires: what is stored before anything is cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from skrynka.core.catalogue import Catalogue
from skrynka.core.follow_ups import FollowUpSheet
from skrynka.core.model import Plan, RoutingCode
from skrynka.core.planning import Known, with_reviews
from skrynka.core.requirements import Completeness, evaluate
from skrynka.core.signing import NOT_LOOKED_AT, Signatures


@dataclass(frozen=True, slots=True)
class JudgedPlan:
    """A plan, and the judgement on each of its cases, in their order."""

    plan: Plan
    completeness: tuple[Completeness, ...]


def judge(plan: Plan, catalogue: Catalogue) -> JudgedPlan:
    """Judge every case; what the judgement gives a person to look at joins the case's reasons for review."""
    judged = tuple(
        evaluate(
            catalogue,
            case.case_type,
            case.branch,
            case.providers,
            [frozenset(document.kinds) for document in case.documents],
        )
        for case in plan.cases
    )
    cases = tuple(with_reviews(case, verdict.reviews) for case, verdict in zip(plan.cases, judged, strict=True))
    return JudgedPlan(replace(plan, cases=cases), judged)


def known_of(
    catalogue: Catalogue,
    box: str | None,
    page_limit: int,
    printed: Mapping[str, RoutingCode] | None = None,
    seen_serials: frozenset[str] = frozenset(),
    follow_ups: Mapping[str, FollowUpSheet] | None = None,
    signatures: Signatures = NOT_LOOKED_AT,
) -> Known:
    """Give what planning must know of the catalogue, beside what it must know of the past."""
    return Known(
        box=box,
        case_types={
            case_type.code: frozenset(branch.code for branch in case_type.branches)
            for case_type in catalogue.case_types
        },
        providers=frozenset(provider.code for provider in catalogue.providers),
        document_kinds=frozenset(kind.code for kind in catalogue.declarable_kinds),
        printed=printed or {},
        seen_serials=seen_serials,
        follow_ups=follow_ups or {},
        signatures=signatures,
        page_limit=page_limit,
    )
