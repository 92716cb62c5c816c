"""What the configuration says about cases: document kinds, providers, case types, and what each case type requires.

The values only: `catalogue_file` reads them from TOML and refuses what makes no sense, `requirements` evaluates them.
Every collection keeps the order of the configuration, which is the order in which people are shown things.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from skrynka.core.model import COVER, UNSORTED
from skrynka.core.reasons import ReviewReason


@dataclass(frozen=True, slots=True)
class Names:
    """What people call a thing: on paper in Ukrainian, in the program in English."""

    uk: str
    en: str


@dataclass(frozen=True, slots=True)
class Needed:
    """A paper of this kind."""

    kind: str


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part. Of no parts: nothing is required."""

    parts: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part. Raises ValueError where there is none: nothing could ever meet it."""

    parts: tuple[Requirement, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError("an any-of needs at least one alternative")


Requirement = Needed | AllOf | AnyOf
"""What must be handed in, nested as deep as need be."""

NOTHING = AllOf(())
"""The requirement that every case meets."""


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """What a paper can be."""

    code: str
    names: Names
    hint_uk: str = ""
    """Printed after the name on a checklist, unless the case type says something else there."""
    never_required: bool = False
    """No case type may ask for it: a bill, our own sheet."""
    review: ReviewReason | None = None
    """A person looks at every case that holds such a paper, whatever its type."""
    never_counts_as: frozenset[str] = frozenset()
    """Kinds that a paper of this kind isn't, even where it is declared to be both."""


BUILT_IN_KINDS: tuple[DocumentKind, ...] = (
    DocumentKind(COVER, Names("супровідний аркуш", "the case sheet itself"), never_required=True),
    DocumentKind(UNSORTED, Names("не розібрано", "not yet told apart"), never_required=True),
)
"""The kinds that the program gives out itself: no sheet declares them, and no configuration defines them."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A utility that papers are taken for (виконавець послуг)."""

    code: str
    names: Names


@dataclass(frozen=True, slots=True)
class Branch:
    """One of the ways in which a case of a type can have come about, with what it requires on top.

    Raises ValueError where nothing is evidence of it: an undeclared case of such a branch could never be completed.
    """

    code: str
    names: Names
    requires: Requirement
    evidence: frozenset[str]
    """The kinds that only turn up in this branch: any of them tells it, where the sheet doesn't."""

    def __post_init__(self) -> None:
        if not self.evidence:
            raise ValueError("a branch needs at least one kind that is evidence of it")


@dataclass(frozen=True, slots=True)
class ProviderRule:
    """What one provider asks for instead of what the case type asks for."""

    provider: str
    requires: Requirement | None = None
    """In place of the case type's `requires`; None leaves it."""
    branches: tuple[tuple[str, Requirement], ...] = ()
    """In place of the `requires` of the branches named; the others stay."""


@dataclass(frozen=True, slots=True)
class CaseType:
    """What a submission is about, and which papers make it complete."""

    code: str
    names: Names
    requires: Requirement = NOTHING
    """Of every case of the type, whatever its branch."""
    branches: tuple[Branch, ...] = ()
    rules: tuple[ProviderRule, ...] = ()
    """At most one per provider."""
    always_reviewed: bool = False
    hints_uk: tuple[tuple[str, str], ...] = ()
    """Document kind and what a checklist of this type says after its name: "with the readings of today"."""

    def branch(self, code: str | None) -> Branch | None:
        """Give the branch of that code; None where the type has none such."""
        return _find(self.branches, code)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that sheets may name. `kinds` holds the configured ones, then the built-in ones."""

    kinds: tuple[DocumentKind, ...]
    providers: tuple[Provider, ...]
    case_types: tuple[CaseType, ...]

    def kind(self, code: str | None) -> DocumentKind | None:
        """Give the document kind of that code, built-in ones included; None where there is none such."""
        return _find(self.kinds, code)

    def provider(self, code: str | None) -> Provider | None:
        """Give the provider of that code; None where there is none such."""
        return _find(self.providers, code)

    def case_type(self, code: str | None) -> CaseType | None:
        """Give the case type of that code; None where there is none such."""
        return _find(self.case_types, code)

    @property
    def declarable_kinds(self) -> tuple[DocumentKind, ...]:
        """The kinds that a document sheet may declare: all but the built-in ones."""
        return tuple(kind for kind in self.kinds if kind not in BUILT_IN_KINDS)

    def in_order(self, kinds: Iterable[str]) -> tuple[str, ...]:
        """Sort codes of document kinds as the configuration does; unknown ones come last, by the alphabet."""
        places = {kind.code: place for place, kind in enumerate(self.kinds)}
        return tuple(sorted(kinds, key=lambda code: (places.get(code, len(places)), code)))


class _Coded(Protocol):
    @property
    def code(self) -> str: ...


_Found = TypeVar("_Found", bound=_Coded)


def _find(things: tuple[_Found, ...], code: str | None) -> _Found | None:
    return next((thing for thing in things if thing.code == code), None)
