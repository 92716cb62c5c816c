"""A judged plan as JSON: it is stored before anything is cut, and a redo after a crash cuts by the stored one."""

from __future__ import annotations

from functools import cache

from pydantic import TypeAdapter, ValidationError

from skrynka.core.errors import ConservationBroken
from skrynka.core.judging import JudgedPlan
from skrynka.core.requirements import BranchMissing


@cache
def _plan() -> TypeAdapter[JudgedPlan]:
    return TypeAdapter(JudgedPlan)


@cache
def _missing() -> TypeAdapter[tuple[BranchMissing, ...]]:
    return TypeAdapter(tuple[BranchMissing, ...])


def plan_to_json(plan: JudgedPlan) -> str:
    """Write a plan."""
    return _plan().dump_json(plan).decode()


def plan_from_json(text: str) -> JudgedPlan:
    """Read a plan back. Raises ConservationBroken for what isn't one (the message quotes nothing of it)."""
    try:
        return _plan().validate_json(text)
    except ValidationError:
        raise ConservationBroken("a stored plan can't be read back") from None


def missing_to_json(missing: tuple[BranchMissing, ...]) -> str:
    """Write what a case lacks: a list of {"branch", "sets": [[kind...]...]}."""
    return _missing().dump_json(missing).decode()


def missing_from_json(text: str) -> tuple[BranchMissing, ...]:
    """Read back what a case lacks."""
    return _missing().validate_json(text)
