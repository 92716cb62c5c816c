from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrynka.catalogue_file import load_catalogue
from skrynka.core.catalogue import (
    AllOf,
    AnyOf,
    Branch,
    CaseType,
    Catalogue,
    DocumentKind,
    Names,
    Needed,
    Provider,
    ProviderRule,
    Requirement,
)
from skrynka.core.reasons import ReviewReason
from skrynka.core.requirements import (
    BranchMissing,
    BranchSource,
    Completeness,
    CompletenessState,
    evaluate,
    ways,
)
from tests.core import truth_table

SHIPPED = load_catalogue(Path(__file__).parents[2] / "config" / "case_types.toml")
Paper = frozenset[str]


def papers(*written: str) -> list[Paper]:
    """Each document as its kinds joined by "+": "DISMANTLE+INSTALL" is one combined act."""
    return [frozenset(kinds.split("+")) for kinds in written]


# ---- Exhaustively, against the truth table ----------------------------------------------------------------------


def one_paper_each(kinds: Sequence[str]) -> list[Paper]:
    return [frozenset({kind}) for kind in kinds]


def all_on_one_paper(kinds: Sequence[str]) -> list[Paper]:
    return [frozenset(kinds)]


def combined_acts(kinds: Sequence[str]) -> list[Paper]:
    """The acts that are drawn up as one paper, wherever both kinds are there; the sheet and unsorted papers beside."""
    pairs = [frozenset({"DISMANTLE", "INSTALL"}), frozenset({"SEAL", "UNSEAL"}), frozenset({"CERT", "PROTOCOL"})]
    combined = [pair for pair in pairs if pair <= set(kinds)]
    rest = [frozenset({kind}) for kind in kinds if not any(kind in pair for pair in combined)]
    return [frozenset({"COVER"}), *combined, *rest, frozenset({"UNSORTED"}), frozenset()]


def every_set_of_kinds() -> Iterator[tuple[str, ...]]:
    for size in range(len(truth_table.KINDS) + 1):
        yield from combinations(truth_table.KINDS, size)


@pytest.mark.no_cover  # a hundred thousand judgements; the examples below reach each line of it too
@pytest.mark.parametrize("laid_out", [one_paper_each, all_on_one_paper, combined_acts])
@pytest.mark.parametrize(
    ("case_type", "declared"),
    [
        *product(["VER"], [None, "ONS", "DIS", "XXX"]),
        *product(["NUM", "OTH", "XXX", None], [None, "ONS"]),
    ],
)
def test_every_combination_of_papers_is_judged_as_the_domain_says(
    case_type: str | None, declared: str | None, laid_out: Callable[[Sequence[str]], list[Paper]]
) -> None:
    seen = 0
    for kinds in every_set_of_kinds():
        documents = laid_out(kinds)
        verdict = evaluate(SHIPPED, case_type, declared, (), documents)
        expected = truth_table.expected(case_type, declared, documents)
        assert as_expected(verdict) == expected, kinds
        assert in_reading_order(verdict), kinds
        seen += 1
    assert seen == 2**12


def as_expected(verdict: Completeness) -> truth_table.Expected:
    """Put a verdict into the truth table's words; doubles in it would show."""
    missing = {lack.branch: frozenset(map(frozenset, lack.sets)) for lack in verdict.missing}
    assert len(missing) == len(verdict.missing)
    assert all(len(missing[lack.branch]) == len(lack.sets) for lack in verdict.missing)
    assert len(set(verdict.reviews)) == len(verdict.reviews)
    return truth_table.Expected(
        state=verdict.state,
        branch=verdict.branch,
        source=verdict.branch_source,
        missing=missing,
        reviews=frozenset(verdict.reviews),
    )


def in_reading_order(verdict: Completeness) -> bool:
    """The branches as configured, the shortest set first, the kinds as configured."""
    places = {kind: place for place, kind in enumerate(truth_table.KINDS)}
    placed = [[[places[kind] for kind in one] for one in lack.sets] for lack in verdict.missing]
    branches = [lack.branch for lack in verdict.missing]
    return (
        branches in ([], [None], ["ONS"], ["DIS"], ["ONS", "DIS"])
        and all(kinds == sorted(kinds) for sets in placed for kinds in sets)
        and all(sets == sorted(sets, key=lambda kinds: (len(kinds), kinds)) for sets in placed)
    )


@pytest.mark.parametrize("providers", [("KTE",), ("KVK",), ("KTE", "KVK")])
def test_the_providers_of_the_domain_ask_for_the_same(providers: tuple[str, ...]) -> None:
    for documents in (papers(), papers("CERT", "PHOTO", "WORKS"), papers("UNSEAL"), papers("UNSEAL", "WORKS")):
        assert evaluate(SHIPPED, "VER", None, providers, documents) == evaluate(SHIPPED, "VER", None, (), documents)


# ---- Examples, as a person would check them ---------------------------------------------------------------------


def test_papers_of_a_verification_on_site_are_complete() -> None:
    assert evaluate(SHIPPED, "VER", None, ("KTE",), papers("CERT", "PHOTO", "WORKS")) == Completeness(
        CompletenessState.COMPLETE, "ONS", BranchSource.INFERRED
    )


def test_an_act_without_its_certificate_waits_for_the_certificate_and_for_nobody() -> None:
    verdict = evaluate(SHIPPED, "VER", "DIS", (), papers("DISMANTLE+INSTALL", "SEAL+UNSEAL", "PHOTO"))
    assert verdict == Completeness(
        CompletenessState.INCOMPLETE, "DIS", BranchSource.DECLARED, (BranchMissing("DIS", (("CERT",),)),)
    )


def test_a_case_without_a_branch_lacks_both_alternatives() -> None:
    verdict = evaluate(SHIPPED, "VER", None, (), papers("CERT", "PHOTO", "SEAL"))
    assert verdict == Completeness(
        CompletenessState.INCOMPLETE,
        missing=(
            BranchMissing("ONS", (("PROTOCOL",), ("WORKS",))),
            BranchMissing("DIS", (("DISMANTLE", "INSTALL", "UNSEAL"),)),
        ),
    )


def test_papers_of_both_branches_are_for_a_person_even_where_one_branch_is_all_there() -> None:
    verdict = evaluate(SHIPPED, "VER", None, (), papers("CERT", "PHOTO", "WORKS", "UNSEAL"))
    assert verdict == Completeness(
        CompletenessState.UNDETERMINED,
        missing=(BranchMissing("ONS", ()), BranchMissing("DIS", (("DISMANTLE", "INSTALL", "SEAL"),))),
        reviews=(ReviewReason.BRANCHES_MIXED,),
    )


def test_a_declared_branch_stands_and_papers_of_another_are_for_review() -> None:
    verdict = evaluate(SHIPPED, "VER", "ONS", (), papers("CERT", "PHOTO", "WORKS", "UNSEAL"))
    assert verdict == Completeness(
        CompletenessState.COMPLETE, "ONS", BranchSource.DECLARED, reviews=(ReviewReason.BRANCHES_MIXED,)
    )


def test_a_declared_branch_that_is_not_configured_leaves_the_case_to_a_person() -> None:
    verdict = evaluate(SHIPPED, "VER", "XXX", (), papers("CERT", "PHOTO", "WORKS"))
    assert verdict == Completeness(
        CompletenessState.UNDETERMINED,
        missing=(
            BranchMissing("ONS", ()),
            BranchMissing("DIS", (("DISMANTLE", "INSTALL", "SEAL", "UNSEAL"),)),
        ),
    )


def test_an_unfitness_notice_is_no_certificate_even_where_somebody_says_so() -> None:
    verdict = evaluate(SHIPPED, "NUM", None, (), papers("UNFIT+CERT", "SEAL", "PHOTO"))
    assert verdict == Completeness(
        CompletenessState.INCOMPLETE,
        missing=(BranchMissing(None, (("CERT",), ("PASSPORT",))),),
        reviews=(ReviewReason.UNFIT_METER,),
    )


def test_a_certificate_beside_an_unfitness_notice_counts() -> None:
    verdict = evaluate(SHIPPED, "NUM", None, (), papers("UNFIT", "CERT", "SEAL", "PHOTO"))
    assert verdict == Completeness(CompletenessState.COMPLETE, reviews=(ReviewReason.UNFIT_METER,))


def test_anything_else_is_complete_and_always_reviewed() -> None:
    verdict = evaluate(SHIPPED, "OTH", None, (), papers("UNFIT"))
    assert verdict == Completeness(
        CompletenessState.COMPLETE, reviews=(ReviewReason.UNFIT_METER, ReviewReason.ALWAYS_REVIEWED)
    )


def test_kinds_that_are_not_configured_meet_nothing() -> None:
    assert evaluate(SHIPPED, "NUM", None, (), papers("XXX")) == evaluate(SHIPPED, "NUM", None, (), papers())


def test_a_provider_that_is_not_configured_leaves_the_case_to_a_person() -> None:
    verdict = evaluate(SHIPPED, "VER", "ONS", ("KTE", "XXX"), papers("CERT", "WORKS"))
    assert verdict == Completeness(
        CompletenessState.UNDETERMINED, "ONS", BranchSource.DECLARED, (BranchMissing("ONS", (("PHOTO",),)),)
    )


# ---- Other configurations ---------------------------------------------------------------------------------------

NAMES = Names("назва", "name")


def catalogue(*case_types: CaseType, kinds: str = "ABCDEF") -> Catalogue:
    return Catalogue(
        tuple(DocumentKind(code, NAMES) for code in kinds),
        (Provider("KTE", NAMES), Provider("KVK", NAMES)),
        case_types,
    )


A, B, C, D, E, F = (Needed(code) for code in "ABCDEF")
BY_PROVIDER = catalogue(
    CaseType(
        "TYP",
        NAMES,
        requires=A,
        branches=(
            Branch("ONE", NAMES, B, frozenset("B")),
            Branch("TWO", NAMES, C, frozenset("C")),
        ),
        rules=(ProviderRule("KVK", requires=D, branches=(("ONE", AllOf((B, E))),)),),
    )
)


def lacking(verdict: Completeness) -> list[tuple[str | None, list[str]]]:
    return [(lack.branch, ["".join(kinds) for kinds in lack.sets]) for lack in verdict.missing]


@pytest.mark.parametrize(
    ("providers", "branch", "missing"),
    [
        ((), "ONE", ["AB"]),
        (("KTE",), "ONE", ["AB"]),
        (("KVK",), "ONE", ["BDE"]),
        (("KVK",), "TWO", ["CD"]),
        (("KVK", "KTE"), "ONE", ["ABDE"]),
        (("KTE", "KVK"), "TWO", ["ACD"]),
    ],
)
def test_several_providers_must_all_have_what_they_ask_for(
    providers: tuple[str, ...], branch: str, missing: list[str]
) -> None:
    assert lacking(evaluate(BY_PROVIDER, "TYP", branch, providers, [])) == [(branch, missing)]


def test_a_short_way_comes_before_a_long_one_that_is_written_first() -> None:
    either = catalogue(CaseType("TYP", NAMES, requires=AnyOf((AllOf((A, B)), C))))
    assert lacking(evaluate(either, "TYP", None, (), [])) == [(None, ["C", "AB"])]


def test_what_is_at_hand_shortens_a_long_way() -> None:
    either = catalogue(CaseType("TYP", NAMES, requires=AnyOf((AllOf((A, B)), AllOf((C, D)), AllOf((A, B, C))))))
    assert lacking(evaluate(either, "TYP", None, (), papers("B"))) == [(None, ["A", "CD"])]


def test_one_paper_can_serve_two_parts_of_a_requirement() -> None:
    both = catalogue(CaseType("TYP", NAMES, requires=AllOf((AnyOf((A, B)), AnyOf((B, C))))))
    assert lacking(evaluate(both, "TYP", None, (), [])) == [(None, ["B", "AC"])]


def test_an_undeclared_branch_lacks_what_tells_it_even_where_it_requires_nothing_of_the_kind() -> None:
    told = catalogue(CaseType("TYP", NAMES, branches=(Branch("ONE", NAMES, A, frozenset("BC")),)))
    assert lacking(evaluate(told, "TYP", None, (), papers("A"))) == [("ONE", ["B", "C"])]
    assert evaluate(told, "TYP", None, (), papers("A", "B")).state is CompletenessState.COMPLETE
    assert evaluate(told, "TYP", "ONE", (), papers("A")).state is CompletenessState.COMPLETE


requirements = st.recursive(
    st.sampled_from([A, B, C, D, E, F]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: AllOf(tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
    ),
    max_leaves=8,
)


def met(requirement: Requirement, kinds: frozenset[str]) -> bool:
    match requirement:
        case Needed(kind):
            return kind in kinds
        case AllOf(parts):
            return all(met(part, kinds) for part in parts)
        case AnyOf(parts):
            return any(met(part, kinds) for part in parts)


@given(requirements)
def test_the_ways_are_exactly_the_smallest_sets_that_meet_a_requirement(requirement: Requirement) -> None:
    smallest: list[frozenset[str]] = []
    for size in range(7):
        for kinds in map(frozenset, combinations("ABCDEF", size)):
            if met(requirement, kinds) and not any(less <= kinds for less in smallest):
                smallest.append(kinds)
    assert sorted(map(sorted, ways(requirement))) == sorted(map(sorted, smallest))


@given(requirements, st.frozensets(st.sampled_from("ABCDEF")))
def test_handing_in_any_set_that_is_missing_completes_the_case(requirement: Requirement, held: frozenset[str]) -> None:
    asked = catalogue(CaseType("TYP", NAMES, requires=requirement))
    before = evaluate(asked, "TYP", None, (), [held])
    assert (before.state is CompletenessState.COMPLETE) == met(requirement, held)
    for lack in before.missing:
        for kinds in lack.sets:
            assert not held & set(kinds)
            after = evaluate(asked, "TYP", None, (), [held, frozenset(kinds)])
            assert after == Completeness(CompletenessState.COMPLETE)


@pytest.mark.parametrize(
    ("missing", "surely"),
    [
        ((), ()),
        ((BranchMissing(None, ()),), ()),
        ((BranchMissing(None, (("CERT", "PHOTO"),)),), ("CERT", "PHOTO")),
        ((BranchMissing("ONS", (("PROTOCOL", "PHOTO"), ("WORKS", "PHOTO"))),), ("PHOTO",)),
        ((BranchMissing("ONS", (("WORKS",),)), BranchMissing("DIS", (("SEAL", "UNSEAL"),))), ()),
    ],
)
def test_surely_missing_is_what_every_way_to_complete_a_case_asks_for(
    missing: tuple[BranchMissing, ...], surely: tuple[str, ...]
) -> None:
    assert Completeness(CompletenessState.INCOMPLETE, missing=missing).surely_missing == surely
