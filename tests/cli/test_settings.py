"""A configuration: what is said of a wrong value, and its digest: one for one configuration, another for another."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from skrynka.core.errors import ConfigurationError
from skrynka.settings import load

SAYS = (
    "import sys; from pathlib import Path; from skrynka.settings import load; print(load(Path(sys.argv[1])).digest())"
)


def test_one_configuration_has_one_digest_in_every_process(station: Path) -> None:
    told = {
        subprocess.run(
            [sys.executable, "-c", SAYS, str(station / "skrynka.toml")],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "0123"
    }
    assert len(told) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LIMITS__SCAN_PAGES", "9"),
        ("FILING__PAGE_LIMIT", "7"),
        ("INTAKE__QUIET_SECONDS", "6"),
        ("READING__SEPARATORS", '["PATCHT"]'),
        ("SHEETS__SERIES", "ZZ"),
        ("STATION__CODE", "B"),
    ],
)
def test_another_option_makes_another_digest(
    name: str, value: str, station: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load(station / "skrynka.toml").digest()
    monkeypatch.setenv(f"SKRYNKA_{name}", value)
    assert load(station / "skrynka.toml").digest() != before


@pytest.mark.parametrize(
    ("name", "more"),
    [("boxes.toml", '\n[[box]]\ncode = "OBL-99"\ninbox = "inbox/OBL-99"\n'), ("case_types.toml", "\n# More.\n")],
)
def test_other_boxes_or_case_types_make_another_digest(name: str, more: str, station: Path) -> None:
    before = load(station / "skrynka.toml").digest()
    with (station / name).open("a", encoding="utf-8") as file:
        file.write(more)
    assert load(station / "skrynka.toml").digest() != before


@pytest.mark.parametrize("credential", [False, True])
def test_a_wrong_value_is_told_with_the_name_of_what_gives_it_and_without_the_value(
    station: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, credential: bool
) -> None:
    if credential:
        folder = tmp_path / "credentials"
        folder.mkdir()
        (folder / "SKRYNKA_INTAKE__QUIET_SECONDS").write_text("0099887766a", encoding="utf-8")
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    else:
        monkeypatch.setenv("SKRYNKA_INTAKE__QUIET_SECONDS", "0099887766a")
    with pytest.raises(ConfigurationError) as wrong:
        load(station / "skrynka.toml")
    giver = "The credential" if credential else "The environment's"
    assert wrong.value.message.startswith(f"{giver} SKRYNKA_INTAKE__QUIET_SECONDS: ")
    assert "intake.quiet_seconds" in wrong.value.remedy
    assert "0099887766" not in str(wrong.value)


def test_a_list_that_is_not_written_as_one_is_a_wrong_configuration(
    station: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKRYNKA_READING__SEPARATORS", "PATCHT")
    with pytest.raises(ConfigurationError, match="reading"):
        load(station / "skrynka.toml")


def test_a_password_in_the_databases_url_is_not_in_the_digest(station: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = load(station / "skrynka.toml").digest()
    monkeypatch.setenv("SKRYNKA_DATABASE__URL", "postgresql://skrynka:guess@host/skrynka")
    assert load(station / "skrynka.toml").digest() == before
