from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import typer.main

from skrynka import __version__
from skrynka.cli import app
from tests.cli.conftest import Skrynka

COMMAND = [sys.executable, "-m", "skrynka"]


def commands() -> Iterator[tuple[str, ...]]:
    """Every command, as the words that call it."""
    top = typer.main.get_command(app)
    for name, command in top.commands.items():  # type: ignore[attr-defined] - a group
        inner = getattr(command, "commands", None)
        yield from [(name, word) for word in inner] if inner else [(name,)]


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_says_what_it_gives_and_shows_an_example(words: tuple[str, ...], skrynka: Skrynka) -> None:
    told = skrynka(*words, "--help")
    assert told.code == 0
    assert "Example: skrynka " + " ".join(words) in " ".join(told.out.split())


@pytest.mark.parametrize(
    "words", [("status",), ("check",), ("cases", "list"), ("quarantine", "list"), ("db", "revision")]
)
@pytest.mark.usefixtures("station")
def test_where_a_table_is_shown_json_is_too(words: tuple[str, ...], skrynka: Skrynka) -> None:
    assert skrynka(*words, "--json").json is not None


def test_the_version_is_said(skrynka: Skrynka) -> None:
    assert skrynka("--version").out == f"{__version__}\n"


def test_without_a_station_one_line_says_how_to_name_one(
    skrynka: Skrynka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = skrynka("status")
    assert told.code == 2
    assert told.err.count("\n") == 1
    assert "--config" in told.err
    assert "skrynka init" in told.err


def test_the_station_of_the_folder_we_are_in_is_found(
    skrynka: Skrynka, station: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SKRYNKA_CONFIG")
    monkeypatch.chdir(station)
    assert skrynka("status", "--json").json["station"] == "ST-1"


@pytest.mark.usefixtures("station")
def test_what_is_named_goes_before_the_environment(skrynka: Skrynka, tmp_path: Path) -> None:
    assert skrynka("status", "--config", tmp_path / "none.toml").code == 2
    assert skrynka("status").code == 0


def test_what_nobody_foresaw_is_one_line_with_its_place(
    skrynka: Skrynka, station: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(station / "skrynka.db")) as connection:
        connection.execute("DROP VIEW case_overview")
        connection.execute('ALTER TABLE "case" RENAME TO mislaid')
    told = skrynka("cases", "list")
    assert told.code == 3
    assert told.err.count("\n") == 1
    assert "DatabaseRefused at failures.py:" in told.err
    monkeypatch.setenv("SKRYNKA_DEBUG", "1")
    assert "Traceback" in skrynka("cases", "list").err


def test_a_reader_that_has_seen_enough_is_no_failure(station: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        done = subprocess.run(
            [*COMMAND, "check", "--json", "--config", station / "skrynka.toml"],
            stdout=nobody,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert done.returncode == 0
    assert done.stderr == b""


def test_an_interrupt_ends_a_command_quietly(station: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "list.csv")
    command = subprocess.Popen(
        [*COMMAND, "sheets", "case", "--csv", tmp_path / "list.csv", "--config", station / "skrynka.toml"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    # Opens as soon as the command reads from the other end.
    with (tmp_path / "list.csv").open("wb"):
        command.send_signal(signal.SIGINT)
        out, err = command.communicate(timeout=60)
    assert command.returncode == 130
    assert (out, err) == (b"", b"")
