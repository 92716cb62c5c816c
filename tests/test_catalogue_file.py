from __future__ import annotations

from pathlib import Path

import pytest

from skrynka.catalogue_file import load_catalogue
from skrynka.core.catalogue import BUILT_IN_KINDS, AllOf, AnyOf, Needed, ProviderRule
from skrynka.core.checklist import checklist
from skrynka.core.errors import ConfigurationError
from skrynka.core.reasons import ReviewReason
from skrynka.core.requirements import BranchMissing, Completeness, CompletenessState, evaluate

SHIPPED = Path(__file__).parents[1] / "config" / "case_types.toml"
BAD = Path(__file__).parent / "config"

# What each bad file must be told, and what to write instead; the line is the one that says "# <- here".
TOLD = {
    "all-empty-within": ('case type "VER" has an empty list in its requirement', "Name the kinds"),
    "any-empty": ('case type "VER" has an empty list in its requirement', "Name the kinds"),
    "branch-key": ('"inferred_by" means nothing here', "There is: code, uk, en, requires, evidence."),
    "branch-not-a-list": ('"branch" is not a list of tables', "Write each as [[case_type.branch]]."),
    "branch-twice": ('"ONS" is there already', "rename it"),
    "branch-without-evidence": ('nothing is evidence of branch "ONS" of case type "VER"', "Write evidence ="),
    "branch-without-requires": ('branch "ONS" of case type "VER" lacks "requires"', "Write requires ="),
    "case-type-key": ('"always_review" means nothing here', 'Did you mean "always_reviewed"?'),
    "case-type-twice": ('"VER" is there already', "rename it"),
    "code-built-in": ('"COVER" is built in', "Choose another code."),
    "code-grammar": ('"Seal" is no code', "A letter A–Z"),
    "code-missing": ('"code" is missing', "Write code ="),
    "code-not-text": ('"code" is not a line of text', "Write code ="),
    "code-too-long": ('"SEALINGACTSOF" is no code', "12 characters at most"),
    "evidence-never-required": ('"BILL", which is never required', "Ask for another kind."),
    "evidence-required-by-provider": (
        '"SEAL" can\'t be evidence of branch "ONS": it is asked for in branch "DIS" too',
        "only turns up in one branch",
    ),
    "evidence-required-of-all": (
        '"CERT" can\'t be evidence of branch "ONS": it is asked for in branch "DIS" too',
        "only turns up in one branch",
    ),
    "evidence-shared": (
        '"SEAL" can\'t be evidence of branch "ONS": it is evidence of branch "DIS" too',
        "only turns up in one branch",
    ),
    "evidence-unknown-kind": ('has as its evidence "SEEL", which is no document kind', 'Did you mean "SEAL"?'),
    "flag": ('"never_required" is neither true nor false', "Write never_required = true"),
    "hint-for-nothing": ('case type "VER" has a hint for "SEAL", and doesn\'t ask for it', "There is: CERT."),
    "hints-no-table": ('"hints_uk" is not a table', "Write [case_type.hints_uk] above"),
    "kind-key": ('"never_requird" means nothing here', 'Did you mean "never_required"?'),
    "kind-not-a-list": ('"kind" is not a list of tables', "Write each as [[kind]]."),
    "kind-twice": ('"CERT" is there already', "rename it"),
    "name-empty": ('"uk" is not a line of text', 'Write uk = "…".'),
    "name-of-two-lines": ('"uk" is not a line of text', 'Write uk = "…".'),
    "never-counts-as": ('"SEAL" never counts as "CERTS", which is no other', 'Did you mean "CERT"?'),
    "never-counts-as-itself": ('"SEAL" never counts as "SEAL", which is no other', "There is: CERT, BILL."),
    "never-counts-as-no-list": ('"never_counts_as" is not a list of codes', "Write never_counts_as = ["),
    "no-case-types": ("there is no [[case_type]]", "`skrynka init`"),
    "no-kinds": ("there is no [[kind]]", "`skrynka init`"),
    "nothing-required": ('case type "VER" can be complete without any paper', "always_reviewed = true"),
    "nothing-required-by-provider": ('case type "VER" can be complete without any paper', "always_reviewed = true"),
    "provider-twice": ('"KTE" is there already', "rename it"),
    "requires-a-list": ('case type "VER" has a requirement that can\'t be read', 'Write "KIND", { all = […] }'),
    "requires-all-and-any": ('case type "VER" has a requirement that can\'t be read', 'Write "KIND", { all = […] }'),
    "requires-built-in": ('case type "VER" requires "COVER", which is never required', "Ask for another kind."),
    "requires-never-required": ('case type "VER" requires "BILL", which is never required', "Ask for another kind."),
    "requires-number-within": ('case type "VER" has a requirement that can\'t be read', 'Write "KIND", { all = […] }'),
    "requires-other-word": ('case type "VER" has a requirement that can\'t be read', 'Write "KIND", { all = […] }'),
    "requires-unknown-kind": ('case type "VER" requires "CRET", which is no document kind', 'Did you mean "CERT"?'),
    "review-reason": ('a paper can\'t be for review as "unfit_metre"', 'Did you mean "unfit_meter"?'),
    "rule-says-nothing": ('provider "KTE" of case type "VER" asks for nothing else', "branches.CODE"),
    "rule-twice": ('"KTE" is there already', "rename it"),
    "rule-unknown-branch": ('names branch "ONZ", which the case type doesn\'t have', 'Did you mean "ONS"?'),
    "rule-unknown-kind": ('provider "KTE" of case type "VER" requires "SEAM"', 'Did you mean "SEAL"?'),
    "rule-unknown-provider": ('provider "KTT" of case type "VER" is no provider', 'Did you mean "KTE"?'),
    "syntax": ("this isn't TOML: Unclosed array.", "https://toml.io"),
    "too-many-ways": ('case type "VER" can be completed in more than 500 ways', "fewer any-of lists"),
    "top-level-key": ('"case_types" means nothing here', 'Did you mean "case_type"?'),
    "unfinished": ("this isn't TOML: Unclosed array.", "https://toml.io"),
}


@pytest.mark.parametrize("path", sorted(BAD.glob("bad-*.toml")), ids=lambda path: path.stem.removeprefix("bad-"))
def test_a_mistake_is_told_with_its_line_and_with_what_to_write_instead(path: Path) -> None:
    message, remedy = TOLD[path.stem.removeprefix("bad-")]
    (line,) = (number for number, line in enumerate(path.read_text().split("\n"), 1) if "# <- here" in line)
    with pytest.raises(ConfigurationError) as refused:
        load_catalogue(path)
    assert refused.value.message.startswith(f"{path.name}:{line}: ")
    assert message in refused.value.message
    assert remedy in refused.value.remedy


def test_every_mistake_that_is_told_has_its_file() -> None:
    assert {path.stem.removeprefix("bad-") for path in BAD.glob("bad-*.toml")} == set(TOLD)


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(ConfigurationError, match=r"^case_types\.toml can't be read: No such file") as refused:
        load_catalogue(Path("/nowhere/case_types.toml"))
    assert "skrynka init" in refused.value.remedy


def test_a_file_that_is_not_utf_8_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "case_types.toml"
    path.write_bytes('[[kind]]\ncode = "CERT"\nuk = "свідоцтво"\n'.encode("cp1251"))
    with pytest.raises(ConfigurationError, match=r"^case_types\.toml:3: this isn't UTF-8\."):
        load_catalogue(path)


def test_an_empty_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "case_types.toml"
    path.touch()
    with pytest.raises(ConfigurationError, match=r"^case_types\.toml:1: there is no \[\[kind\]\]"):
        load_catalogue(path)


def test_the_shipped_kinds_are_those_of_the_domain() -> None:
    assert {kind.code: (kind.names.uk, kind.names.en) for kind in load_catalogue(SHIPPED).kinds} == {
        "CERT": ("свідоцтво про повірку", "verification certificate"),
        "PROTOCOL": ("протокол повірки", "verification protocol"),
        "WORKS": ("акт виконаних робіт", "completed-works act"),
        "DISMANTLE": ("акт демонтажу", "dismantling act"),
        "INSTALL": ("акт монтажу", "installation act"),
        "SEAL": ("акт опломбування", "sealing act"),
        "UNSEAL": ("акт розпломбування", "unsealing act"),
        "PASSPORT": ("паспорт приладу обліку", "meter passport"),
        "PHOTO": ("фото лічильника", "meter photo"),
        "APPLICATION": ("заява", "application"),
        "UNFIT": ("довідка про непридатність", "unfitness notice"),
        "BILL": ("рахунок-повідомлення", "bill"),
        "COVER": ("супровідний аркуш", "the case sheet itself"),
        "UNSORTED": ("не розібрано", "not yet told apart"),
    }


def test_the_shipped_flags_are_those_of_the_domain() -> None:
    shipped = load_catalogue(SHIPPED)
    assert {kind.code for kind in shipped.kinds if kind.never_required} == {"BILL", "COVER", "UNSORTED"}
    assert {kind.code: kind.review for kind in shipped.kinds if kind.review} == {"UNFIT": ReviewReason.UNFIT_METER}
    assert {kind.code: kind.never_counts_as for kind in shipped.kinds if kind.never_counts_as} == {"UNFIT": {"CERT"}}
    assert [case_type.code for case_type in shipped.case_types if case_type.always_reviewed] == ["OTH"]
    assert [provider.code for provider in shipped.providers] == ["KTE", "KVK"]
    assert shipped.kinds[-2:] == BUILT_IN_KINDS


NEW_TYPE = """
[[kind]]
code = "POWER"
uk = "довіреність"
en = "power of attorney"
hint_uk = "копія"

[[case_type]]
code = "OWN"
uk = "зміна власника"
en = "change of owner"
requires = { all = ["APPLICATION", { any = ["PASSPORT", "PHOTO"] }] }

[[case_type.branch]]
code = "SELF"
uk = "власник особисто"
en = "the owner"
requires = "CERT"
evidence = ["CERT"]

[[case_type.branch]]
code = "PROXY"
uk = "за довіреністю"
en = "by proxy"
requires = "POWER"
evidence = ["POWER"]

[[case_type.provider]]
code = "KVK"
requires = { all = ["APPLICATION", "PASSPORT"] }
branches.PROXY = { all = ["POWER", "SEAL"] }

[[case_type.provider]]
code = "KTE"
branches.SELF = { any = ["CERT", "WORKS"] }
"""


def test_a_file_may_be_saved_as_windows_editors_do(tmp_path: Path) -> None:
    path = tmp_path / "case_types.toml"
    path.write_bytes(SHIPPED.read_text().replace("\n", "\r\n").encode("utf-8-sig"))
    assert load_catalogue(path) == load_catalogue(SHIPPED)


def test_a_new_case_type_is_configuration_alone(tmp_path: Path) -> None:
    path = tmp_path / "case_types.toml"
    path.write_text(SHIPPED.read_text() + NEW_TYPE)
    extended = load_catalogue(path)
    own = extended.case_type("OWN")
    assert own is not None
    assert own.names.uk == "зміна власника"
    assert own.requires == AllOf((Needed("APPLICATION"), AnyOf((Needed("PASSPORT"), Needed("PHOTO")))))
    assert own.rules == (
        ProviderRule(
            "KVK",
            AllOf((Needed("APPLICATION"), Needed("PASSPORT"))),
            (("PROXY", AllOf((Needed("POWER"), Needed("SEAL")))),),
        ),
        ProviderRule("KTE", None, (("SELF", AnyOf((Needed("CERT"), Needed("WORKS")))),)),
    )

    handed_in = [frozenset({"APPLICATION"}), frozenset({"POWER", "PHOTO"})]
    assert evaluate(extended, "OWN", None, (), handed_in).state is CompletenessState.COMPLETE
    assert evaluate(extended, "OWN", None, ("KTE", "KVK"), handed_in).missing == (
        BranchMissing("PROXY", (("SEAL", "PASSPORT"),)),
    )
    assert evaluate(extended, "OWN", None, (), []).missing == (
        BranchMissing("SELF", (("CERT", "PASSPORT", "APPLICATION"), ("CERT", "PHOTO", "APPLICATION"))),
        BranchMissing("PROXY", (("PASSPORT", "APPLICATION", "POWER"), ("PHOTO", "APPLICATION", "POWER"))),
    )
    printed = checklist(extended, "OWN", "PROXY", ("KVK",))
    assert [line.alternatives[0][0].names.uk for line in printed.entries] == [
        "заява",
        "паспорт приладу обліку",
        "довіреність",
        "акт опломбування",
    ]
    assert printed.entries[2].alternatives[0][0].hint_uk == "копія"


def test_a_provider_may_ask_for_nothing_where_a_branch_still_asks(tmp_path: Path) -> None:
    path = tmp_path / "case_types.toml"
    rule = '\n[[case_type.provider]]\ncode = "KVK"\nrequires = { all = [] }\n\n[[case_type]]\ncode = "NUM"\n'
    path.write_text(SHIPPED.read_text().replace('\n[[case_type]]\ncode = "NUM"\n', rule))
    verdict = evaluate(load_catalogue(path), "VER", "ONS", ("KVK",), [frozenset({"WORKS"})])
    assert verdict.state is CompletenessState.COMPLETE


def test_a_type_without_any_requirement_is_for_a_person() -> None:
    assert evaluate(load_catalogue(SHIPPED), "OTH", None, ("KTE",), []) == Completeness(
        CompletenessState.COMPLETE, reviews=(ReviewReason.ALWAYS_REVIEWED,)
    )
