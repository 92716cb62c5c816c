"""Whether a service runs on a station: who holds the lock on its state folder, without touching the lock."""

from __future__ import annotations

from pathlib import Path

_LOCKS = Path("/proc/locks")


def service_pid(state: Path) -> int | None:
    """Give the process id of the station's service; None where none runs, 0 where it runs out of our sight.

    Asked of `/proc/locks`, for to try the lock is to take it, and a service that starts in this moment would give up.
    proc(5): "1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF", with device and inode in the sixth field. Devices
    aren't compared: btrfs and overlayfs show another one there than stat(2) gives.
    """
    try:
        inode = str((state / "lock").stat().st_ino)
        lines = _LOCKS.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for fields in map(str.split, lines):
        if fields[1:4] == ["FLOCK", "ADVISORY", "WRITE"] and fields[5].rpartition(":")[2] == inode:
            return max(0, int(fields[4]))
    return None
