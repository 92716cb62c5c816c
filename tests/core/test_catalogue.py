from __future__ import annotations

import pytest

from skrynka.core.catalogue import (
    BUILT_IN_KINDS,
    AnyOf,
    Branch,
    CaseType,
    Catalogue,
    DocumentKind,
    Names,
    Needed,
    Provider,
)
from skrynka.core.model import COVER, UNSORTED

NAMES = Names("назва", "name")
SEAL = DocumentKind("SEAL", NAMES)
CERT = DocumentKind("CERT", NAMES)
KTE = Provider("KTE", NAMES)
ONS = Branch("ONS", NAMES, Needed("SEAL"), frozenset({"SEAL"}))
VER = CaseType("VER", NAMES, branches=(ONS,))
CATALOGUE = Catalogue((SEAL, CERT, *BUILT_IN_KINDS), (KTE,), (VER,))


def test_things_are_found_by_their_codes() -> None:
    assert CATALOGUE.kind("CERT") is CERT
    assert CATALOGUE.provider("KTE") is KTE
    assert CATALOGUE.case_type("VER") is VER
    assert VER.branch("ONS") is ONS


@pytest.mark.parametrize("code", ["XXX", "cert", "", None])
def test_what_is_not_configured_is_not_found(code: str | None) -> None:
    assert CATALOGUE.kind(code) is None
    assert CATALOGUE.provider(code) is None
    assert CATALOGUE.case_type(code) is None
    assert VER.branch(code) is None


def test_the_built_in_kinds_are_known_and_no_sheet_declares_them() -> None:
    assert [kind.code for kind in BUILT_IN_KINDS] == [COVER, UNSORTED]
    assert all(kind.never_required for kind in BUILT_IN_KINDS)
    assert CATALOGUE.kind(COVER) is not None
    assert CATALOGUE.declarable_kinds == (SEAL, CERT)


def test_kinds_are_sorted_as_configured_and_unknown_ones_come_last() -> None:
    assert CATALOGUE.in_order({"ZZZ", "CERT", "COVER", "AAA", "SEAL"}) == ("SEAL", "CERT", "COVER", "AAA", "ZZZ")


def test_an_any_of_without_alternatives_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one alternative"):
        AnyOf(())


def test_a_branch_that_nothing_is_evidence_of_is_refused() -> None:
    with pytest.raises(ValueError, match="evidence"):
        Branch("ONS", NAMES, Needed("SEAL"), frozenset())
