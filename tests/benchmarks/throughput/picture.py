"""The picture: how many times as fast the daemon is, by stack, beside what is asked and what is wanted. SVG, pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from tests.benchmarks.throughput.figures import Spread

Ratios = Mapping[str, Mapping[str, Spread]]
"""By stack, then by letter of the alternative."""

_WIDTH, _LEFT, _BAR, _GAP, _PANEL_GAP = 860, 150, 18, 10, 62
_TOP = 64
_INK, _FAINT, _PAPER = "#1d2733", "#8a95a3", "#fbfaf7"
_COLOURS = ("#1f6f8b", "#c8553d", "#6a8d3f", "#7a5c99")
_PANELS = {
    "a": (
        "d/a: a page at a time through poppler, 300 dpi, zxing-cpp over all formats",
        {"asked": 28.0, "wanted": 40.0},
    ),
    "b": ("d/b: ten pages at a time through poppler, 200 dpi, pyzbar", {"asked (JPEG)": 9.0, "asked (Group 4)": 6.0}),
    "c": ("d/c: decoding alone, at half scale, on all cores", {"asked": 0.55, "wanted": 0.7}),
}


def draw(ratios: Ratios, caption: str) -> str:
    """Draw it; `caption` says when and where it was measured."""
    looks = list(ratios)
    panel = len(looks) * (_BAR + _GAP) + _PANEL_GAP
    height = _TOP + len(_PANELS) * panel + 24
    root = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    parts = [
        f'{root} font-family="Inter, Helvetica, Arial, sans-serif" fill="{_INK}">',
        f'<rect width="{_WIDTH}" height="{height}" fill="{_PAPER}"/>',
        _text(24, 30, "How many times as fast as the alternatives", 18, weight=600),
        _text(24, 48, caption, 11, colour=_FAINT),
    ]
    for number, (letter, (title, goals)) in enumerate(_PANELS.items()):
        top = _TOP + number * panel
        parts += _panel(letter, title, goals, ratios, top)
    return "\n".join([*parts, "</svg>", ""])


def _panel(letter: str, title: str, goals: Mapping[str, float], ratios: Ratios, top: float) -> list[str]:
    known = {look: by[letter] for look, by in ratios.items() if letter in by}
    most = 1.08 * max([*goals.values(), *(each.most for each in known.values())])
    width = _WIDTH - _LEFT - 70
    rows = len(ratios) * (_BAR + _GAP)
    parts = [_text(24, top + 18, title, 13, weight=600)]
    first = top + 32

    def x(value: float) -> float:
        return _LEFT + width * value / most

    for place, (look, colour) in enumerate(zip(ratios, _cycled(len(ratios)), strict=True)):
        y = first + place * (_BAR + _GAP)
        parts.append(_text(_LEFT - 10, y + 13, look, 12, anchor="end"))
        if look not in known:
            continue
        value = known[look]
        middle = y + _BAR / 2
        digits = 2 if letter == "c" else 1
        parts += [
            f'<rect x="{_LEFT}" y="{y}" width="{x(value.median) - _LEFT:.1f}" height="{_BAR}" rx="3" fill="{colour}"/>',
            f'<path d="M{x(value.least):.1f} {middle}H{x(value.most):.1f}" stroke="{_INK}" stroke-width="1.5"/>',
            _text(x(value.most) + 8, y + 13, f"{value.median:.{digits}f}", 12, weight=600),
        ]
    for name, goal in goals.items():
        parts += [
            f'<path d="M{x(goal):.1f} {first - 6}V{first + rows - _GAP + 6}" stroke="{_INK}" stroke-dasharray="3 3"/>',
            _text(x(goal), first + rows + 8, f"{name} {goal:g}", 10, colour=_FAINT, anchor="middle"),
        ]
    return parts


def _cycled(count: int) -> Sequence[str]:
    return [_COLOURS[place % len(_COLOURS)] for place in range(count)]


def _text(
    x: float, y: float, text: str, size: int, *, weight: int = 400, colour: str = _INK, anchor: str = "start"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" fill="{colour}" '
        f'text-anchor="{anchor}">{escape(text)}</text>'
    )
