from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from skrynka.catalogue_file import load_catalogue
from skrynka.core.catalogue import (
    NOTHING,
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
from skrynka.core.checklist import ChecklistEntry, checklist
from skrynka.core.errors import ConfigurationError

SHIPPED = load_catalogue(Path(__file__).parents[2] / "config" / "case_types.toml")


def read(entries: Iterable[ChecklistEntry]) -> list[str]:
    """Each line as its codes: "A+B / C" is "A and B, or C"."""
    return [" / ".join("+".join(item.kind for item in papers) for papers in line.alternatives) for line in entries]


def test_an_undeclared_branch_gives_what_everybody_brings_and_a_block_for_each_branch() -> None:
    made = checklist(SHIPPED, "VER", None)
    assert read(made.entries) == ["CERT", "PHOTO"]
    assert [(block.code, read(block.entries)) for block in made.branches] == [
        ("ONS", ["PROTOCOL / WORKS"]),
        ("DIS", ["DISMANTLE", "INSTALL", "SEAL", "UNSEAL"]),
    ]
    assert made.branches[0].names.uk == "повірено на місці, без демонтажу"


def test_a_declared_branch_gives_one_list() -> None:
    made = checklist(SHIPPED, "VER", "ONS", ("KTE", "KVK"))
    assert read(made.entries) == ["CERT", "PHOTO", "PROTOCOL / WORKS"]
    assert made.branches == ()


def test_a_type_that_requires_nothing_gives_an_empty_list() -> None:
    made = checklist(SHIPPED, "OTH", None)
    assert made.entries == ()
    assert made.branches == ()


def test_a_line_carries_the_ukrainian_name_and_the_hint_of_the_case_type() -> None:
    photo = checklist(SHIPPED, "NUM", None).entries[2].alternatives[0][0]
    assert (photo.kind, photo.names.uk, photo.hint_uk) == ("PHOTO", "фото лічильника", "з показаннями на поточну дату")
    assert checklist(SHIPPED, "VER", None).entries[1].alternatives[0][0].hint_uk == ""


NAMES = Names("назва", "name")
A, B, C, D = (Needed(code) for code in "ABCD")


def asking(requires: Requirement, rule: Requirement = NOTHING, branch: Requirement = D) -> Catalogue:
    return Catalogue(
        (DocumentKind("D", NAMES), *(DocumentKind(code, NAMES, hint_uk=f"підказка {code}") for code in "CBA")),
        (Provider("KTE", NAMES), Provider("KVK", NAMES)),
        (
            CaseType(
                "TYP",
                NAMES,
                requires=requires,
                branches=(Branch("ONE", NAMES, branch, frozenset("D")),),
                rules=(ProviderRule("KVK", requires=rule),),
                hints_uk=(("A", "своя підказка"),),
            ),
        ),
    )


def test_nested_parts_are_lines_and_alternatives_in_the_order_written() -> None:
    made = checklist(asking(AllOf((AllOf((A,)), AnyOf((AllOf((A, B)), C)), D))), "TYP", None)
    assert read(made.entries) == ["A", "B+A / C", "D"]


def test_a_hint_of_the_kind_is_printed_unless_the_type_says_something_else() -> None:
    made = checklist(asking(AllOf((A, B))), "TYP", None)
    assert [line.alternatives[0][0].hint_uk for line in made.entries] == ["своя підказка", "підказка B"]


@pytest.mark.parametrize(
    ("requires", "rule", "lines"),
    [
        (A, B, ["A", "B"]),
        (A, A, ["A"]),
        (AnyOf((A, B)), A, ["A"]),
        (A, AnyOf((A, B)), ["A"]),
        (AnyOf((A, B)), AnyOf((B, A)), ["A / B"]),
        (AllOf((A, AnyOf((B, C)))), AllOf((C, D)), ["A", "C", "D"]),
        (NOTHING, A, ["A"]),
        (AnyOf((A, NOTHING)), B, ["B"]),
    ],
)
def test_what_several_providers_ask_for_is_said_once(
    requires: Requirement, rule: Requirement, lines: list[str]
) -> None:
    assert read(checklist(asking(requires, rule), "TYP", None, ("KTE", "KVK")).entries) == lines


def test_a_branch_does_not_repeat_what_everybody_brings() -> None:
    made = checklist(asking(A, branch=AllOf((AnyOf((A, C)), D))), "TYP", None)
    assert read(made.branches[0].entries) == ["D"]


@pytest.mark.parametrize(
    ("case_type", "branch", "providers", "configured"),
    [
        ("XXX", None, (), "Configured: VER, NUM, OTH."),
        ("VER", "XXX", (), "Configured: ONS, DIS."),
        ("NUM", "ONS", (), "Configured: none."),
        ("VER", None, ("KTE", "XXX"), "Configured: KTE, KVK."),
    ],
)
def test_what_is_not_configured_is_refused_and_what_is_configured_told(
    case_type: str, branch: str | None, providers: tuple[str, ...], configured: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        checklist(SHIPPED, case_type, branch, providers)
    assert refused.value.remedy == configured
