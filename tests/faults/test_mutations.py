"""Mutated scans: five hundred of them, and that the row would tell if anything were wrong."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.faults import mutants, mutations
from tests.faults.mutants import mutant
from tests.faults.sources import draw_sources
from tests.faults.torture import collected
from tests.support.stored_documents import ids_in_pdf

SEED = 1


def faults(folder: Path, number: int) -> dict[str, tuple[str, ...]]:
    """Inject so many; give what was wrong with those that anything was wrong with."""
    with closing(mutations.inject(folder, SEED, 1)) as injected:  # type: ignore[type-var] - it is a generator
        return {f"{one.number} {one.at}": one.wrong for one in islice(injected, number) if one.wrong}


def test_five_hundred_mutated_scans_leave_the_daemon_as_it_was_and_each_is_filed_or_in_quarantine_for_its_reason(
    tmp_path: Path,
) -> None:
    assert faults(tmp_path, 500) == {}


def test_an_outcome_that_its_class_doesnt_allow_and_a_page_that_isnt_the_scans_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def expecting_otherwise(*words: Any) -> mutants.Mutant:  # noqa: ANN401 - passed on
        made = mutant(*words)
        stranger = replace(made.source, page_ids=(1,) * len(made.source.page_ids))
        data = made.source.numbered(made.number)
        return replace(made, data=data, source=stranger, intact=made.number % 2 == 0, outcomes=frozenset())

    monkeypatch.setattr(mutations, "ROUND", 4)
    monkeypatch.setattr(mutations, "mutant", expecting_otherwise)
    wrong = faults(tmp_path, 4)
    assert len(wrong) == 4
    assert all(sentences[0] == "it ended as filed, page None" for sentences in wrong.values())
    assert any("in its place lies" in sentence for sentences in wrong.values() for sentence in sentences)


def test_a_number_gives_the_same_mutant_again_and_every_class_has_its_turn() -> None:
    sources = draw_sources()
    made = [mutant(SEED, number, sources) for number in range(1, 400)]
    assert [mutant(SEED, number, sources).data for number in (1, 7, 399)] == [
        made[0].data,
        made[6].data,
        made[398].data,
    ]
    assert len({one.data for one in made}) == len(made)
    assert {one.what.rpartition(", ")[0] for one in made} == {kind.name for kind in mutants._CLASSES}  # noqa: SLF001


def test_every_source_says_of_itself_what_lies_in_it() -> None:
    for source in draw_sources():
        assert len({source.numbered(1), source.numbered(2), source.data}) == 3
        assert {len(source.numbered(1)), len(source.numbered(12_345))} == {len(source.data)}
        if source.is_pdf:
            assert ids_in_pdf(source.numbered(12_345)) == list(source.page_ids)


def test_the_long_run_knows_the_row() -> None:
    (row,) = (row for row in collected() if row.name == "mutations")
    assert row.wanted == 20_000
