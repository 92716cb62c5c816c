from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from skrynka.core.flaws import Flaw
from skrynka.core.reasons import FindingReason, QuarantineReason, ReviewReason
from skrynka.core.routing_code import GRAMMAR
from skrynka.logs import describe_catalogue
from skrynka.store.views import VIEWS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES = README.splitlines()


def row(*cells: str) -> str:
    """A row's beginning, as Markdown writes it."""
    return "| " + " | ".join(cells) + " |"


@pytest.mark.parametrize("event", describe_catalogue(), ids=lambda event: event.name)
def test_every_event_of_the_log_stands_in_the_readme(event: object) -> None:
    told = row(f"`{event.name}`", event.level, event.meaning, event.remedy)  # type: ignore[attr-defined] - a row
    assert told in LINES


@pytest.mark.parametrize("reason", [*ReviewReason, *FindingReason])
def test_every_reason_for_review_stands_in_the_readme(reason: ReviewReason | FindingReason) -> None:
    assert row(f"`{reason}`", reason.sentence) in LINES


@pytest.mark.parametrize("reason", list(QuarantineReason))
def test_every_reason_for_quarantine_stands_in_the_readme_with_its_remedy(reason: QuarantineReason) -> None:
    about = reason.about
    retry = "yes" if about.retry_can_help else "no"
    assert row(f"`{reason}`", about.sentence, about.fault, retry, about.remedy) in LINES


@pytest.mark.parametrize("flaw", list(Flaw))
def test_every_flaw_that_an_audit_can_find_stands_in_the_readme_with_its_remedy(flaw: Flaw) -> None:
    about = flaw.about
    mends = "yes" if about.mends else "no"
    assert row(f"`{flaw}`", about.weight, about.fault, about.sentence, mends, about.remedy) in LINES


@pytest.mark.parametrize("tag", GRAMMAR, ids=lambda tag: tag.tag)
def test_every_tag_of_the_routing_code_stands_in_the_readme(tag: object) -> None:
    assert any(line.startswith(f"| `{tag.tag}` | {tag.meaning}") for line in LINES)  # type: ignore[attr-defined] - a row


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_stands_in_the_readme(view: str) -> None:
    assert f"- `{view}`" in README


def test_every_dependency_has_its_reason_in_the_readme() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = [name.split(">=")[0].split("[")[0] for name in told]
    reasons = README.split("## Dependencies, and why")[1].lower()
    assert [name for name in names if name.lower() not in reasons] == []
