"""What tells one state of the program, and of the images, from another, so that what was seen is kept for its own."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.benchmarks.libraries import versions

# All that looks at a page, so that the program's modules are loaded when they are asked after.
from tests.benchmarks.reading import images as _images  # noqa: F401 - see above
from tests.benchmarks.reading import looking as _looking  # noqa: F401 - see above

_ROOT = Path(__file__).resolve().parents[3]
_PACKAGE = _ROOT / "daemon" / "skrynka"
_DRAWN_BY = (
    ("axes", "copying", "handling", "images", "leaf", "lighting", "looking", "plain_pages", "printing", "scanning",
     "sheets"),
    ("ink", "meter_photos", "other_tools", "page_ids", "paper_texts", "papers", "patterns", "people", "scanner",
     "scans", "typeset"),
    ("mark", "routing_code"),
)  # fmt: skip
"""The modules that make the images, and put them before the engines: of this folder, of the tests' drawn world, and of
the program's core."""
_LIBRARIES = ("img2pdf", "numpy", "pillow", "pikepdf", "pyzbar", "typst", "zxing-cpp")
"""Packages that read or draw beside our own code, and may differ on another machine."""
_DIGITS = 12


class ImportedFromElsewhere(Exception):
    """The program that was loaded isn't the one beside these tests: nothing could be said of its state."""


class Changed(Exception):
    """The files aren't any more what they were when the run began: what is seen now would be of another state."""


@dataclass(frozen=True, slots=True)
class State:
    """What a run looks with, and at."""

    source: str
    images: str
    files: tuple[Path, ...]
    """Of the program's reading. Other processes look at the same, whatever else they have loaded."""

    def require(self) -> None:
        """See that the files and libraries are still the same. Raises Changed."""
        try:
            now = _digest(self.files), _digest(_drawn_by())
        except OSError as gone:
            raise Changed(f"a file was taken away meanwhile ({gone.filename})") from None
        if now != (self.source, self.images):
            was = self.source, self.images
            raise Changed(f"files were changed meanwhile (source and images {' '.join(now)}, not {' '.join(was)})")


@cache
def loaded_state() -> State:
    """Give the state that this process has loaded. Raises ImportedFromElsewhere.

    Of the program that is all modules that it has loaded to look at a page; of the images, how sheets are printed, how
    papers are drawn, what befalls them, and what is asked of the engines, for what they said is kept with the images.
    """
    files = _loaded()
    return State(_digest(files), _digest(_drawn_by()), files)


def _loaded() -> tuple[Path, ...]:
    parts = [_PACKAGE / part for part in ("core", "readers", "steps")]
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    loaded = {Path(file).resolve() for file in files if file}
    found = sorted(path for path in loaded if any(path.is_relative_to(part) for part in parts))
    if not found:
        elsewhere = Path(str(sys.modules["skrynka"].__file__)).parent
        raise ImportedFromElsewhere(f"The program was imported from {elsewhere}, not from {_PACKAGE}.")
    return tuple(found)


def _drawn_by() -> list[Path]:
    folders = (Path(__file__).parent, _ROOT / "tests" / "support", _PACKAGE / "core")
    paths = [folder / f"{name}.py" for folder, names in zip(folders, _DRAWN_BY, strict=True) for name in names]
    paths += [*(_PACKAGE / "sheets").rglob("*.py"), *(_PACKAGE / "sheets").rglob("*.typ")]
    return [*paths, _ROOT / "config" / "case_types.toml"]


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256(versions(_LIBRARIES).encode())
    for path in sorted(paths):
        digest.update(f"{path.relative_to(_ROOT)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:_DIGITS]
