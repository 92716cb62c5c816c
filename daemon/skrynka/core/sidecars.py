"""What the archive says of a scan beside its original: all that a lost database is rebuilt from."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from skrynka.core.claims import moment_of, nanoseconds
from skrynka.core.formats import FileType
from skrynka.core.naming import scan_name


@dataclass(frozen=True, slots=True)
class ToldScan:
    """A scan as its sidecar in the archive, or its row, tells of it."""

    id: str
    number: int
    """The station's running number."""
    station: str
    box: str
    original_name: str = field(repr=False)
    """As the database has it: bytes that aren't UTF-8 stand as escapes. Private."""
    claimed_at: datetime
    sha256: str
    size_bytes: int
    file_type: FileType | None
    written_at: datetime | None = None
    after_gap: bool = False

    @property
    def name(self) -> str:
        """Give the name that people use, such as "ST-1-417"."""
        return scan_name(self.station, self.number)


def told_scan(sidecar: bytes) -> ToldScan:
    """Read a sidecar of the archive. Raises ValueError when it isn't one; its text doesn't echo what it is."""
    try:
        told: dict[str, Any] = json.loads(sidecar)
        claimed_at = datetime.fromisoformat(told["claimed_at"])
        kind = told["file_type"]
        mtime_ns = told.get("mtime_ns")
        scan = ToldScan(
            id=str(told["scan_id"]),
            number=int(told["number"]),
            station=str(told["station"]),
            box=str(told["box"]),
            original_name=readable_name(str(told["original_name"])),
            claimed_at=claimed_at,
            sha256=str(told["sha256"]),
            size_bytes=int(told["size_bytes"]),
            file_type=None if kind is None else FileType(kind),
            written_at=None if mtime_ns is None else moment_of(int(mtime_ns)),
            after_gap=bool(told.get("after_gap")),
        )
    except (ValueError, KeyError, TypeError):
        raise ValueError("no sidecar of a scan") from None
    if claimed_at.tzinfo is None or scan.number < 1:
        raise ValueError("no sidecar of a scan")
    return scan


def sidecar_of(scan: ToldScan) -> bytes:
    """Write a sidecar anew, from what the database knows: where the file lay in its inbox isn't known any more."""
    told = {
        "scan_id": scan.id,
        "number": scan.number,
        "station": scan.station,
        "box": scan.box,
        "original_name": scan.original_name,
        "claimed_at": scan.claimed_at.isoformat(),
        "sha256": scan.sha256,
        "size_bytes": scan.size_bytes,
        "file_type": scan.file_type.value if scan.file_type else None,
        "mtime_ns": None if scan.written_at is None else nanoseconds(scan.written_at),
        "after_gap": scan.after_gap,
    }
    return json.dumps(told, indent=1).encode("ascii")


def readable_name(name: str) -> str:
    """Give a name as the database keeps it: bytes that aren't UTF-8, which Python has as surrogates, as escapes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def is_earlier(told: ToldScan, row: ToldScan) -> bool:
    """Tell whether a sidecar is of the same scan as a row, stored before its file changed and it was registered."""
    return "sha256" in (differ := differences(told, row)) and {*differ} <= {"sha256", "size_bytes", "file_type"}


def differences(one: ToldScan, other: ToldScan) -> tuple[str, ...]:
    """Name what two tell differently; never what they tell."""
    fields = ("id", "number", "station", "box", "original_name", "claimed_at", "sha256", "size_bytes", "file_type")
    return tuple(name for name in fields if getattr(one, name) != getattr(other, name))
