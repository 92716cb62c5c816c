"""The native protocol of systemd's journal: the message is the sentence, and our fields can be asked for.

journalctl SKRYNKA_SCAN_NUMBER=A-4417 -o verbose
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Mapping
from typing import Final, TextIO

from skrynka.logs.catalogue import Level
from skrynka.logs.entries import Entry
from skrynka.logs.fields import as_text
from skrynka.logs.rendering import StreamOutlet, as_json

SOCKET: Final = "/run/systemd/journal/socket"

_PRIORITIES: Final[Mapping[Level, int]] = {Level.DEBUG: 7, Level.INFO: 6, Level.WARNING: 4, Level.ERROR: 3}
"""syslog(3)'s figures."""
_PATIENCE_SECONDS = 1.0
"""A journal that takes nothing for so long is passed by: filing doesn't wait for it."""
_LONGEST_WHEN_CUT = 1000
"""Bytes of a value in a message that was too large as it was."""


def is_journal(stream: TextIO, journal_stream: str | None) -> bool:
    """Tell whether a stream leads to the journal: $JOURNAL_STREAM names its device and inode (systemd.exec(5))."""
    if not journal_stream:
        return False
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return journal_stream == f"{status.st_dev}:{status.st_ino}"


class JournalOutlet:
    """Sends entries to the journal's socket; to the stream as JSON where that fails."""

    def __init__(self, stream: TextIO, path: str = SOCKET) -> None:
        """`stream` is the way out when the socket at `path` takes nothing."""
        self._path = path
        self._otherwise = StreamOutlet(stream, as_json)

    def write(self, entry: Entry) -> None:
        """Send one entry, as a datagram of its own: nothing is connected, so the journal may come and go."""
        fields = _fields(entry)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.settimeout(_PATIENCE_SECONDS)
                try:
                    out.sendto(datagram(fields), self._path)
                except OSError as failure:
                    if failure.errno != errno.EMSGSIZE:
                        raise
                    out.sendto(datagram([(name, value[:_LONGEST_WHEN_CUT]) for name, value in fields]), self._path)
        except OSError:
            self._otherwise.write(entry)

    debug = info = warning = warn = error = critical = fatal = exception = msg = write


def datagram(fields: list[tuple[str, bytes]]) -> bytes:
    """Write fields as the journal reads them: a value with line ends goes with its length, 64 bits little-endian."""
    return b"".join(
        name.encode("ascii") + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"
        if b"\n" in value
        else name.encode("ascii") + b"=" + value + b"\n"
        for name, value in fields
    )


def _fields(entry: Entry) -> list[tuple[str, bytes]]:
    """Give the fields; several codes become several fields of one name, each of which can be asked for."""
    written = [
        ("MESSAGE", entry.message),
        ("PRIORITY", str(_PRIORITIES[entry.level])),
        ("SYSLOG_IDENTIFIER", "skrynka"),
        ("SKRYNKA_EVENT", entry.event),
    ]
    for name, value in entry.fields.items():
        values = value if isinstance(value, tuple) else (as_text(value),)
        written += [(f"SKRYNKA_{name.upper()}", each) for each in values]
    if entry.remedy and entry.level.rank > Level.INFO.rank:
        written.append(("SKRYNKA_REMEDY", entry.remedy))
    return [(name, value.encode()) for name, value in written]
