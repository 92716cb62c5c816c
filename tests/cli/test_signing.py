from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from skrynka.cli.checked import State
from skrynka.cli.key_checks import sheet_signing
from skrynka.core.model import SheetKind
from skrynka.core.signing import SigningMode, Verdict, verify
from skrynka.key_file import load_keys
from skrynka.settings import load
from skrynka.store.database import open_database
from tests.cli.conftest import Skrynka
from tests.cli.test_check import change, line
from tests.cli.test_sheets import codes_on
from tests.store.samples import filed, with_boxes

TODAY = date(2026, 11, 25)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def keys(station: Path, skrynka: Skrynka) -> Path:
    """The station's key file, with a key."""
    change(station, "skrynka.toml", '# keys = "sheet-keys.toml"', 'keys = "sheet-keys.toml"')
    assert skrynka("sheets", "key").code == 0
    return station / "sheet-keys.toml"


def ask_for(station: Path, mode: str) -> None:
    change(station, "skrynka.toml", '# signing = "off"', f'signing = "{mode}"')


def texts(station: Path) -> list[str]:
    """The texts of the sheets that were printed, as they were kept."""
    with closing(sqlite3.connect(station / "skrynka.db")) as connection:
        return [row[0] for row in connection.execute("SELECT text FROM sheet ORDER BY serial")]


def test_a_key_is_made_where_the_configuration_says_and_its_secret_is_not_shown(
    keys: Path, station: Path, skrynka: Skrynka
) -> None:
    told = skrynka("sheets", "key", "--from", "2030-01-01", "--until", "2031-12-31")
    assert told.out.splitlines() == [
        f"key 2, which signs from 2030-01-01 → {station / 'sheet-keys.toml'}",
        "Without an end as yet: key 1. Write its `verifies_until` into the file.",
    ]
    first, second = load_keys(keys)
    assert (second.id, second.verifies_until) == ("2", date(2031, 12, 31))
    for shown in (told.out, told.err, skrynka("check", "--json").out):
        assert not any(key.secret.hex() in shown for key in (first, second))


def test_a_key_file_is_made_without_a_station_where_one_is_named(
    tmp_path: Path, skrynka: Skrynka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SKRYNKA_CONFIG", raising=False)
    assert skrynka("sheets", "key", "--file", "keys.toml", "--id", "KYIV1").code == 0
    assert [key.id for key in load_keys(tmp_path / "keys.toml")] == ["KYIV1"]


@pytest.mark.usefixtures("station")
def test_without_a_place_for_keys_nothing_is_made_up(skrynka: Skrynka) -> None:
    told = skrynka("sheets", "key")
    assert (told.code, "sheets.keys" in told.err) == (2, True)


@pytest.mark.parametrize("mode", ["off", "accepted", "required"])
def test_every_sheet_is_signed_where_there_is_a_key(mode: str, keys: Path, station: Path, skrynka: Skrynka) -> None:
    ask_for(station, mode)
    for kind, words in (
        (SheetKind.CASE, ["case", "--type", "VER", "--copies", "2"]),
        (SheetKind.COLLECTION, ["collection", "--box", "OBL-02"]),
        (SheetKind.DOCUMENT, ["document", "--kind", "CERT"]),
        (SheetKind.SEPARATOR, ["separator"]),
        (SheetKind.REPEAT, ["repeat"]),
        (SheetKind.END, ["end", "--numbered"]),
    ):
        told = skrynka("sheets", *words, "-o", f"{kind.name}.pdf")
        assert (told.code, "signed with key 1" in told.out) == (0, True)
        assert {(code.kind, code.key_id) for code in codes_on(f"{kind.name}.pdf")} == {(kind, "1")}
    kept = texts(station)
    assert [verify(text, load_keys(keys), date(2100, 1, 1)) for text in kept] == [Verdict.VERIFIED] * 5


@pytest.mark.usefixtures("keys")
def test_the_newest_key_that_has_begun_signs(skrynka: Skrynka) -> None:
    assert skrynka("sheets", "key", "--id", "OLD", "--from", "2020-01-01").code == 0
    assert skrynka("sheets", "key", "--id", "LATER", "--from", "2090-01-01").code == 0
    assert "signed with key 1 " in skrynka("sheets", "separator").out


def test_a_sheet_that_would_be_held_when_it_comes_back_is_not_printed(station: Path, skrynka: Skrynka) -> None:
    ask_for(station, "required")
    told = skrynka("sheets", "case")
    assert (told.code, "skrynka sheets key" in told.err) == (2, True)
    change(station, "skrynka.toml", '# keys = "sheet-keys.toml"', 'keys = "sheet-keys.toml"')
    assert skrynka("sheets", "key", "--from", "2090-01-01").code == 0
    assert skrynka("sheets", "case").code == 2
    assert texts(station) == []


@pytest.fixture
def earlier(station: Path) -> str:
    """A case of the station, by number."""
    database = open_database(f"sqlite:///{station / 'skrynka.db'}")
    number = filed(with_boxes(database), 1)[0].number
    database.close()
    change(station, "boxes.toml", 'code = "OBL-01"', 'code = "OBL-03"')
    return number


@pytest.mark.usefixtures("keys")
def test_a_follow_up_sheet_says_the_case_and_its_last_day(earlier: str, station: Path, skrynka: Skrynka) -> None:
    told = skrynka("sheets", "case", "--follow-up", earlier, "-o", "sheet.pdf")
    assert told.code == 0
    (code,) = codes_on("sheet.pdf")
    assert (code.follow_up, code.box, code.case_type, code.branch) == ("OBL-03-2026-000001", "OBL-03", "VER", "DIS")
    assert (code.providers, code.key_id, code.account) == (("KTE", "KVK"), "1", None)
    with closing(sqlite3.connect(station / "skrynka.db")) as connection:
        ((printed, expires),) = connection.execute("SELECT date(printed_at), expires_on FROM sheet").fetchall()
    assert date.fromisoformat(expires) - date.fromisoformat(printed) in {timedelta(60), timedelta(61)}


@pytest.mark.usefixtures("keys")
def test_a_follow_up_sheet_may_ask_for_another_type(earlier: str, skrynka: Skrynka) -> None:
    assert skrynka("sheets", "case", "--follow-up", earlier, "--type", "NUM", "-o", "sheet.pdf").code == 0
    (code,) = codes_on("sheet.pdf")
    assert (code.case_type, code.branch) == ("NUM", None)


def test_a_follow_up_that_could_not_be_honoured_is_not_printed(earlier: str, station: Path, skrynka: Skrynka) -> None:
    told = skrynka("sheets", "case", "--follow-up", earlier)
    assert (told.code, "skrynka sheets key" in told.err) == (2, True)
    change(station, "skrynka.toml", '# keys = "sheet-keys.toml"', 'keys = "sheet-keys.toml"')
    assert skrynka("sheets", "key").code == 0
    assert skrynka("sheets", "case", "--follow-up", "OBL-03/2026/000099").code == 2
    Path("list.csv").write_text("account\n0012345678\n", encoding="utf-8")
    assert skrynka("sheets", "case", "--follow-up", earlier, "--csv", "list.csv").code == 2
    assert not list(Path.cwd().glob("*.pdf"))


def test_check_tells_the_mode_and_every_key(keys: Path, station: Path, skrynka: Skrynka) -> None:
    ask_for(station, "required")
    assert skrynka("sheets", "key", "--id", "OLD", "--from", "2020-01-01", "--until", "2020-12-31").code == 0
    found = skrynka("check", "--json")
    assert line(found, "signing")["state"] == "good"
    assert line(found, "signing")["said"] == "required; 1 signs; keys: 1 (no end), OLD (ended 2020-12-31)"
    keys.chmod(0o644)
    found = skrynka("check", "--json")
    assert (found.code, line(found, "signing")["state"]) == (2, "wrong")
    assert "chmod" in line(found, "signing")["remedy"]


Ends = list[tuple[int, int | None]]
"""Keys as first and last day, in days from today."""
CHECKED: dict[str, tuple[SigningMode, Ends, State, str]] = {
    "a key without an end": (SigningMode.REQUIRED, [(-9, None)], State.GOOD, "1 signs; keys: 1 (no end)"),
    "long enough": (SigningMode.REQUIRED, [(-9, 31)], State.GOOD, "until 2026-12-26"),
    "ends soon": (SigningMode.REQUIRED, [(-9, 30)], State.WARNING, "until 2026-12-25"),
    "ends soon, and the next is there": (SigningMode.REQUIRED, [(-9, 5), (3, None)], State.GOOD, "1 signs"),
    "begins tomorrow": (SigningMode.REQUIRED, [(1, None)], State.WARNING, "no key signs today"),
    "ended": (SigningMode.REQUIRED, [(-9, -1)], State.WRONG, "every sheet is held"),
    "ends today": (SigningMode.REQUIRED, [(-9, 0)], State.WARNING, "1 signs"),
    "ended and only accepted": (SigningMode.ACCEPTED, [(-9, -1)], State.WARNING, "no key signs today"),
    "switched off and signing": (SigningMode.OFF, [(-9, None)], State.GOOD, "off; 1 signs"),
}


@pytest.mark.parametrize(("mode", "ends", "state", "said"), CHECKED.values(), ids=list(CHECKED))
def test_the_keys_are_looked_at(mode: SigningMode, ends: Ends, state: State, said: str, tmp_path: Path) -> None:
    entries = [
        f'[[key]]\nid = "{number}"\nsecret = "{os.urandom(20).hex()}"\nsigns_from = {TODAY + timedelta(starts)}\n'
        + (f"verifies_until = {TODAY + timedelta(last)}\n" if last is not None else "")
        for number, (starts, last) in enumerate(ends, 1)
    ]
    file = tmp_path / "keys.toml"
    file.write_text("\n".join(entries), encoding="utf-8")
    file.chmod(0o600)
    found = sheet_signing(mode, file, TODAY)
    assert (found.state, said in found.said) == (state, True), found
    assert bool(found.remedy) == (state is not State.GOOD)


def test_signatures_without_a_key_file_are_a_wrong_configuration() -> None:
    assert sheet_signing(SigningMode.REQUIRED, None, TODAY).state is State.WRONG
    assert sheet_signing(SigningMode.OFF, None, TODAY).state is State.NOTE


def test_a_credential_takes_the_place_of_the_configured_file(
    keys: Path, station: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed = tmp_path / "credentials"
    handed.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(handed))
    assert load(station / "skrynka.toml").keys_file == keys
    (handed / "skrynka-sheet-keys").write_bytes(keys.read_bytes())
    assert load(station / "skrynka.toml").keys_file == handed / "skrynka-sheet-keys"


def test_the_digest_of_the_configuration_tells_mode_and_key_ids_and_no_secret(keys: Path, station: Path) -> None:
    config = station / "skrynka.toml"
    seen = {load(config).digest(), load(config).digest(["1"]), load(config).digest(["1", "2"])}
    assert load(config).digest(["2", "1"]) in seen
    before = load(config).digest(["1"])
    keys.write_text(re.sub("[0-9a-f]{64}", os.urandom(32).hex(), keys.read_text(encoding="utf-8")), encoding="utf-8")
    assert load(config).digest([key.id for key in load_keys(keys)]) == before
    ask_for(station, "accepted")
    seen.add(load(config).digest(["1"]))
    assert len(seen) == 4


def test_a_service_without_the_keys_that_it_needs_does_not_start(station: Path, skrynka: Skrynka) -> None:
    ask_for(station, "required")
    told = skrynka("run", "--once")
    assert (told.code, "needs a key file" in told.err) == (2, True)
    assert told.err.count("\n") == 1
