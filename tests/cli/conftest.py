"""The command line as it is typed, in this process: `main` with its arguments, and what came of it."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from skrynka.cli import main
from skrynka.cli.station import init


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever was said
        """What it said, as JSON."""
        return json.loads(self.out)


Skrynka = Callable[..., Answer]


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Put back what setting the log up changes in the process."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    showwarning, hooks = warnings.showwarning, (sys.excepthook, threading.excepthook, sys.unraisablehook)
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    warnings.showwarning = showwarning
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks


@pytest.fixture
def skrynka(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Skrynka:
    """Give the command."""
    for name in [name for name in os.environ if name.startswith("SKRYNKA_")]:
        monkeypatch.delenv(name)

    def call(*words: str | Path) -> Answer:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["skrynka", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        told = capsys.readouterr()
        return Answer(int(end.value.code or 0), told.out, told.err)

    return call


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new station's folder, to be copied."""
    folder = tmp_path_factory.mktemp("made") / "station"
    init(folder)
    return folder


@pytest.fixture
def station(skrynka: Skrynka, made_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new station's folder, with SKRYNKA_CONFIG naming it."""
    assert skrynka  # which has cleared the environment
    folder = tmp_path / "station"
    shutil.copytree(made_once, folder)
    monkeypatch.setenv("SKRYNKA_CONFIG", str(folder / "skrynka.toml"))
    return folder
