"""The catalogue as a TOML file (`case_types.toml`): read strictly, and refused where it makes no sense.

The first mistake is told with its line. Beside spelling, what is refused is a configuration by which a case could be
judged wrongly: papers that are evidence of a branch and asked for outside it, or a type that nothing is required for
and that nobody looks at.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from skrynka.core.catalogue import (
    BUILT_IN_KINDS,
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
from skrynka.core.reasons import ReviewReason
from skrynka.core.requirements import applicable, ways
from skrynka.toml_tables import Place, Table, read_toml, suggest

_CODE = re.compile(r"[A-Z][A-Z0-9]{0,11}")
"""What a code may be: narrower than the routing code's grammar, so that a set of them fits on a sheet."""
_MOST_WAYS = 500
"""The most ways in which a case may be completed. Comparing them all takes milliseconds up to here; nobody can
choose among more."""
_KIND_REVIEWS = (ReviewReason.UNFIT_METER,)
"""The reasons for review that a paper can give by being there."""


def load_catalogue(path: Path) -> Catalogue:
    """Read the catalogue. Raises ConfigurationError, with the line and what to write instead."""
    root = read_toml(path)
    root.allow("kind", "provider", "case_type")
    tables = {key: root.tables(key) for key in ("kind", "provider", "case_type")}
    for key in ("kind", "case_type"):
        if not tables[key]:
            raise root.wrong(f"there is no [[{key}]]", "`skrynka init` in a new folder writes a commented example.")
    codes = _codes(tables["kind"], reserved=[kind.code for kind in BUILT_IN_KINDS])
    kinds = (*(_kind(table, codes) for table in tables["kind"]), *BUILT_IN_KINDS)
    _codes(tables["provider"])
    providers = tuple(_provider(table) for table in tables["provider"])
    _codes(tables["case_type"])
    reading = _CaseTypes({kind.code: kind for kind in kinds}, [provider.code for provider in providers])
    return Catalogue(kinds, providers, tuple(reading.case_type(table) for table in tables["case_type"]))


def _codes(tables: Sequence[Table], reserved: Sequence[str] = ()) -> list[str]:
    """Give the tables' codes, each well formed, free and there once."""
    taken: list[str] = []
    for table in tables:
        code = table.words("code")
        if not _CODE.fullmatch(code):
            raise table.wrong(
                f'"{code}" is no code', "A letter A–Z, then letters and digits, 12 characters at most.", at=("code",)
            )
        if code in reserved:
            raise table.wrong(f'"{code}" is built in', "Choose another code.", at=("code",))
        if code in taken:
            raise table.wrong(f'"{code}" is there already', "Drop one of the two, or rename it.", at=("code",))
        taken.append(code)
    return taken


def _names(table: Table) -> Names:
    return Names(uk=table.words("uk"), en=table.words("en"))


def _kind(table: Table, codes: Sequence[str]) -> DocumentKind:
    table.allow("code", "uk", "en", "hint_uk", "never_required", "review", "never_counts_as")
    code = table.words("code")
    others = [other for other in codes if other != code]
    for other in table.codes("never_counts_as"):
        if other not in others:
            raise table.wrong(
                f'"{code}" never counts as "{other}", which is no other document kind',
                suggest(other, others),
                at=("never_counts_as",),
                word=other,
            )
    review = table.words("review", "")
    if review and review not in _KIND_REVIEWS:
        raise table.wrong(f'a paper can\'t be for review as "{review}"', suggest(review, _KIND_REVIEWS), at=("review",))
    return DocumentKind(
        code=code,
        names=_names(table),
        hint_uk=table.words("hint_uk", ""),
        never_required=table.flag("never_required"),
        review=ReviewReason(review) if review else None,
        never_counts_as=frozenset(table.codes("never_counts_as")),
    )


def _provider(table: Table) -> Provider:
    table.allow("code", "uk", "en")
    return Provider(table.words("code"), _names(table))


@dataclass(frozen=True, slots=True)
class _CaseTypes:
    """Reads case types against the kinds and providers that there are."""

    kinds: Mapping[str, DocumentKind]
    providers: Sequence[str]

    def case_type(self, table: Table) -> CaseType:
        table.allow("code", "uk", "en", "requires", "branch", "provider", "always_reviewed", "hints_uk")
        code = table.words("code")
        owner = f'case type "{code}"'
        branches = table.tables("branch")
        branch_codes = _codes(branches)
        made = CaseType(
            code=code,
            names=_names(table),
            requires=self._required(table, owner) or NOTHING,
            branches=tuple(self._branch(branch, owner) for branch in branches),
            rules=self._rules(table, owner, branch_codes),
            always_reviewed=table.flag("always_reviewed"),
            hints_uk=tuple((kind, table.table("hints_uk").words(kind)) for kind in table.table("hints_uk").values),
        )
        _check_ways(table, made, owner)
        _check_evidence(table, made)
        _check_hints(table, made, owner)
        return made

    def _branch(self, table: Table, owner: str) -> Branch:
        table.allow("code", "uk", "en", "requires", "evidence")
        code = table.words("code")
        owner = f'branch "{code}" of {owner}'
        requires = self._required(table, owner)
        if requires is None:
            raise table.wrong(f'{owner} lacks "requires"', 'Write requires = "KIND", { all = […] } or { any = […] }.')
        evidence = table.codes("evidence")
        if not evidence:
            raise table.wrong(
                f"nothing is evidence of {owner}", 'Write evidence = ["KIND"]: the papers that only turn up in it.'
            )
        for kind in evidence:
            self._check_kind(table, ("evidence",), kind, f"{owner} has as its evidence")
        return Branch(code, _names(table), requires, frozenset(evidence))

    def _rules(self, table: Table, owner: str, branches: Sequence[str]) -> tuple[ProviderRule, ...]:
        rules = table.tables("provider")
        _codes(rules)
        return tuple(self._rule(rule, owner, branches) for rule in rules)

    def _rule(self, table: Table, owner: str, branches: Sequence[str]) -> ProviderRule:
        table.allow("code", "requires", "branches")
        code = table.words("code")
        owner = f'provider "{code}" of {owner}'
        if code not in self.providers:
            raise table.wrong(f"{owner} is no provider", suggest(code, self.providers), at=("code",))
        for branch in table.table("branches").values:
            if branch not in branches:
                raise table.wrong(
                    f'{owner} names branch "{branch}", which the case type doesn\'t have',
                    suggest(branch, branches),
                    at=("branches", branch),
                )
        if not {"requires", "branches"} & set(table.values):
            raise table.wrong(f"{owner} asks for nothing else", "Write `requires` or `branches.CODE`, or drop it.")
        return ProviderRule(
            code,
            self._required(table, owner),
            tuple(
                (branch, self._requirement(table, ("branches", branch), owner, value))
                for branch, value in table.table("branches").values.items()
            ),
        )

    def _required(self, table: Table, owner: str) -> Requirement | None:
        if "requires" not in table.values:
            return None
        return self._requirement(table, ("requires",), owner, table.values["requires"])

    def _requirement(self, table: Table, at: Place, owner: str, value: object) -> Requirement:
        return NOTHING if value == {"all": []} else self._part(table, at, owner, value)

    def _part(self, table: Table, at: Place, owner: str, value: object) -> Requirement:
        match value:
            case str(kind):
                self._check_kind(table, at, kind, f"{owner} requires")
                return Needed(kind)
            case {"all": [_, *_] as parts, **rest} if not rest:
                return AllOf(tuple(self._part(table, at, owner, part) for part in parts))
            case {"any": [_, *_] as parts, **rest} if not rest:
                return AnyOf(tuple(self._part(table, at, owner, part) for part in parts))
            case {"all": []} | {"any": []}:
                raise table.wrong(
                    f"{owner} has an empty list in its requirement", "Name the kinds, or drop the list.", at=at
                )
            case _:
                raise table.wrong(
                    f"{owner} has a requirement that can't be read",
                    'Write "KIND", { all = […] } or { any = […] }.',
                    at=at,
                )

    def _check_kind(self, table: Table, at: Place, kind: str, saying: str) -> None:
        if kind not in self.kinds:
            known = [code for code, one in self.kinds.items() if not one.never_required]
            raise table.wrong(f'{saying} "{kind}", which is no document kind', suggest(kind, known), at=at, word=kind)
        if self.kinds[kind].never_required:
            raise table.wrong(f'{saying} "{kind}", which is never required', "Ask for another kind.", at=at, word=kind)


def _situations(case_type: CaseType) -> Iterator[tuple[Branch | None, tuple[str, ...]]]:
    """Give every branch with every provider whose rule may count, and with none."""
    for branch in case_type.branches or (None,):
        yield branch, ()
        for rule in case_type.rules:
            yield branch, (rule.provider,)


def _asked_for(case_type: CaseType) -> set[str]:
    found = (ways(applicable(case_type, *situation)) for situation in _situations(case_type))
    return {kind for some in found for way in some for kind in way}


def _check_hints(table: Table, case_type: CaseType, owner: str) -> None:
    asked = _asked_for(case_type)
    for kind, _ in case_type.hints_uk:
        if kind not in asked:
            raise table.wrong(
                f'{owner} has a hint for "{kind}", and doesn\'t ask for it',
                suggest(kind, sorted(asked)),
                at=("hints_uk", kind),
            )


def _count(requirement: Requirement) -> int:
    """Count the ways, equal ones and all: cheap, where listing them isn't."""
    if isinstance(requirement, Needed):
        return 1
    counts = [_count(part) for part in requirement.parts]
    return sum(counts) if isinstance(requirement, AnyOf) else math.prod(counts)


def _check_ways(table: Table, case_type: CaseType, owner: str) -> None:
    everybody = (*(rule.provider for rule in case_type.rules), "")
    for branch in case_type.branches or (None,):
        evidence = len(branch.evidence) if branch is not None else 1
        if _count(applicable(case_type, branch, everybody)) * evidence > _MOST_WAYS:
            raise table.wrong(
                f"{owner} can be completed in more than {_MOST_WAYS} ways", "Leave less choice: fewer any-of lists."
            )
    if case_type.always_reviewed:
        return
    for situation in _situations(case_type):
        if frozenset() in ways(applicable(case_type, *situation)):
            raise table.wrong(
                f"{owner} can be complete without any paper", "Say what it requires, or write always_reviewed = true."
            )


def _check_evidence(table: Table, case_type: CaseType) -> None:
    """Refuse evidence that a case of another branch could hold: handing in what is missing must never mix branches."""
    for place, branch in enumerate(case_type.branches):
        for other in case_type.branches:
            if other is branch:
                continue
            shared = branch.evidence & other.evidence
            required = branch.evidence & {
                kind
                for rule in ((), *((rule.provider,) for rule in case_type.rules))
                for way in ways(applicable(case_type, other, rule))
                for kind in way
            }
            for kind in sorted(shared | required):
                too = "is evidence of" if kind in shared else "is asked for in"
                raise table.wrong(
                    f'"{kind}" can\'t be evidence of branch "{branch.code}": it {too} branch "{other.code}" too',
                    "Evidence is what only turns up in one branch.",
                    at=("branch", place, "evidence"),
                    word=kind,
                )
