"""Where the time goes: what the daemon does to a stack done in this process, with a clock around each step.

The daemon's code is as it is; its functions are wrapped from outside, so that what is called from several places is
told apart by its rung. Times are of the processor, poppler's processes included: other work on the machine changes
them little.
"""

from __future__ import annotations

import cProfile
import itertools
import os
import pstats
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from skrynka.core.formats import FileType
from skrynka.core.model import PageRef, Symbology
from skrynka.readers import tasks
from skrynka.readers.messages import ANSWERS, Answer, CutOrder, CutSource, PageLimits, ReadOrder, document_name
from skrynka.steps import blankness, fingerprints, marks
from skrynka.steps.archive import Archive
from skrynka.steps.barcodes import engines, glancing, ladder
from skrynka.steps.barcodes.softening import softened
from skrynka.steps.pages import decoding, drawing, opening
from tests.benchmarks.throughput.ledger import Entry
from tests.benchmarks.throughput.machine import beginning
from tests.benchmarks.throughput.material import ENVELOPE, STACKS, StackFile
from tests.benchmarks.throughput.run import Run

PART = "where"
_LIMITS = PageLimits(4 << 30, 120_000_000, 60.0)
_SHOWN = 14
_STEPS: tuple[tuple[object, str, Callable[..., Any], str], ...] = (
    (opening, "decode", decoding.decode, "decode"),
    (opening, "draw", drawing.draw, "draw by poppler"),
    (opening, "find_one_image", opening.find_one_image, "is it one image"),
    (marks, "judge", marks.judge, "mark"),
    (blankness, "measure", blankness.measure, "blankness"),
    (fingerprints, "fingerprint", fingerprints.fingerprint, "fingerprint"),
    (ladder, "zxing", engines.zxing, "zxing"),
    (ladder, "softened", softened, "softening"),
    (glancing, "zxing", engines.zxing, "zxing"),
    (glancing, "softened", softened, "softening"),
    (ladder, "zbar", engines.zbar, "zbar"),
)
"""Where a function is looked up, by which name, the function, and what it is called here."""


def measure(run: Run) -> None:
    """Measure what isn't on record."""
    with run.trials("where the time goes", len(STACKS)):
        for look in STACKS:
            key = run.key(PART, "reader", look, run.pages, 1)
            if run.ledger.has(key):
                continue
            stack = run.material.stack(look, run.pages)
            told = {**key, **beginning(), "pages": stack.pages, "steps": steps(stack), "functions": functions(stack)}
            run.ledger.add(told)
            run.done(f"{look}: {sum(told['steps'].values()):.1f} ms of a processor a page")


def steps(stack: StackFile) -> dict[str, float]:
    """Give milliseconds of a processor for a page, by step, the costliest first."""
    spent: Counter[str] = Counter()
    inner = [0.0]

    def clocked(function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever the function takes and gives
            outer, inner[0] = inner[0], 0.0
            began = _processor()
            try:
                return function(*given, **named)
            finally:
                took = _processor() - began
                rung = f" {given[-1]}" if name in {"zxing", "zbar"} else ""
                spent[name + rung] += took - inner[0]
                inner[0] = outer + took

        return call

    with ExitStack() as patches:
        for holder, attribute, function, name in _STEPS:
            patches.enter_context(mock.patch.object(holder, attribute, clocked(function, name)))
        began = _processor()
        answers = _read(stack)
        spent["all else of reading"] = _processor() - began - sum(spent.values())
    with tempfile.TemporaryDirectory() as folder:
        for name, work in _rest(stack, answers, Path(folder)).items():
            began = _processor()
            work()
            spent[name] = _processor() - began
    return {name: round(1000 * seconds / stack.pages, 2) for name, seconds in spent.most_common()}


def functions(stack: StackFile) -> dict[str, float]:
    """Give milliseconds a page that functions take themselves, by Python's own profiler, which slows small ones."""
    profile = cProfile.Profile(time.process_time)
    profile.runcall(_read, stack)
    rows = pstats.Stats(profile).stats  # type: ignore[attr-defined]  # it has them, says its documentation of sorting
    own = Counter({_named(*place): row[2] for place, row in rows.items()})
    return {name: round(1000 * seconds / stack.pages, 2) for name, seconds in own.most_common(_SHOWN)}


def lines(entries: list[Entry]) -> Iterator[str]:
    """Write the tables."""
    for entry in entries:
        yield f"### Where the time goes: {entry['stack']}, {entry['pages']} pages"
        yield ""
        whole = sum(entry["steps"].values())
        yield "| step | ms of a processor a page | share |"
        yield "|---|---:|---:|"
        for name, each in entry["steps"].items():
            yield f"| {name} | {each:.1f} | {each / whole:.0%} |"
        yield f"| all | {whole:.1f} | |"
        yield ""
        yield "By function, itself: " + "; ".join(f"`{name}` {each:.1f}" for name, each in entry["functions"].items())
        yield ""


def _read(stack: StackFile) -> list[Answer]:
    with _order(stack) as order:
        return list(tasks._read(order, lambda: None))  # noqa: SLF001 - what a reader process does, without the process


def _rest(stack: StackFile, answers: list[Answer], root: Path) -> dict[str, Callable[[], object]]:
    """Give what else the daemon does with a stack, but for the database; to be called in this order."""
    archive = Archive(root)
    starts = [*range(1, stack.pages + 1, ENVELOPE), stack.pages + 1]
    documents = []
    for first, following in itertools.pairwise(starts):
        documents += [(first,), tuple(range(first + 1, following))] if following > first + 1 else [(first,)]
    refs = tuple(tuple(PageRef("scan", page) for page in pages) for pages in documents)
    order = CutOrder({"scan": CutSource(stack.path, FileType.PDF, "")}, refs, root, _LIMITS)
    return {
        "answers to JSON and back": lambda: [ANSWERS.validate_json(ANSWERS.dump_json(each)) for each in answers],
        "store the original": lambda: archive.store_original(
            stack.path, scan_id=str(uuid.uuid4()), file_type="pdf", sidecar={}
        ),
        "cut": lambda: list(tasks._cut(order, lambda: None)),  # noqa: SLF001 - as above
        "store documents": lambda: [
            archive.store_document(root / document_name(place)) for place in range(len(documents))
        ],
    }


@contextmanager
def _order(stack: StackFile) -> Iterator[ReadOrder]:
    with tempfile.TemporaryDirectory() as work:
        codes = frozenset({Symbology.QR, Symbology.CODE_128})
        yield ReadOrder(stack.path, FileType.PDF, Path(work), _LIMITS, codes, frozenset(), foreign_text=False)


def _processor() -> float:
    spent = os.times()
    return time.process_time() + spent.children_user + spent.children_system


def _named(file: str, line: int, name: str) -> str:
    return name if file == "~" else f"{Path(file).parent.name}/{Path(file).name}:{line} {name}"
