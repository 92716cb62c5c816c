"""The report: tables in Markdown over what is on record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.benchmarks.throughput import growth, idle, ratios, where_time_goes
from tests.benchmarks.throughput.figures import AGAINST, DAEMON, Spread, cpu_a_page, rate
from tests.benchmarks.throughput.figures import ratios as ratios_of
from tests.benchmarks.throughput.ledger import Entry
from tests.benchmarks.throughput.machine import describe
from tests.benchmarks.throughput.material import STACKS, TITLES
from tests.benchmarks.throughput.picture import draw
from tests.benchmarks.throughput.run import Run

_LETTERS = {**{name: letter for letter, name in AGAINST.items()}, DAEMON: "d", ratios.IN_FILES: "d, in files of 40"}

_BY_PROCESSOR = """By processor time a page, which other work on the machine changes little: how much less the daemon
takes. With all of N cores at work it would be so many times as fast as c, and N times so many times as fast as a and b,
which use one."""


def picture(run: Run) -> str | None:
    """Draw the ratios; None where there are none yet."""
    entries = {look: run.entries(ratios.PART, stack=look, of=run.pages) for look in STACKS}
    compared = {look: ratios_of(found) for look, found in entries.items()}
    measured = [entry for found in entries.values() for entry in found]
    return draw(compared, describe(run.source, measured)) if any(compared.values()) else None


def report(run: Run) -> str:
    """Write all that is known of the source as it is now."""
    lines = ["# Throughput", "", describe(run.source, run.measured()), ""]
    lines += _ratio_lines(run)
    lines += where_time_goes.lines(run.entries(where_time_goes.PART, of=run.pages))
    lines += growth.lines(run)
    lines += idle.lines(run)
    return "\n".join(lines).rstrip() + "\n"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Write a table; the first column is words, the rest figures. Raises ValueError for a row of other length."""
    if any(len(row) != len(heads) for row in rows):
        raise ValueError("a row has more or fewer cells than there are headings")
    return [
        f"| {' | '.join(heads)} |",
        f"|---|{'---:|' * (len(heads) - 1)}",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
    ]


def _ratio_lines(run: Run) -> list[str]:
    entries = {look: run.entries(ratios.PART, stack=look, of=run.pages) for look in STACKS}
    if not any(entries.values()):
        return []
    rows, rates, starts, costs = [], [], [], []
    for look, found in entries.items():
        rows.append([TITLES[look], *_by_letter(ratios_of(found), c=2)])
        costs.append([TITLES[look], *_by_letter(ratios_of(found, cost=cpu_a_page), a=2, b=2, c=2)])
        for name, letter in sorted(_LETTERS.items(), key=lambda pair: pair[1]):
            of = [entry for entry in found if entry["alternative"] == name]
            if of:
                rates.append([f"{TITLES[look]}: {letter}", *_of_one(of)])
        starts += [[TITLES[look], *_of_daemon([each for each in found if each["alternative"] == DAEMON])]]
    return [
        f"## The daemon and its alternatives, {run.pages} pages",
        "",
        "Ratios of pages a second: the median over repetitions, with the least and the most.",
        "",
        *table(["stack", "d/a", "d/b", "d/c"], rows),
        _BY_PROCESSOR,
        "",
        *table(["stack", "a/d", "b/d", "c/d"], costs),
        *table(["", "pages/s", "ms of a processor a page", "peak PSS, MB", "of it anonymous, MB"], rates),
        *table(
            [
                "the daemon",
                "start-up, s",
                "first scan of one page, s",
                "settling, s",
                "claim to archive, s",
                "to read, s",
                "to committed, s",
                "of a processor in the daemon itself, s",
            ],
            starts,
        ),
    ]


def _by_letter(compared: Mapping[str, Spread], **digits: int) -> list[str]:
    """Write a cell for each alternative; an empty one where nothing is known of it yet."""
    return [compared[letter].written(digits.get(letter, 1)) if letter in compared else "" for letter in AGAINST]


def _of_one(of: Sequence[Entry]) -> list[str]:
    return [
        Spread.of(map(rate, of)).written(),
        Spread.of(map(cpu_a_page, of)).written(),
        f"{max(each['pss'] for each in of):.0f}",
        f"{max(each['pss_anonymous'] for each in of):.0f}",
    ]


def _of_daemon(of: Sequence[Entry]) -> list[str]:
    names = (
        "start_seconds",
        "first_seconds",
        "settle_seconds",
        "registered_after",
        "read_after",
        "seconds",
        "own_cpu_seconds",
    )
    return [Spread.of(each[name] for each in of).written(2) if of else "" for name in names]
