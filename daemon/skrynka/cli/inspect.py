"""`skrynka inspect`: what the daemon would do with a file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from skrynka.catalogue_file import load_catalogue
from skrynka.cli.exits import FOUND
from skrynka.cli.output import JSON, show_json, show_table
from skrynka.core.catalogue import Catalogue
from skrynka.core.judging import JudgedPlan
from skrynka.core.model import Code, PageReading, Plan, PlannedCase, Standing, Symbology
from skrynka.core.requirements import Completeness
from skrynka.examples import example
from skrynka.journey.inspecting import Inspection
from skrynka.journey.inspecting import inspect as inspect_scan
from skrynka.readers.messages import PageLimits
from skrynka.readers.processes import ProcessLimits, Readers
from skrynka.settings import Filing, Limits

_SYMBOLOGIES = "qr,code128,code39,datamatrix"


def inspect(
    files: Annotated[list[Path], typer.Argument(help="Scans: PDF, TIFF, JPEG or PNG, by content.", show_default=False)],
    separator: Annotated[
        list[str] | None,
        typer.Option(help="The text of a foreign code that is a separator, such as PATCHT; repeatable."),
    ] = None,
    symbologies: Annotated[str, typer.Option(help="What to look for, with commas between.")] = _SYMBOLOGIES,
    case_types: Annotated[
        Path | None, typer.Option(help="A case_types.toml; without it, the example's case types.", show_default=False)
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Say what the daemon would do with files: pages, codes, cases, and why anything would be held.

    Nothing is touched, and no station is needed. Codes of others are shown with their text, because you asked: the
    daemon never keeps it. Signatures aren't looked at: that needs a station's keys.

    Exit code 1: a file can't be read, or a person would have to look at a case.

    Example: `skrynka inspect --separator PATCHT scan0001.pdf`
    """
    wanted = _symbologies(symbologies)
    catalogue = load_catalogue(case_types or example("case_types.toml"))
    shown = [
        (file, _inspect(file, catalogue, symbologies=wanted, separators=frozenset(separator or ()))) for file in files
    ]
    if as_json:
        show_json([_as_json(file, inspection, error) for file, (inspection, error) in shown])
    else:
        for file, (inspection, error) in shown:
            _show(file, inspection, error)
    if any(error or any(_cases(inspection, reviewed=True)) for _, (inspection, error) in shown):
        raise typer.Exit(FOUND)


def _symbologies(words: str) -> frozenset[Symbology]:
    try:
        return frozenset(Symbology(word.strip().lower()) for word in words.split(","))
    except ValueError:
        raise typer.BadParameter(f"choose from {_SYMBOLOGIES}", param_hint="--symbologies") from None


def _inspect(
    file: Path, catalogue: Catalogue, *, symbologies: frozenset[Symbology], separators: frozenset[str]
) -> tuple[Inspection, dict[str, str] | None]:
    limits = Limits()
    readers = Readers(
        ProcessLimits(limits.page_seconds, limits.scan_seconds, limits.reader_megabytes << 20), os.cpu_count() or 1
    )
    with tempfile.TemporaryDirectory(prefix="skrynka-") as work:
        try:
            inspection = inspect_scan(
                file,
                readers,
                catalogue,
                work=Path(work) / "work",
                limits=PageLimits(limits.scan_megabytes << 20, limits.page_megapixels * 1_000_000, limits.page_seconds),
                symbologies=symbologies,
                separators=separators,
                page_limit=Filing().page_limit,
            )
        except OSError as error:
            return Inspection(), {"reason": "unopenable", "message": error.strerror or type(error).__name__}
    rejected = inspection.rejected
    return inspection, {"reason": rejected.reason.value, "message": str(rejected)} if rejected else None


def _cases(inspection: Inspection, *, reviewed: bool = False) -> list[tuple[int, PlannedCase, JudgedPlan]]:
    """Give the cases of all stacks, numbered through."""
    cases = [(case, stack) for stack in inspection.stacks for case in stack.plan.cases]
    return [(number, case, stack) for number, (case, stack) in enumerate(cases, 1) if case.reviews or not reviewed]


def _account(inspection: Inspection) -> dict[int, tuple[str, bool]]:
    plans: list[Plan] = [stack.plan for stack in inspection.stacks]
    return {page.ref.number: (page.disposition.value, page.held) for plan in plans for page in plan.pages}


def _as_json(file: Path, inspection: Inspection, error: dict[str, str] | None) -> dict[str, Any]:
    account = _account(inspection)
    return {
        "file": str(file),
        "pages": [_page(reading, *account[reading.number]) for reading in inspection.readings],
        "cases": [
            {
                "ordinal": number,
                "case_type": case.case_type,
                "review": [review.reason.value for review in case.reviews],
                "documents": [
                    {"kinds": list(paper.kinds), "pages": [ref.number for ref in paper.pages]}
                    for paper in case.documents
                ],
            }
            for number, case, _ in _cases(inspection)
        ],
        "error": error,
    }


def _page(reading: PageReading, disposition: str, held: bool) -> dict[str, Any]:
    return {
        "number": reading.number,
        "disposition": disposition,
        "held": held,
        "codes": [
            {
                "text": code.text,
                "symbology": code.symbology.value,
                "engines": [engine.value for engine in code.engines],
                "own": code.standing is Standing.OWN,
            }
            for code in reading.codes
        ],
    }


def _show(file: Path, inspection: Inspection, error: dict[str, str] | None) -> None:
    if error:
        typer.echo(f"{file}: {error['reason']}: {error['message']}")
        if inspection.rejected is not None:
            typer.echo(f"  what to do: {inspection.rejected.reason.about.remedy}")
        return
    _show_pages(file, inspection)
    for number, case, stack in _cases(inspection):
        _show_case(number, case, stack.completeness[case.ordinal - 1])
    for stack in inspection.stacks:
        for finding in stack.plan.findings:
            typer.echo(f"finding: {finding.reason}: {finding.reason.sentence}")


def _show_pages(file: Path, inspection: Inspection) -> None:
    account = _account(inspection)
    rows = []
    for reading in inspection.readings:
        disposition, held = account[reading.number]
        size = f"{reading.width / 72 * 25.4:.0f} × {reading.height / 72 * 25.4:.0f} mm"
        cells: tuple[object, ...] = (reading.number, disposition + (", held" if held else ""), size)
        for code in reading.codes or (None,):
            rows.append((*cells, *(_named(code) if code else ("", "", "", ""))))
            cells = ("", "", "")
    show_table(("page", "becomes", "size", "code", "read by", "whose", "text"), rows, title=str(file))


def _named(code: Code) -> tuple[object, ...]:
    whose = f"{code.standing}, seen through the paper" if code.mirrored else code.standing
    return (code.symbology, "+".join(code.engines), whose, code.text)


def _show_case(number: int, case: PlannedCase, verdict: Completeness) -> None:
    typer.echo(f"case {number}: {case.case_type or 'type unknown'}, {verdict.state}")
    for paper in case.documents:
        pages = ", ".join(str(ref.number) for ref in paper.pages)
        typer.echo(f"  {'+'.join(paper.kinds)}: page{'s' if len(paper.pages) > 1 else ''} {pages}")
    for review in case.reviews:
        at = f" (page {review.page.number})" if review.page else ""
        typer.echo(f"  needs review: {review.reason}{at}: {review.reason.sentence}")
    for lack in verdict.missing:
        ways = " or ".join("+".join(kinds) for kinds in lack.sets)
        if ways:
            typer.echo(f"  missing{' if ' + lack.branch if lack.branch else ''}: {ways}")
