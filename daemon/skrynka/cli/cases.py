"""`skrynka cases` and `skrynka documents`: what became of the papers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from skrynka.cli.exporting import export_documents
from skrynka.cli.options import AsJson, ConfigFile, configuration, station_database
from skrynka.cli.output import moment, show_facts, show_json, show_table, size, word
from skrynka.core.model import PageRef
from skrynka.core.requirements import BranchMissing, CompletenessState
from skrynka.premises import archive_to_look_into
from skrynka.store.case_listings import CaseDetail, CaseReview, ListedCase, find_case, list_cases
from skrynka.store.database import Database
from skrynka.store.events import RecordedEvent
from skrynka.store.histories import case_history, scan_names

cases = typer.Typer(no_args_is_help=True, help="The cases: what came out of the boxes, and what waits for a person.")
documents = typer.Typer(no_args_is_help=True, help="The cases' documents, as files.")

CaseName = Annotated[
    str, typer.Argument(metavar="CASE", help="The case's number (OBL-03/2026/000123) or id.", show_default=False)
]


@cases.command("list")
def list_(
    box: Annotated[str | None, typer.Option(metavar="CODE", help="Of this box.", show_default=False)] = None,
    review: Annotated[bool, typer.Option("--review", help="Those that a person must look at.")] = False,
    incomplete: Annotated[bool, typer.Option("--incomplete", help="Those that lack papers.")] = False,
    case_type: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="Of this case type, such as VER.", show_default=False)
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Received on this day or later.", show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="The newest so many; 0: all.")] = 50,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List cases, the newest last: type, branch, whether complete, and why a person must look.

    JSON (any one of the sets completes the case if it is of that branch; the shortest come first; the ordinal is its
    place in the stack, from 1):

    ```
    [{"number", "id", "box", "stack", "ordinal", "received_on",
      "case_type" | null, "branch" | null,
      "branch_source": "declared" | "inferred" | null, "providers": [code],
      "completeness": "complete" | "incomplete" | "undetermined",
      "missing": [{"branch" | null, "sets": [[kind]]}],
      "held", "needs_review", "review": [reason],
      "documents", "pages", "created_at"}]
    ```

    Example: `skrynka cases list --review --since 2026-02-01`
    """
    with station_database(configuration(config)) as database:
        found = list_cases(
            database,
            box_code=box,
            needs_review=True if review else None,
            completeness=CompletenessState.INCOMPLETE if incomplete else None,
            case_type=case_type,
            since=since.date() if since else None,
            limit=limit or None,
        )
    if as_json:
        show_json([_summary(each) for each in found])
        return
    show_table(
        ("case", "received", "type", "papers", "pages", "for review"),
        [
            (
                each.number,
                each.received_on,
                f"{each.case_type}/{each.branch}" if each.branch else each.case_type,
                each.completeness,
                each.pages,
                _reasons(each),
            )
            for each in found
        ],
        empty="No such cases.",
    )
    if limit and len(found) == limit:
        typer.echo(f"The newest {limit}; --limit 0 shows all.")


@cases.command()
def show(case: CaseName, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Show all there is about a case: what it lacks, why a person must look, its papers, its history.

    What is private (account, address code, meters) is shown, for you asked; it stands in no log.

    JSON: what `cases list` gives for a case, and (pages are counted from 1):

    ```
    {"declared_branch" | null, "sheet_serial" | null,
     "follows" | null, "followed_by": [number],
     "account" | null, "address_code" | null, "meters": [serial],
     "reviews": [{"reason", "sentence", "scan" | null, "page" | null}],
     "papers": [{"ordinal", "kinds": [kind], "pages": [{"scan", "page"}],
                 "size_bytes", "sha256"}],
     "history": [{"at", "event", "actor", "data"}]}
    ```

    Example: `skrynka cases show OBL-01/2026/000001`
    """
    with station_database(configuration(config)) as database:
        found = _find(database, case)
        names = scan_names(database, {page.scan_id for paper in found.documents for page in paper.pages})
        history = case_history(database, found.case.id)
    if as_json:
        show_json(_detail(found, names, history))
    else:
        _show(found, names, history)


@documents.command()
def export(
    case: CaseName,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; it is made.", show_default=False)],
    force: Annotated[bool, typer.Option("--force", help="Write over files that are there.")] = False,
    config: ConfigFile = None,
) -> None:
    """Copy a case's documents out of the archive, as PDF files with names that tell nothing private.

    A name is the case's number, the document's place in it, and its kinds: OBL-01-2026-000001-2-CERT.pdf. Every byte
    is compared with the document's hash on the way. Nothing is written over without --force, and the archive keeps
    what it has. What is copied is the papers of a person: keep it no wider than 0750.

    Example: `skrynka documents export OBL-01/2026/000001 /tmp/case`
    """
    station = configuration(config)
    with station_database(station) as database:
        found = _find(database, case)
    archive = archive_to_look_into(station.state, station.archive)
    written = export_documents(found, archive, folder, force=force)
    for file in written:
        typer.echo(str(file))


def _find(database: Database, reference: str) -> CaseDetail:
    found = find_case(database, reference)
    if found is None:
        raise typer.BadParameter("there is no such case; `skrynka cases list` shows them", param_hint="CASE")
    return found


def _summary(each: ListedCase) -> dict[str, Any]:
    return {
        "number": each.number,
        "id": each.id,
        "box": each.box_code,
        "stack": each.stack,
        "ordinal": each.ordinal,
        "received_on": each.received_on.isoformat(),
        "case_type": each.case_type,
        "branch": each.branch,
        "branch_source": each.branch_source and each.branch_source.value,
        "providers": list(each.providers),
        "completeness": each.completeness.value,
        "missing": [{"branch": lack.branch, "sets": [list(kinds) for kinds in lack.sets]} for lack in each.missing],
        "held": each.held,
        "needs_review": each.needs_review,
        "review": [reason.value for reason in each.reviews],
        "documents": each.documents,
        "pages": each.pages,
        "created_at": moment(each.created_at),
    }


def _detail(found: CaseDetail, names: Mapping[str, str], history: Sequence[RecordedEvent]) -> dict[str, Any]:
    return _summary(found.case) | {
        "declared_branch": found.declared_branch,
        "sheet_serial": found.sheet_serial,
        "follows": found.follows,
        "followed_by": list(found.followed_by),
        "account": found.account,
        "address_code": found.address_code,
        "meters": list(found.meter_serials),
        "reviews": [
            {
                "reason": review.reason.value,
                "sentence": review.reason.sentence,
                "scan": review.scan,
                "page": review.page,
            }
            for review in found.reviews
        ],
        "papers": [
            {
                "ordinal": paper.ordinal,
                "kinds": list(paper.kinds),
                "pages": [{"scan": names[page.scan_id], "page": page.number} for page in paper.pages],
                "size_bytes": paper.size_bytes,
                "sha256": paper.sha256,
            }
            for paper in found.documents
        ],
        "history": [
            {"at": moment(each.at), "event": each.event.name, "actor": each.actor, "data": dict(each.event.data)}
            for each in history
        ],
    }


def _show(found: CaseDetail, names: Mapping[str, str], history: Sequence[RecordedEvent]) -> None:
    case = found.case
    branch = f", branch {case.branch} ({case.branch_source})" if case.branch else ""
    typer.secho(case.number, bold=True)
    show_facts(
        [
            ("type", f"{case.case_type or 'unknown'}{branch}"),
            ("providers", case.providers),
            ("received", f"{case.received_on}, box {case.box_code}, stack {case.stack}, submission {case.ordinal}"),
            ("papers", case.completeness),
            ("sheet", found.sheet_serial),
            *([("follows", found.follows)] if found.follows else []),
            *([("followed by", found.followed_by)] if found.followed_by else []),
            ("account", found.account),
            ("address code", found.address_code),
            ("meters", found.meter_serials),
            ("id", case.id),
        ]
    )
    if found.reviews:
        typer.secho("\nFor review", bold=True)
        for review in found.reviews:
            typer.echo(f"  {review.reason}: {review.reason.sentence}{_at(review)}")
    if case.missing:
        typer.secho("\nMissing", bold=True)
        for lack in case.missing:
            typer.echo(f"  {f'if it is {lack.branch}: ' if lack.branch else ''}{_ways(lack)}")
    typer.echo()
    show_table(
        ("document", "kinds", "pages", "size"),
        [
            (paper.ordinal, "+".join(paper.kinds), _pages(paper.pages, names), size(paper.size_bytes))
            for paper in found.documents
        ],
        empty="No documents.",
    )
    typer.echo()
    show_table(
        ("when", "what happened", "who", "details"),
        [(each.at, each.event.name, each.actor, _details(each)) for each in history],
        empty="No history.",
    )


def _reasons(case: ListedCase) -> str:
    told = [reason.value for reason in case.reviews]
    return ", ".join(["held", *told] if case.held else told) or "-"


def _at(review: CaseReview) -> str:
    return f" ({review.scan}, page {review.page})" if review.scan else ""


def _ways(lack: BranchMissing) -> str:
    return " or ".join(" + ".join(kinds) for kinds in lack.sets) or "nothing"


def _pages(pages: Sequence[PageRef], names: Mapping[str, str]) -> str:
    """Write pages as people do: "ST-1-4: 2–4, 7; ST-1-5: 1"."""
    told = []
    for scan_id, of_scan in groupby(pages, key=lambda page: page.scan_id):
        numbers = [page.number for page in of_scan]
        # Numbers that run on keep their distance to a running count.
        runs = [
            [number for _, number in run] for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])
        ]
        spans = [str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs]
        told.append(f"{names[scan_id]}: {', '.join(spans)}")
    return "; ".join(told)


def _details(each: RecordedEvent) -> str:
    shown = {
        name: str(value)[:12] if name == "config_digest" else word(value) for name, value in each.event.data.items()
    }
    return ", ".join(f"{name} {value}" for name, value in shown.items()) or "-"
