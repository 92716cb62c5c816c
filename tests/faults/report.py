"""The accumulated report: what every row of the fault table has come to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.faults.ledger import Ledger
from tests.faults.row import Row

_SHOWN = 5
"""Failures that are told of each row; the rest stand in its ledger."""


def report(rows: Sequence[Row], folder: Path, source: str) -> str:
    """Write the report over the ledgers in `folder`, as Markdown; `source` is the source as it is now."""
    lines = [
        "# Faults injected",
        "",
        f"The source is {source} now.",
        "",
        "| row | what is done to the station | injected | wanted | invariant failed | seeds | minutes | how far |",
        "|---|---|---|---|---|---|---|---|",
    ]
    ledgers = [(row, Ledger(folder, row.name)) for row in rows]
    for row, ledger in ledgers:
        seeds = dict.fromkeys(str(entry.seed) for entry in ledger.entries)
        cells = [
            row.name,
            row.title,
            str(len(ledger.entries)),
            "all there are" if row.wanted is None else str(row.wanted),
            str(ledger.failed),
            " ".join(seeds),
            f"{ledger.minutes:.1f}",
            how_far(row, ledger, source),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", *(line for row, ledger in ledgers for line in _failures(row, ledger))]
    return "\n".join(lines).rstrip() + "\n"


def done(row: Row, ledger: Ledger) -> bool:
    """Say whether no fault of a row is left to inject."""
    return ledger.complete or (row.wanted is not None and ledger.next_number > row.wanted)


def how_far(row: Row, ledger: Ledger, source: str) -> str:
    """Say how far a row has come, and whether all of it was into the source as it is now."""
    count = len(ledger.entries)
    if ledger.unable:
        told = f"not possible here: {ledger.unable}"
    elif not count:
        told = "not begun"
    elif done(row, ledger):
        told = "in full"
    else:
        told = f"broken off after {count}" + (f" of {row.wanted}" if row.wanted is not None else "")
    earlier = sum(entry.source != source for entry in ledger.entries)
    return told + (f"; {earlier} of them into an earlier source" if earlier else "")


def repeating(row: str, seed: int, number: int) -> str:
    """Give the command that injects one fault again."""
    return f"python -m tests.faults.torture --row {row} --seed {seed} --number {number}"


def _failures(row: Row, ledger: Ledger) -> list[str]:
    failed = [entry for entry in ledger.entries if entry.wrong]
    if not failed:
        return []
    lines = [f"## {row.name}: {len(failed)} failed", ""]
    for entry in failed[:_SHOWN]:
        lines += [f"- fault {entry.number}, {entry.at}: `{repeating(row.name, entry.seed, entry.number)}`"]
        lines += [f"  - {sentence}" for sentence in entry.wrong[:_SHOWN]]
    return [*lines, ""]
