"""The sheets that are degraded: drawn by the program's own printing, of every kind, and kept as pictures on disk.

Sheet number N is the same every time, as long as the program prints it the same.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from datetime import date
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import zxingcpp
from pdf2image import convert_from_bytes
from PIL import Image

from skrynka.catalogue_file import load_catalogue
from skrynka.core.catalogue import Catalogue
from skrynka.core.model import RoutingCode, SheetKind
from skrynka.core.routing_code import compose, compose_short
from skrynka.examples import example
from skrynka.sheets.ordering import BoxNames, sheet_order
from skrynka.sheets.printing import render
from tests.benchmarks.reading.leaf import Place
from tests.support.typeset import Picture

COUNT = 60
KINDS = "CDCBCPCDRCEC"
"""Kinds of sheets in turn: half are case sheets."""
_BOXES = {
    "OBL-03": BoxNames("Скринька № 3", "Сервісний центр «Оболонь»"),
    "D1": BoxNames("Скринька біля входу", "Сервісний центр «Дарниця»"),
    "PECH-12": BoxNames("Скринька № 12", "Сервісний центр «Печерськ»"),
}
_PHONES = ("(044) 000-00-00",)


@cache
def codes() -> tuple[RoutingCode, ...]:
    """Give the routing code of each sheet, by its number."""
    catalogue = load_catalogue(example("case_types.toml"))
    return tuple(_code(number, catalogue) for number in range(COUNT))


@lru_cache(maxsize=8)
def picture(number: int, dpi: int) -> Picture:
    """Draw a sheet in grey, as the printer's language has it. The picture is shared: copy before drawing on it."""
    kept = _folder() / f"{_digest(number)}-{dpi}.png"
    if not kept.exists():
        (drawn,) = convert_from_bytes(_pdf(number), dpi=dpi, grayscale=True)
        with tempfile.NamedTemporaryFile(dir=kept.parent, delete=False) as unfinished:
            drawn.save(unfinished, "PNG", compress_level=1)
        Path(unfinished.name).replace(kept)
    with Image.open(kept) as opened:
        found = np.asarray(opened.convert("L"))
    found.setflags(write=False)
    return found


@lru_cache(maxsize=COUNT)
def places(number: int) -> tuple[Place, ...]:
    """Find where a sheet's codes lie, by reading it while it is clean: whatever the layout is, harm finds them."""
    page = picture(number, 150)
    height, width = page.shape
    found = []
    for code in zxingcpp.read_barcodes(page):
        at = code.position
        corners = [(p.x / width, p.y / height) for p in (at.top_left, at.top_right, at.bottom_right, at.bottom_left)]
        xs, ys = zip(*corners, strict=True)
        found.append((min(xs), min(ys), max(xs), max(ys)))
    return tuple(sorted(found))


def texts(code: RoutingCode) -> frozenset[str]:
    """Give what a sheet's codes say."""
    return frozenset({compose(code), compose_short(code)})


def _code(number: int, catalogue: Catalogue) -> RoutingCode:
    rng = np.random.default_rng([2022, number])
    kind = SheetKind(KINDS[number % len(KINDS)])
    serial = f"{kind.value}{'ABK'[number % 3]}{int(rng.integers(1, 999_999)):06d}"
    box = sorted(_BOXES)[number % len(_BOXES)]
    match kind:
        case SheetKind.CASE:
            return _case(rng, serial, box, catalogue)
        case SheetKind.DOCUMENT:
            kinds = [kind.code for kind in catalogue.declarable_kinds]
            chosen = sorted(rng.choice(len(kinds), int(rng.integers(1, 4)), replace=False))
            return RoutingCode(kind, serial=serial, document_kinds=tuple(kinds[place] for place in chosen))
        case SheetKind.COLLECTION:
            filled = bool(rng.random() < 0.5)
            day = date(2022, 2, int(rng.integers(1, 24)))
            return RoutingCode(
                kind, serial=serial, box=box, emptied_on=day if filled else None,
                counted=int(rng.integers(1, 60)) if filled else None,
            )  # fmt: skip
        case _:
            # Laminated and used again: most bear no serial.
            return RoutingCode(kind, serial=serial if rng.random() < 0.3 else None)


def _case(rng: np.random.Generator, serial: str, box: str, catalogue: Catalogue) -> RoutingCode:
    case_type = catalogue.case_types[int(rng.integers(len(catalogue.case_types)))]
    branches = [None, *(branch.code for branch in case_type.branches)]
    branch = branches[int(rng.integers(len(branches)))]
    providers = tuple(provider.code for provider in catalogue.providers if rng.random() < 0.6)
    code = RoutingCode(
        SheetKind.CASE, serial=serial, box=box, case_type=case_type.code, branch=branch, providers=providers
    )
    if rng.random() < 0.6:
        return code
    return RoutingCode(
        SheetKind.CASE, serial=serial, box=box, case_type=case_type.code, branch=branch, providers=providers,
        account=f"{int(rng.integers(10**10)):012d}", address_code="80391-04512-117",
        meter_serials=tuple(f"{int(rng.integers(10**8)):08d}" for _ in range(int(rng.integers(1, 4)))),
        key_id="2", signature="ABCD2345EF",
    )  # fmt: skip


@cache
def _pdf(number: int) -> bytes:
    catalogue = load_catalogue(example("case_types.toml"))
    return render([sheet_order(codes()[number], catalogue, _BOXES, _PHONES)])


@cache
def _digest(number: int) -> str:
    return hashlib.sha256(_printer() + repr(codes()[number]).encode()).hexdigest()[:20]


@cache
def _printer() -> bytes:
    """Give a digest of all that makes sheets look as they do."""
    from skrynka.sheets import printing  # noqa: PLC0415 - for its place alone

    folder = Path(printing.__file__).parent
    paths = [*folder.rglob("*.py"), *folder.rglob("*.typ"), folder.parent / "core" / "mark.py"]
    digest = hashlib.sha256(example("case_types.toml").read_bytes() + Path(__file__).read_bytes())
    for path in sorted(paths):
        digest.update(path.read_bytes())
    return digest.digest()


@cache
def _folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"skrynka-drawn-sheets-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
