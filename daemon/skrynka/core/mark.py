"""The mark of our sheets: what still says "this is a sheet" when no code can be read.

A band of four parallel black bars, each as long as the band. Across the band the widths are, in units, black 2,
white 1, black 1, white 1, black 1, white 1, black 2. Any straight line that crosses the band meets these ratios,
at whatever angle, so the mark is found without knowing the page's rotation; distances between like edges stay right
when a bad threshold makes all bars fatter or thinner.

Each sheet bears it twice: at the top, left of the QR code in the top right corner, and at the bottom, right of the QR
code in the bottom left corner, so that a cut or stained edge takes one of them at most.
"""

from __future__ import annotations

BARS = (2, 1, 1, 1, 1, 1, 2)
"""Widths in units, black first, black and white in turn."""
UNIT_MM = 2.0
"""At 40 dpi, the coarsest that the mark must be found at, a unit is 3.1 pixels."""
SHORTEST_UNIT_MM = 1.5
"""Printed at 90 % and copied at 85 %: anything smaller isn't ours."""
LONGEST_UNIT_MM = 2.4
BAND_MM = UNIT_MM * sum(BARS)
"""18 mm, the band's height."""
SHORTEST_RUN_MM = 60.0
"""So much of the band's length must be seen: thick frames, fences and radiators in photos don't come near it."""
