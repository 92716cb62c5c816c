"""A PostgreSQL server that is stopped, killed and started, and a line to it that is cut in the worst moment."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from tests.support.databases import Postgres, memory_folder, migrate
from tests.support.processes import await_that

_DURABLE = ("synchronous_commit = on", "full_page_writes = on")
"""What was committed outlives the server's own death. That of the machine is another test's."""
_CHUNK_BYTES = 1 << 16


class Server:
    """A server of a test's own, with one database, reached through a port of this machine only."""

    def __init__(self) -> None:
        """Start it; it lies in memory."""
        self._folder = memory_folder("skrynka-server-")
        made = Postgres(self._folder)
        for setting in _DURABLE:
            made.execute(f"ALTER SYSTEM SET {setting}")
        name = make_url(made.create()).database
        migrate(made.url(str(name)))
        made.stop()
        self._bin = made.bin
        self.port = free_port()
        self._name = name
        self.start()

    @property
    def url(self) -> str:
        """The database's URL, as configured."""
        return self.url_through(self.port)

    def url_through(self, port: int) -> str:
        """Give the database's URL by way of another port."""
        return f"postgresql://postgres@127.0.0.1:{port}/{self._name}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-h 127.0.0.1 -p {self.port} -k {self._data}"
        self._control("start", "-w", "-l", str(self._data / "log"), "-o", options)

    def stop(self) -> None:
        """Stop it as an admin does: at once, with all connections."""
        self._control("stop", "-w", "-m", "fast")

    def kill(self) -> None:
        """Stop it without a word, in the middle of transactions: what `pg_ctl stop -m immediate` does."""
        pid = int((self._data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGQUIT)
        await_that(lambda: not (self._data / "postmaster.pid").exists(), "the server has stopped")

    def writing(self) -> psycopg.Connection[tuple[str]]:
        """Connect, to ask which transactions of the program have written something: see `WRITING`."""
        return psycopg.connect(self.url, autocommit=True)

    def broke_off(self, transactions: Iterable[str]) -> bool:
        """Say whether any of these was open when the server died: it isn't committed, though nobody gave it up."""
        with self.writing() as asking:
            return any(_aborted(asking, transaction) for transaction in transactions)

    def close(self) -> None:
        """Stop it if it runs, and remove it."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _control(self, *words: str) -> None:
        # It refuses to run as root, and its folder belongs to somebody else then.
        owner = self._data.stat().st_uid
        user = owner if os.geteuid() == 0 else None
        command = [self._bin / "pg_ctl", "-D", self._data, *words]
        subprocess.run(command, user=user, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")


WRITING = (
    "SELECT backend_xid::text FROM pg_stat_activity WHERE application_name = 'skrynka' AND backend_xid IS NOT NULL"
)
_WRITES_THROUGH = f"{WRITING} AND client_port = %s"


def _aborted(asking: psycopg.Connection[tuple[str]], transaction: str) -> bool:
    try:
        row = asking.execute("SELECT pg_xact_status(%s::xid8)", [transaction]).fetchone()
    except psycopg.errors.InvalidParameterValue:
        return True  # of a number that the server doesn't remember having given, nothing had come to the disk
    return row == ("aborted",)


class Line:
    """A line to a server. It passes everything on, but for the answers to some COMMITs: there it is cut."""

    def __init__(self, server: Server, cut: Callable[[int], bool]) -> None:
        """`cut` is asked of each COMMIT of what was written, by its number from 1, whether its answer is lost."""
        self._server = server.port
        self._asking = server.writing()
        self._cut = cut
        self._commits = 0
        self._counting = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """Take no more calls."""
        self._listener.close()
        self._asking.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        lost = threading.Event()
        try:
            server = socket.create_connection(("127.0.0.1", self._server))
        except OSError:
            client.close()
            return
        threading.Thread(target=self._answer, args=(server, client, lost), daemon=True).start()
        with contextlib.suppress(OSError):
            while asked := client.recv(_CHUNK_BYTES):
                if b"COMMIT\0" in asked and self._cuts_next(server.getsockname()[1]):
                    lost.set()
                server.sendall(asked)
        _hang_up(server, client)

    def _answer(self, server: socket.socket, client: socket.socket, lost: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while (said := server.recv(_CHUNK_BYTES)) and not lost.is_set():
                client.sendall(said)
        # The server has answered, so it has committed: only nobody hears of it.
        _hang_up(server, client)

    def _cuts_next(self, port: int) -> bool:
        """Say whether to cut at this COMMIT; one of nothing doesn't count. `port` is our end of the line it came by."""
        with self._counting:
            if self._asking.execute(_WRITES_THROUGH, [port]).fetchone() is None:
                return False
            self._commits += 1
            return self._cut(self._commits)


def free_port() -> int:
    """Give a port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _hang_up(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
