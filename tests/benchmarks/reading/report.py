"""What was seen, counted: by axis and severity, beside the engines alone, with 95 % bounds for what seldom happened."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.benchmarks.reading import sheets as base_sheets
from tests.benchmarks.reading.axes import EVERY
from tests.benchmarks.reading.images import NO_SHEET, PLAIN_KINDS, Key
from tests.benchmarks.reading.looking import Alone, Seen, Verdict

_SHOWN = 40
"""Images that are named one by one, so that somebody can look at them."""
_CONFIDENCE = 0.95
_TEN_THOUSAND = 10_000


@dataclass(frozen=True, slots=True)
class Looked:
    """One image, and what was seen on it."""

    seen: Seen
    alone: Alone | None
    """What the engines read, where they were asked."""
    compared: bool
    """Whether they were asked whatever the program read: only such images tell how they do beside it."""


@dataclass(frozen=True, slots=True)
class Count:
    """How the images of a cell, an axis or all axes came out."""

    images: int
    read: int
    held: int
    missed: int
    wrong: int
    crashed: int
    compared: int
    read_of_compared: int
    zxing: int
    zbar: int
    union: int
    """Of the compared: what one engine reads, what the other does, what either does."""
    held_though_read: int
    """Held, or worse, though an engine alone read it; of all images."""
    gained: int
    """Of the compared: read by the program and by neither engine alone."""

    @property
    def outdone(self) -> bool:
        """Whether the engines, each by itself, read more of the compared between them than the program did."""
        return self.union > self.read_of_compared


def count(looked: Iterable[Looked]) -> Count:
    """Count sheets."""
    all_of_them = list(looked)
    verdicts = [each.seen.verdict for each in all_of_them]
    unread = [each.alone for each in all_of_them if each.alone and each.seen.verdict is not Verdict.READ]
    both = [(each.seen.verdict is Verdict.READ, each.alone) for each in all_of_them if each.compared and each.alone]
    return Count(
        images=len(all_of_them),
        read=verdicts.count(Verdict.READ),
        held=verdicts.count(Verdict.HELD),
        missed=verdicts.count(Verdict.MISSED),
        wrong=verdicts.count(Verdict.WRONG),
        crashed=verdicts.count(Verdict.CRASHED),
        compared=len(both),
        read_of_compared=sum(read for read, _ in both),
        zxing=sum(alone.zxing_reads for _, alone in both),
        zbar=sum(alone.zbar_reads for _, alone in both),
        union=sum(alone.either_reads for _, alone in both),
        held_though_read=sum(alone.either_reads for alone in unread),
        gained=sum(read and not alone.either_reads for read, alone in both),
    )


def looked_at(
    seen: Mapping[Key, Seen], alone: Mapping[Key, Alone], keys: Iterable[Key], compared: frozenset[Key]
) -> dict[Key, Looked]:
    """Put together what is known of these images, as far as they were looked at."""
    return {key: Looked(seen[key], alone.get(key), key in compared) for key in keys if key in seen}


def report(looked: Mapping[Key, Looked], about: str) -> str:
    """Write the report over the images that were looked at, as Markdown."""
    sheets = {key: each for key, each in looked.items() if key.axis != NO_SHEET}
    plain = {key: each for key, each in looked.items() if key.axis == NO_SHEET}
    lines = ["# Reading", "", about, ""]
    if sheets:
        lines += [
            *_overall(count(sheets.values())),
            *_evidence([each.seen for each in looked.values()]),
            *_outdone(sheets),
            "",
            *_by_axis(sheets),
            "",
            *_by_severity(sheets),
            "",
        ]
    if plain:
        lines += [*_no_sheet(plain), ""]
    return "\n".join([*lines, *_to_look_at(looked)]).rstrip() + "\n"


def highest_rate(happened: int, tried: int) -> float:
    """Give the 95 % upper bound of a rate (Clopper-Pearson, one-sided); for none in n it is nearly 3 / n."""
    if happened >= tried:
        return 1.0
    low, high = happened / tried, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(happened, tried, middle) > 1 - _CONFIDENCE else (low, middle)
    return high


def _at_most(most: int, tried: int, rate: float) -> float:
    """Give the chance of at most so many."""
    return sum(
        math.exp(
            math.lgamma(tried + 1) - math.lgamma(k + 1) - math.lgamma(tried - k + 1)
            + k * math.log(rate) + (tried - k) * math.log1p(-rate)
        )
        for k in range(most + 1)
    )  # fmt: skip


def _overall(total: Count) -> list[str]:
    def bound(happened: int) -> str:
        return f"{happened} of {total.images} (95 %: below {highest_rate(happened, total.images):.3%})"

    engines = [("zxing", total.zxing), ("zbar", total.zbar), ("either", total.union)]
    beside = ", ".join(f"{name} {read}" for name, read in engines)
    happened = f"silently missed: {bound(total.missed)}; wrongly read: {bound(total.wrong)}; crashed: {total.crashed}"
    read = (
        f"read: {_share(total.read, total.images)}, held: {_share(total.held, total.images)}; "
        f"not read, and by an engine alone at 300 dpi: {total.held_though_read}"
    )
    base = (
        f"the images were made from {base_sheets.COUNT} different sheets, each harmed anew for every image: of sheets "
        "that look otherwise the bounds say less"
    )
    lines = [f"- {happened}", f"- {base}", f"- {read}"]
    if total.compared:
        lines.append(
            f"- of {total.compared} of them, put before the engines alone as well: read {total.read_of_compared}, "
            f"{beside}; read, and by neither engine: {total.gained}"
        )
    return lines


def _evidence(seen: Sequence[Seen]) -> list[str]:
    """Say what it was that read the sheets, and what a page cost."""
    read = [one for one in seen if one.verdict is Verdict.READ]
    # The first rung that read the whole code; a sheet's linear code says no more than kind and serial.
    rungs = Counter(next((rung for kind, rung, _ in one.codes if kind == "qr"), "linear code alone") for one in read)
    how = ", ".join(f"{rung} {number}" for rung, number in rungs.most_common())
    marked = sum(one.marked for one in read)
    costs = []
    for verdict in Verdict:
        times = sorted(one.seconds for one in seen if one.verdict is verdict)
        if times:
            mean = sum(times) / len(times)
            costs.append(f"{verdict} {mean:.2f} s (95 % within {times[int(0.95 * (len(times) - 1))]:.2f})")
    return [
        f"- read by: {how}; with the mark seen: {_share(marked, len(read)) if read else 'none'}",
        f"- a page took: {', '.join(costs)}",
    ]


def _outdone(sheets: Mapping[Key, Looked]) -> list[str]:
    """Name the axes on which the engines, each by itself, read more between them than the program."""
    counted = {axis: count(mine) for axis, mine in _of_axes(sheets).items()}
    if not any(each.compared for each in counted.values()):
        return []
    told = [
        f"{axis} (read {each.read_of_compared} of {each.compared}, either engine {each.union})"
        for axis, each in counted.items()
        if each.outdone
    ]
    return [f"- axes on which either engine alone read more of the compared images: {', '.join(told) or 'none'}"]


def _of_axes(sheets: Mapping[Key, Looked]) -> dict[str, list[Looked]]:
    found = {axis.name: [each for key, each in sheets.items() if key.axis == axis.name] for axis in EVERY}
    return {axis: mine for axis, mine in found.items() if mine}


_HEAD = "images | read | held | **missed** | wrong | not read, engines do | compared | read | zxing | zbar | either |"
_RULE = "--:|" * 11


def _by_axis(sheets: Mapping[Key, Looked]) -> list[str]:
    lines = [f"| axis | {_HEAD}", f"|---|{_RULE}"]
    for axis, mine in _of_axes(sheets).items():
        counted = count(mine)
        flag = ", **fewer than either**" if counted.outdone else ""
        lines.append(f"| {axis}{flag} | {_cells(counted)}")
    return [*lines, f"| all | {_cells(count(sheets.values()))}"]


def _by_severity(sheets: Mapping[Key, Looked]) -> list[str]:
    lines = [f"| axis | severity | {_HEAD}", f"|---|---|{_RULE}"]
    for axis in EVERY:
        for severity in axis.severities:
            mine = [each for key, each in sheets.items() if (key.axis, key.severity) == (axis.name, severity)]
            if mine:
                lines.append(f"| {axis.name} | {severity} | {_cells(count(mine))}")
    return lines


def _cells(counted: Count) -> str:
    bad = [counted.missed + counted.crashed, counted.wrong]
    told = [f"**{number}**" if number else "0" for number in bad]
    values = [counted.images, counted.read, counted.held, *told, counted.held_though_read or ""]
    values += [counted.compared, counted.read_of_compared, counted.zxing, counted.zbar, counted.union]
    return " | ".join(map(str, values)) + " |"


def _no_sheet(plain: Mapping[Key, Looked]) -> list[str]:
    heads = ("pages without a sheet", "pages", "taken for a sheet", "false mark", "false code", "blank", "false texts")
    lines = [f"| {' | '.join(heads)} | compared | zxing: ours, any | zbar: ours, any |", f"|---|{'--:|' * 9}"]
    for kind in PLAIN_KINDS:
        mine = [each for key, each in plain.items() if key.severity == kind]
        if mine:
            lines.append(f"| {kind} | {_plain_cells(mine)}")
    lines.append(f"| all | {_plain_cells(list(plain.values()))}")
    bad = sum(each.seen.verdict is not Verdict.PASSED for each in plain.values())
    bound = highest_rate(bad, len(plain))
    false_marks = sum(each.seen.verdict is Verdict.FALSE_MARK for each in plain.values())
    of_marks = _TEN_THOUSAND * highest_rate(false_marks, len(plain))
    marks = (
        f"false marks: {false_marks} of {len(plain)} (95 %: below {of_marks:.2f} in 10,000 pages); the bounds are for "
        "pages like these, drawn and as many of each kind, not for what a station's scanner sees"
    )
    return [*lines, "", f"- taken for a sheet or held: {bad} of {len(plain)} (95 %: below {bound:.3%})", f"- {marks}"]


def _plain_cells(mine: Sequence[Looked]) -> str:
    verdicts = [each.seen.verdict for each in mine]
    alone = [each.alone for each in mine if each.compared and each.alone]
    engines = [
        len(alone),
        f"{sum(each.zxing_wrong for each in alone)}, {sum(each.zxing_false for each in alone)}",
        f"{sum(each.zbar_wrong for each in alone)}, {sum(each.zbar_false for each in alone)}",
    ]
    values = [
        len(mine), verdicts.count(Verdict.WRONG), verdicts.count(Verdict.FALSE_MARK),
        verdicts.count(Verdict.FALSE_CODE), sum(each.seen.blank for each in mine),
        sum(each.seen.false_texts for each in mine), *engines,
    ]  # fmt: skip
    return " | ".join(map(str, values)) + " |"


def _to_look_at(looked: Mapping[Key, Looked]) -> list[str]:
    """Name the images that somebody must look at, the worst first."""
    bad: dict[str, Callable[[Looked], bool]] = {
        "missed": lambda each: each.seen.verdict is Verdict.MISSED,
        "wrongly read": lambda each: each.seen.verdict is Verdict.WRONG,
        "crashed": lambda each: each.seen.verdict is Verdict.CRASHED,
        "held without a sheet": lambda each: each.seen.verdict in {Verdict.FALSE_MARK, Verdict.FALSE_CODE},
        "held though an engine reads it": lambda each: (
            each.seen.verdict is Verdict.HELD and each.alone is not None and each.alone.either_reads
        ),
    }
    lines = []
    for name, is_so in bad.items():
        keys = sorted((key for key, each in looked.items() if is_so(each)), key=str)
        if keys:
            shown = ", ".join(f"`{key}`" for key in keys[:_SHOWN])
            more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
            lines += [f"- {name}: {shown}{more}"]
    return ["Look at them with `--image`:", "", *lines] if lines else []


def _share(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.1%})"
