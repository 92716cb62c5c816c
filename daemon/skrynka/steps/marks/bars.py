"""Tell whether bars lie where a sheet has its linear code, though none of them may be readable.

A code's bars run alike through its whole height, and end above and below it. Of a code in which the toner is missing
here and there, enough is left to see that: of 340 sheets without 70 to 87 % of their toner all came to 0.46 or more, of
other 450 without 87 % all but five to 0.42.
"""

from __future__ import annotations

import numpy as np

from skrynka.steps.marks.drawing import Numbers, Pixels

_COARSEST_DPI = 60.0
"""A bar of 0.65 mm is a pixel and a half."""
_HALF_WIDTH_MM = 82.0
_UPPER_MM, _LOWER_MM = (78.5, 72.5), (71.5, 65.5)
"""From the foot of an upright A4 sheet: both halves of the code, but for its ends."""
_ABOVE_MM, _BELOW_MM = (90.0, 84.5), (62.0, 58.5)
"""Where nothing of it is any more."""
_SHIFTS_MM = (-6.0, -4.0, -2.0, 0.0, 2.0, 4.0)
"""Towards the head: so far a feeder shifts the paper. Towards the foot what is below the code comes near it sooner."""
_BROAD_MM = 5.0
"""Light and shade that are broader say nothing of bars."""
_TARGET_MM, _BESIDE_TARGET = 40.0, 0.003
"""A target's rings look like bars, and where nothing else stands there, nothing lies beside them. Half a code is twice
as broad."""
_FEWEST_COLUMNS = 20
"""Of pixels that differ from what is around: a frame's side is two, a table's lines are a dozen, half a code a
hundred."""
_FEWEST_TURNS, _CLEARLY = 28, 0.5
"""From dark to light and back, by so much of the profile's own deviation, so that grain hardly counts. Of 64 codes
without 40 to 87 % of their toner the worst had 36, half of them more than 90; forms with thick lines, which slant so
that nothing is alike above and below, have up to 23."""


def bars_at_foot(pixels: Pixels, dpi: float) -> float:
    """Give how much alike both halves of the place of an A4 sheet's linear code are, and unlike what is around: 0 to 1.

    `pixels` are uint8 (height, width), 0 black, of a page that lies either way up, or turned by a quarter.
    """
    if dpi < _COARSEST_DPI:
        return 0.0
    upright = pixels if pixels.shape[0] >= pixels.shape[1] else pixels.T[::-1]
    scale = dpi / 25.4
    if upright.shape[0] <= (_ABOVE_MM[0] + _SHIFTS_MM[-1]) * scale or upright.shape[1] <= 2 * _BROAD_MM * scale:
        return 0.0
    pages = upright, upright[::-1, ::-1]
    return max(0.0, *(_likeness(page, shift, scale) for page in pages for shift in _SHIFTS_MM))


def _likeness(page: Pixels, shift: float, scale: float) -> float:
    upper, lower, above, below = (
        _profile(page, (top + shift) * scale, (bottom + shift) * scale, scale)
        for top, bottom in (_UPPER_MM, _LOWER_MM, _ABOVE_MM, _BELOW_MM)
    )
    both = upper + lower
    if (
        _columns(both) < _FEWEST_COLUMNS
        or _turns(both) < _FEWEST_TURNS
        or _spread(both, round(_TARGET_MM * scale)) < _BESIDE_TARGET
    ):
        return 0.0
    return _correlation(upper, lower) - max(abs(_correlation(both, other)) for other in (above, below))


def _profile(page: Pixels, top: float, bottom: float, scale: float) -> Numbers:
    """Average a strip's rows, given how far from the foot it begins and ends in pixels; what is broad is taken out."""
    height, width = page.shape
    left = max(0, round(width / 2 - _HALF_WIDTH_MM * scale))
    levels = page[height - round(top) : height - round(bottom), left : width - left].mean(axis=0, dtype=np.float32)
    broad = round(_BROAD_MM * scale)
    sums = np.cumsum(np.pad(levels, (broad // 2 + 1, broad - 1 - broad // 2), mode="edge"))
    return np.asarray(levels - (sums[broad:] - sums[:-broad]) / broad, np.float32)


def _columns(profile: Numbers) -> float:
    """Say of how many columns a profile's strength is, if all of these were as strong."""
    power = np.square(profile)
    return float(power.sum()) ** 2 / max(float(power @ power), 1e-6)


def _turns(profile: Numbers) -> int:
    """Count how often a profile goes from clearly dark to clearly light, or back."""
    clear = _CLEARLY * float(profile.std())
    sides = np.sign(profile[np.abs(profile) > clear])
    return int(np.count_nonzero(np.diff(sides)))


def _spread(profile: Numbers, width: int) -> float:
    """Say which share of a profile's strength lies beside the `width` columns that have most of it."""
    sums = np.cumsum(np.pad(np.square(profile), (1, max(0, width - len(profile)))))
    return 1 - float((sums[width:] - sums[:-width]).max() / max(float(sums[-1]), 1e-6))


def _correlation(one: Numbers, other: Numbers) -> float:
    one, other = one - one.mean(), other - other.mean()
    return float(one @ other / np.sqrt(max(float(one @ one) * float(other @ other), 1e-6)))
