"""The sheets that were printed: their serials run on, and what a serial's sheet says can be looked up."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from skrynka.core.model import RoutingCode, SheetKind
from skrynka.store.case_tables import sheet, sheet_number
from skrynka.store.database import Database, new_id
from skrynka.store.events import NewEvent, Value, record_events
from skrynka.store.upserts import upsert

_PRINTED = select(sheet).where(sheet.c.serial.in_(bindparam("serials", expanding=True)))


@dataclass(frozen=True, slots=True)
class PrintedSheet:
    """A sheet with a serial, as it is printed."""

    number: int
    """The serial's digits as a number, from 1."""
    code: RoutingCode = field(repr=False)
    """What it says; its serial is there."""
    text: str = field(repr=False)
    """The full routing code."""
    expires_on: date | None = None
    """For a follow-up sheet: the last day on which it is honoured."""


def record_sheets(
    db: Database, series: str, actor: str, make: Callable[[int], Sequence[PrintedSheet]]
) -> tuple[PrintedSheet, ...]:
    """Draw serials of a series and keep what is printed with them, in one transaction; give the sheets.

    `make` gets the number that the series used last (0 for a new series) and gives the sheets, numbered on from
    there without a gap. It may be called again where the transaction is. Nobody else gets these serials, whether or
    not the sheets are printed in the end. `actor` is who asked, such as "user:olena". Raises ValueError where the
    numbers don't run on, what `make` raises, and DatabaseAway.
    """

    def work(connection: Connection) -> tuple[PrintedSheet, ...]:
        last: int = connection.execute(
            upsert(connection, sheet_number)
            .values(series=series, last_number=0)
            # Changes nothing, and locks the row until the commit.
            .on_conflict_do_update(index_elements=["series"], set_={"last_number": sheet_number.c.last_number})
            .returning(sheet_number.c.last_number)
        ).scalar_one()
        sheets = tuple(make(last))
        if [printed.number for printed in sheets] != list(range(last + 1, last + len(sheets) + 1)):
            raise ValueError("serials run on without a gap")
        if not sheets:
            return ()
        at, order_id = db.now(), new_id()
        connection.execute(
            insert(sheet),
            [{**_row(series, printed), "order_id": order_id, "printed_at": at} for printed in sheets],
        )
        connection.execute(
            update(sheet_number).where(sheet_number.c.series == series).values(last_number=sheets[-1].number)
        )
        data: dict[str, Value] = {"series": series, "first": last + 1, "last": sheets[-1].number, "order": order_id}
        record_events(connection, at, actor, [NewEvent("sheets_printed", data=data)])
        return sheets

    return db.transact(work)


def printed_sheets(db: Database, serials: Collection[str]) -> dict[str, RoutingCode]:
    """Give what the sheets with these serials say, by serial; those that weren't printed here are left out.

    Key and signature aren't kept apart from the text, and aren't given.
    """
    with db.read() as connection:
        rows = connection.execute(_PRINTED, {"serials": list(serials)}).all()
    return {row.serial: _code(row) for row in rows}


def _row(series: str, printed: PrintedSheet) -> dict[str, object]:
    code = printed.code
    return {
        "serial": code.serial,
        "series": series,
        "serial_number": printed.number,
        "kind": code.kind.value,
        "text": printed.text,
        "box_code": code.box,
        "case_type": code.case_type,
        "branch": code.branch,
        "providers": json.dumps(code.providers),
        "document_kinds": json.dumps(code.document_kinds),
        "account": code.account,
        "address_code": code.address_code,
        "meter_serials": json.dumps(code.meter_serials),
        "follow_up": code.follow_up,
        "sticker": code.sticker,
        "emptied_on": code.emptied_on,
        "counted": code.counted,
        "expires_on": printed.expires_on,
    }


def _code(row: Row[Any]) -> RoutingCode:
    return RoutingCode(
        kind=SheetKind(row.kind),
        serial=row.serial,
        box=row.box_code,
        case_type=row.case_type,
        branch=row.branch,
        providers=tuple(json.loads(row.providers)),
        document_kinds=tuple(json.loads(row.document_kinds)),
        account=row.account,
        address_code=row.address_code,
        meter_serials=tuple(json.loads(row.meter_serials)),
        follow_up=row.follow_up,
        sticker=row.sticker,
        emptied_on=row.emptied_on,
        counted=row.counted,
    )
