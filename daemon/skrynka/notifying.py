"""What the service tells systemd: that it is ready, alive, what it is doing, that it stops (sd_notify(3))."""

from __future__ import annotations

import os
import socket


class Supervisor:
    """systemd, if it started us; without it everything here does nothing."""

    def __init__(self) -> None:
        """Take the address from the environment, so that no child process inherits it."""
        self._address = os.environ.pop("NOTIFY_SOCKET", "")
        watchdog = os.environ.pop("WATCHDOG_USEC", "")
        self.watchdog_seconds = int(watchdog) / 1e6 if watchdog.isdigit() else None
        """Silence for so long, and systemd restarts the service; None: it doesn't look."""

    def ready(self) -> None:
        """Say that recovery is done and work goes on."""
        self._tell("READY=1")

    def alive(self, status: str) -> None:
        """Say that every loop shows life, and one line about what there is to do."""
        self._tell(f"WATCHDOG=1\nSTATUS={status}")

    def stopping(self) -> None:
        """Say that the service was asked to end."""
        self._tell("STOPPING=1")

    def _tell(self, message: str) -> None:
        if not self._address:
            return
        # A leading @ is systemd's way to write the abstract namespace, whose names begin with a NUL byte.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            try:
                channel.sendto(message.encode(), address)
            except OSError:
                # systemd restarts a service that it doesn't hear from; there is nobody else to tell.
                return
