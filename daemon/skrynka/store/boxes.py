"""The station and its boxes: the configuration says what there is, the database keeps what there was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, or_, select, update

from skrynka.core.errors import ConfigurationError
from skrynka.store.database import Database
from skrynka.store.events import NewEvent, record_events
from skrynka.store.tables import drop_box, station
from skrynka.store.upserts import upsert


@dataclass(frozen=True, slots=True)
class Box:
    """A drop box: where papers are left, and an inbox for their scans."""

    code: str
    """Such as "OBL-03"."""
    name: str
    centre: str
    """The service centre it stands in."""


def sync_boxes(db: Database, station_code: str, station_name: str, boxes: Sequence[Box]) -> None:
    """Make the database know the station and exactly these boxes as active ones of it; repeated, it changes nothing.

    A box that isn't configured any more stays, inactive. One that another station stopped using moves here. Raises
    ConfigurationError where another station still uses a box, DatabaseAway.
    """
    db.transact(lambda connection: _sync(connection, db, station_code, station_name, boxes))


def _sync(connection: Connection, db: Database, station_code: str, station_name: str, boxes: Sequence[Box]) -> None:
    at = db.now()
    wanted = {box.code: box for box in boxes}
    connection.execute(
        upsert(connection, station)
        .values(code=station_code, name=station_name, created_at=at)
        .on_conflict_do_update(index_elements=["code"], set_={"name": station_name})
    )
    ours = or_(drop_box.c.station_code == station_code, drop_box.c.code.in_(wanted))
    had = {
        row.code: row
        for row in connection.execute(select(drop_box).where(ours).order_by(drop_box.c.code).with_for_update())
    }
    events: list[NewEvent] = []
    for code, row in had.items():
        if code in wanted and row.station_code != station_code and row.active:
            raise ConfigurationError(
                f"Box {code} belongs to another station, {row.station_code}.",
                "Give the box a code of its own, or take it out of the other station's configuration first.",
            )
        if code not in wanted and row.active:
            connection.execute(update(drop_box).where(drop_box.c.code == code).values(active=False))
            events.append(NewEvent("box_deactivated", station_code, data={"box": code}))
    for code, box in sorted(wanted.items()):
        values = {"station_code": station_code, "name": box.name, "centre": box.centre, "active": True}
        connection.execute(
            upsert(connection, drop_box)
            .values(code=code, **values)
            .on_conflict_do_update(index_elements=["code"], set_=values)
        )
        if code not in had or not had[code].active:
            events.append(NewEvent("box_activated", station_code, data={"box": code}))
    record_events(connection, at, f"station:{station_code}", events)
