"""Hold the last test run against the coverage that was promised: every branch of the core, nine tenths of it all."""

from __future__ import annotations

import sys

from coverage import Coverage

FLOORS = {"the core": (["*/skrynka/core/*"], 100.0), "everything": (None, 90.0)}


def main() -> int:
    """Print a line for each floor; give 1 if one isn't reached."""
    measured = Coverage()
    measured.load()
    low = 0
    for name, (include, floor) in FLOORS.items():
        with open("/dev/null", "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - a sink, not a path
            reached = measured.report(include=include, file=nowhere)
        low += reached < floor
        print(f"branch coverage of {name}: {reached:.1f} % (at least {floor:.0f} %)")  # noqa: T201 - its output
    return min(low, 1)


if __name__ == "__main__":
    sys.exit(main())
