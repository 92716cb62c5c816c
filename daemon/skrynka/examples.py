"""The commented example configuration, as it is shipped: in the wheel inside the package, in a checkout beside it."""

from __future__ import annotations

from pathlib import Path

_PLACES = (Path(__file__).parent / "config", Path(__file__).parents[2] / "config")


def example(name: str) -> Path:
    """Give the path of an example file, such as "case_types.toml"; raise FileNotFoundError if it isn't shipped."""
    for place in _PLACES:
        if (place / name).is_file():
            return place / name
    raise FileNotFoundError(name)
