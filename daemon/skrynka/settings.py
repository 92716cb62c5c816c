"""The station's configuration: TOML files, bettered by the environment, bettered by credentials.

`skrynka.toml` says where things are and which limits hold; `boxes.toml` beside it lists the drop boxes. Any value of
`skrynka.toml` can be given as `SKRYNKA_<TABLE>__<KEY>` in the environment, or as a file of that name in the folder
that `$CREDENTIALS_DIRECTORY` names (systemd's LoadCredential=). Relative paths start at the configuration's folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from skrynka.core.errors import ConfigurationError
from skrynka.core.model import Symbology
from skrynka.core.signing import SigningMode
from skrynka.core.stacking import Assemble

Code = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9.-]{0,15}$")]
"""A station's or box's code: what a sheet's `B` tag may carry."""
Seconds = Annotated[float, Field(gt=0)]
KEYS_CREDENTIAL = "skrynka-sheet-keys"
"""The credential that holds the keys of sheets."""


class _Table(BaseModel):
    """A table of the TOML file: an unknown key is an error, so that a misspelt option can't do nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Station(_Table):
    """Who we are."""

    code: Code
    name: str = ""


class Paths(_Table):
    """Where things lie."""

    state: Path = Path("state")
    """The lock, the running scan number, which archive and which database file are the station's."""
    spool: Path = Path("spool")
    """Claimed scans, until they are registered."""
    work: Path = Path("work")
    """Reader processes' folders: may be lost at any time."""
    archive: Path = Path("archive")
    """Originals and documents, by content, and the quarantine."""
    boxes: Path = Path("boxes.toml")
    case_types: Path = Path("case_types.toml")


class DatabaseTable(_Table):
    """Which database."""

    url: str = "sqlite:///skrynka.db"


class Intake(_Table):
    """When a file is taken."""

    quiet_seconds: Seconds = 5.0
    """Unchanged for so long after its writer closed it: scanners close and reopen between pages."""
    share_quiet_seconds: Seconds = 30.0
    give_up_seconds: Seconds = 600.0
    """A file without its end is claimed, and judged, when it has been unchanged for so long."""
    sweep_seconds: Seconds = 5.0
    share_sweep_seconds: Seconds = 30.0
    share_silent_seconds: Seconds = 20.0
    """A share that says nothing for so long while something is asked of it hangs."""


class Reading(_Table):
    """How pages are read."""

    readers: int = Field(default=0, ge=0, le=64)
    """Reader processes at a time; 0: as many as the machine has cores."""
    symbologies: frozenset[Symbology] = frozenset({Symbology.QR, Symbology.CODE_128})
    separators: frozenset[str] = frozenset()
    """Texts of foreign codes that are separators, such as "PATCHT"."""


class Filing(_Table):
    """How cases are made."""

    page_limit: int = Field(default=40, ge=1)
    """A case with more pages of paper is looked at by a person."""
    stack_quiet_seconds: Seconds = 600.0
    """Where scans go on in one stack: it is closed when nothing came for so long."""
    end_sheet_quiet_seconds: Seconds = 10.0
    """The same once its end sheet was seen: only that sheet's back may still come."""
    lease_seconds: Seconds = 300.0


class Limits(_Table):
    """What a file may cost."""

    scan_megabytes: int = Field(default=4000, ge=1)
    scan_pages: int = Field(default=5000, ge=1)
    page_megapixels: int = Field(default=120, ge=1)
    page_seconds: Seconds = 60.0
    """A reader that says nothing for so long is ended."""
    scan_seconds: Seconds = 3600.0
    reader_megabytes: int = Field(default=4096, ge=512)
    """Address space of a reader process."""
    free_megabytes: int = Field(default=500, ge=0)
    """With less free space in the spool or archive, no new scans are claimed."""


class Sheets(_Table):
    """What printed sheets say."""

    phones: tuple[str, ...] = ()
    """The service's phone lines."""
    series: Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,3}$")] = "A"
    templates: Path | None = None
    """A folder with your own Typst templates; without one, those of the package are used."""
    account_pattern: str = r"^\d{5,12}$"
    signing: SigningMode = SigningMode.OFF
    """Which signatures are asked for."""
    keys: Path | None = None
    """The file with the keys; the credential `skrynka-sheet-keys` takes its place where it is there."""
    follow_up_days: int = Field(default=60, ge=1)
    """A follow-up sheet is honoured so long after its printing."""


class Logs(_Table):
    """How logs look."""

    mode: Literal["auto", "console", "json", "journal"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Box(_Table):
    """A drop box, and the inbox that its scans are saved into."""

    code: Code
    name: str = ""
    centre: str = ""
    """The service centre where the box stands."""
    inbox: Path
    kind: Literal["local", "share"] = "local"
    marker: Annotated[str, StringConstraints(pattern=r"^\.[A-Za-z0-9._-]{1,63}$")] | None = None
    """The name of a hidden file that always lies in the inbox: where it is missing, the inbox is away, not empty."""
    assemble: Assemble = Assemble.FILE


class Settings(BaseSettings):
    """All of it."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="SKRYNKA_", env_nested_delimiter="__", hide_input_in_errors=True
    )

    station: Station
    paths: Paths = Paths()
    database: DatabaseTable = DatabaseTable()
    intake: Intake = Intake()
    reading: Reading = Reading()
    filing: Filing = Filing()
    limits: Limits = Limits()
    sheets: Sheets = Sheets()
    logs: Logs = Logs()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is the library's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Rank the sources, the strongest first: credentials, environment, TOML (given as init values)."""
        credentials = os.environ.get("CREDENTIALS_DIRECTORY")
        if not credentials:
            return (env_settings, init_settings)
        named_alike = NestedSecretsSettingsSource(
            SecretsSettingsSource(settings_cls, secrets_dir=credentials),
            secrets_dir=credentials,
            secrets_prefix="SKRYNKA_",
            secrets_nested_delimiter="__",
        )
        return (named_alike, env_settings, init_settings)


class Configuration:
    """The settings and boxes of one station, with every path made absolute."""

    def __init__(self, file: Path, settings: Settings, boxes: Sequence[Box]) -> None:
        """`file` is the absolute path of skrynka.toml."""
        folder = file.parent
        self.file = file
        self.settings = settings
        self.state = folder / settings.paths.state
        self.spool = folder / settings.paths.spool
        self.work = folder / settings.paths.work
        self.archive = folder / settings.paths.archive
        self.boxes_file = folder / settings.paths.boxes
        self.case_types_file = folder / settings.paths.case_types
        self.templates = folder / settings.sheets.templates if settings.sheets.templates else None
        self.keys_file = _credential(KEYS_CREDENTIAL) or (
            folder / settings.sheets.keys if settings.sheets.keys else None
        )
        self.boxes = tuple(box.model_copy(update={"inbox": folder / box.inbox}) for box in boxes)
        self.database_url = _absolute_url(settings.database.url, folder)

    @property
    def database_file(self) -> Path | None:
        """The file of a SQLite database; None where it is a server's."""
        prefix = "sqlite:///"
        return Path(self.database_url.removeprefix(prefix)) if self.database_url.startswith(prefix) else None

    @property
    def volumes(self) -> dict[str, Path]:
        """Give the folders that must have room, by the names that people know them by."""
        folders = {"spool": self.spool, "archive": self.archive, "work": self.work, "state": self.state}
        return folders if self.database_file is None else {**folders, "database": self.database_file.parent}

    def digest(self, key_ids: Sequence[str] = ()) -> str:
        """Identify the configuration: SHA-256 over settings, boxes, case types, and the ids of the signing keys.

        The database's URL isn't in it: it may hold a password, and whoever sees the digest could try some.
        """
        told = {
            "settings": self.settings.model_dump(exclude={"database"}),
            "boxes": [box.model_dump() for box in self.boxes],
            "keys": sorted(key_ids),
        }
        written = json.dumps(told, default=_as_json, sort_keys=True)
        return hashlib.sha256(written.encode() + self.case_types_file.read_bytes()).hexdigest()


def load(file: Path) -> Configuration:
    """Read a station's configuration; raise ConfigurationError that says which key of which file is wrong."""
    file = file.expanduser().absolute()
    tables = _toml(file)
    try:
        settings = Settings(**tables)
    except ValidationError as error:
        raise _wrong(file, error, _giver(error)) from None
    except SettingsError as error:
        raise ConfigurationError(
            f"A value that the environment or a credential gives can't be read: {error}.",
            'Lists and tables are written there as JSON, such as ["PATCHT"].',
        ) from None
    boxes_file = file.parent / settings.paths.boxes
    listed = _toml(boxes_file)
    try:
        boxes = _Boxes(**listed).box
    except ValidationError as error:
        raise _wrong(boxes_file, error) from None
    _check_boxes(boxes_file, boxes)
    return Configuration(file, settings, boxes)


def _as_json(value: object) -> object:
    """Write a set in one order: its own changes from process to process."""
    return sorted(value) if isinstance(value, frozenset) else str(value)


def _credential(name: str) -> Path | None:
    """Give the file of a credential that systemd handed over."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    file = Path(folder) / name if folder else None
    return file if file is not None and file.exists() else None


class _Boxes(_Table):
    box: tuple[Box, ...] = Field(min_length=1)


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"{file}: no such file.", "Make a station with `skrynka init DIR`.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: can't be read ({type(error).__name__}).", "Look at its rights.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file}: {error}.", "Mend the TOML at that line.") from None


def _wrong(file: Path, error: ValidationError, giver: str | None = None) -> ConfigurationError:
    first = _first(error)
    key = ".".join(str(part) for part in first["loc"])
    message = "is no option here" if first["type"] == "extra_forbidden" else first["msg"]
    if giver is not None:
        return ConfigurationError(f"{giver}: {message}.", f"It gives the value of {key}; mend it there.")
    return ConfigurationError(f"{file}: {key}: {message}.", f"Compare with the commented example of {file.name}.")


def _giver(error: ValidationError) -> str | None:
    """Say which variable or credential gave what is wrong; None where it was the file."""
    table, *key = map(str, _first(error)["loc"])
    name = f"SKRYNKA_{table}__{key[0]}".upper() if key else ""
    if _credential(name) is not None or _credential(name.lower()) is not None:
        return f"The credential {name}"
    return f"The environment's {name}" if name in map(str.upper, os.environ) else None


def _first(error: ValidationError) -> ErrorDetails:
    return error.errors(include_input=False, include_url=False)[0]


def _check_boxes(file: Path, boxes: Sequence[Box]) -> None:
    for what, values in (("code", [box.code for box in boxes]), ("inbox", [str(box.inbox) for box in boxes])):
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise ConfigurationError(f"{file}: two boxes have the {what} {twice[0]}.", "Give each its own.")


def _absolute_url(url: str, folder: Path) -> str:
    prefix = "sqlite:///"
    if url.startswith(prefix) and not url.startswith(prefix + "/"):
        return f"{prefix}{folder / url.removeprefix(prefix)}"
    return url
