"""The picture: for each axis, how its images came out from the mildest severity to its end, beside the engines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path

import typst

from tests.benchmarks.reading.axes import EVERY, Axis
from tests.benchmarks.reading.images import NO_SHEET, Key
from tests.benchmarks.reading.looking import Verdict
from tests.benchmarks.reading.report import Count, Looked, count, highest_rate

_READ, _HELD, _BAD = "#2f8f83", "#f0c05a", "#d1263c"
_PAPER, _INK, _PALE, _RULE = "#fdfcf8", "#22303c", "#7b8791", "#e3e0d6"
_ENDS = "each panel: from harmless to where nobody sees a sheet at 40 dpi (scale: to A3 made A4)"
_COLUMNS = 6
_WIDTH, _HEIGHT = 216, 132
"""Of one axis's panel, its words included."""
_BARS = (8, 30, 200, 76)
"""Left, top, width and height of the bars within a panel."""
_HEAD, _MARGIN = 118, 28
_PPI = 160.0


def write(looked: Mapping[Key, Looked], about: str, path: Path) -> None:
    """Write the picture as SVG and as PNG beside it, where there is anything to show."""
    false_alarms = _false_alarms(looked)
    looked = {key: each for key, each in looked.items() if key.axis != NO_SHEET}
    if not looked:
        return
    counts = {
        axis: {
            severity: count(each for key, each in looked.items() if (key.axis, key.severity) == (axis.name, severity))
            for severity in axis.severities
        }
        for axis in EVERY
        if any(key.axis == axis.name for key in looked)
    }
    svg = draw(counts, count(looked.values()), false_alarms, about)
    path.with_suffix(".svg").write_text(svg, encoding="utf-8")
    source = f'#set page(width: auto, height: auto, margin: 0pt)\n#image("{path.with_suffix(".svg").name}")'
    drawing = path.with_suffix(".typ")
    drawing.write_text(source, encoding="utf-8")
    try:
        path.write_bytes(typst.compile(str(drawing), root=str(path.parent), format="png", ppi=_PPI))
    finally:
        drawing.unlink()


def draw(counts: Mapping[Axis, Mapping[str, Count]], total: Count, false_alarms: tuple[int, int], about: str) -> str:
    """Draw all axes as panels of bars, in the order of what befalls a sheet; gives SVG."""
    rows = -(-len(counts) // _COLUMNS)
    width, height = _COLUMNS * _WIDTH + 2 * _MARGIN, _HEAD + rows * _HEIGHT + 2 * _MARGIN
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="Libertinus Serif, Georgia, serif">',
        f'<rect width="{width}" height="{height}" fill="{_PAPER}"/>',
        *_heading(total, false_alarms, about, width),
    ]
    for place, (axis, severities) in enumerate(counts.items()):
        left = _MARGIN + place % _COLUMNS * _WIDTH
        top = _HEAD + _MARGIN + place // _COLUMNS * _HEIGHT
        parts += [f'<g transform="translate({left} {top})">', *_panel(axis, severities), "</g>"]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _heading(total: Count, false_alarms: tuple[int, int], about: str, width: int) -> list[str]:
    bad = total.missed + total.wrong + total.crashed
    bound = highest_rate(bad, total.images)
    beside = (
        f"Of {total.compared:,} compared, {total.read_of_compared / total.compared:.1%} read, by either engine alone "
        f"{total.union / total.compared:.1%}.  "
        if total.compared
        else ""
    )
    said = (
        f"{total.images:,} degraded sheets: {total.read / total.images:.1%} read, {total.held / total.images:.1%} held "
        f"for a person, {bad} missed or wrong (95 %: below {bound:.2%}).  {beside}"
        f"Of {false_alarms[1]:,} pages without a sheet, {false_alarms[0]} held."
    )
    x = _MARGIN + _BARS[0]
    legend = [(_READ, "read"), (_HELD, "held: a person looks"), (_BAD, "silently missed, or wrong")]
    parts = [
        _text(x, 50, "Every sheet read, or known to be unread", 29, _INK, weight="bold"),
        _text(x, 78, said, 15, _INK),
        _text(width - _MARGIN - _BARS[0], 50, about, 11, _PALE, anchor="end"),
    ]
    at = x
    for colour, name in legend:
        parts += [
            f'<rect x="{at}" y="96" width="14" height="14" rx="2" fill="{colour}"/>',
            _text(at + 20, 108, name, 13, _INK),
        ]
        at += 42 + 7 * len(name)
    parts += [
        f'<path d="M{at} 103h22" stroke="{_INK}" stroke-width="2.4"/>',
        _text(at + 28, 108, "read by zxing-cpp or pyzbar alone at 300 dpi", 13, _INK),
        _text(at + 310, 108, _ENDS, 13, _PALE, style="italic"),
    ]
    return parts


def _panel(axis: Axis, severities: Mapping[str, Count]) -> list[str]:
    left, top, width, height = _BARS
    step = width / len(severities)
    unit = _unit(severities)
    parts = [
        _text(left, 20, axis.name, 16, _INK, weight="bold"),
        _text(left + width, 20, unit.strip(), 11, _PALE, anchor="end"),
        f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="#f4f2ea"/>',
        f'<path d="M{left} {top + height / 2}h{width}" stroke="{_RULE}" stroke-width="1"/>',
    ]
    for place, (severity, counted) in enumerate(severities.items()):
        x, y, wide = left + place * step + 1, top + height, step - 2
        if counted.images:
            bad = counted.images - counted.read - counted.held
            for part, colour in ((counted.read, _READ), (counted.held, _HELD), (bad, _BAD)):
                tall = part / counted.images * height
                y -= tall
                if part:
                    parts.append(
                        f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}" fill="{colour}"/>'
                    )
        if counted.compared:
            line = top + height - counted.union / counted.compared * height
            line = min(max(line, top + 1.2), top + height - 1.2)
            parts.append(f'<path d="M{x:.1f} {line:.1f}h{wide:.1f}" stroke="{_INK}" stroke-width="2.4"/>')
        words = severity.removesuffix(unit)
        size = 9.5 if step > 30 or len(words) < 5 else 7.5
        parts.append(_text(x + wide / 2, top + height + 13, words, size, _PALE, anchor="middle"))
    return parts


def _unit(severities: Iterable[str]) -> str:
    """Give what all the labels end with, so that it is said once: " mm", "%"."""
    units = {severity.lstrip("-.0123456789") for severity in severities}
    return units.pop() if len(units) == 1 else ""


def _text(
    x: float, y: float, words: str, size: float, colour: str, *, anchor: str = "start", weight: str = "normal",
    style: str = "normal",
) -> str:  # fmt: skip
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}" '
        f'font-weight="{weight}" font-style="{style}">{escape(words)}</text>'
    )


def _false_alarms(looked: Mapping[Key, Looked]) -> tuple[int, int]:
    """Count the pages without a sheet that were taken for one or held, and all of them."""
    plain = [each.seen.verdict for key, each in looked.items() if key.axis == NO_SHEET]
    return sum(verdict is not Verdict.PASSED for verdict in plain), len(plain)
