from __future__ import annotations

import os
import stat
import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrynka.core.errors import ConfigurationError, EnvironmentUnfit
from skrynka.core.signing import Signing, SigningMode, key_to_sign_with
from skrynka.key_file import add_key, load_keys, load_signing
from skrynka.toml_tables import parse_toml

HEX = "000102030405060708090a0b0c0d0e0f"
BASE64 = "/+7dzLuqmYh3ZlVEMyIRAA=="
OTHER = "f0e1d2c3b4a5968778695a4b3c2d1e0f"
GOOD = f"""
[[key]]
id = "2"
secret = "{HEX}"
signs_from = 2026-06-01

[[key]]
id = "OLD1"
secret = "{BASE64}"
signs_from = 2025-06-01
verifies_until = 2026-12-31
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A good key file."""
    return written(tmp_path / "keys.toml", GOOD)


def written(file: Path, text: str, mode: int = 0o600) -> Path:
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return file


def test_keys_are_read_with_their_days_and_secrets_in_either_spelling(file: Path) -> None:
    new, old = load_keys(file)
    assert (new.id, new.secret.hex(), new.signs_from, new.verifies_until) == ("2", HEX, date(2026, 6, 1), None)
    assert (old.id, old.secret.hex()) == ("OLD1", "ffeeddccbbaa99887766554433221100")
    assert old.verifies_until == date(2026, 12, 31)


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o601, 0o620, 0o644, 0o666])
def test_a_file_that_is_open_to_others_is_refused_with_the_remedy(mode: int, file: Path) -> None:
    file.chmod(mode)
    with pytest.raises(ConfigurationError, match="open to others") as refused:
        load_keys(file)
    assert f"chmod o=,g-wx {file}" in refused.value.remedy


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o640, 0o440])
def test_the_group_may_read_it_as_a_credentials_owner_does(mode: int, file: Path) -> None:
    file.chmod(mode)
    assert len(load_keys(file)) == 2


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path, why in ((tmp_path / "pipe", "is no file"), (tmp_path / "none", "can't be read")):
        with pytest.raises(ConfigurationError, match=why):
            load_keys(path)


BAD = {
    "nothing": ("", 1, r"no \[\[key\]\]"),
    "something else": (f"{GOOD}\n[more]\na = 1\n", 1, "something else"),
    "no table": ('key = "2"', 1, "not a list of tables"),
    "unknown option": (GOOD.replace("signs_from = 2026", "begins = 2026"), 2, "means nothing here"),
    "no id": (GOOD.replace('id = "2"', ""), 2, "no good id"),
    "small letters": (GOOD.replace('"2"', '"b"'), 2, "no good id"),
    "long id": (GOOD.replace('"2"', '"123456789"'), 2, "no good id"),
    "two ids alike": (GOOD.replace("OLD1", "2"), 7, "two keys have the id 2"),
    "no first day": (GOOD.replace("signs_from = 2026-06-01", ""), 2, "no first day"),
    "a word for a day": (GOOD.replace("2026-06-01", '"2026-06-01"'), 5, "signs_from is no day"),
    "a moment for a day": (GOOD.replace("2026-12-31", "2026-12-31T00:00:00Z"), 11, "verifies_until is no day"),
    "ends first": (GOOD.replace("2026-12-31", "2025-05-31"), 7, "ends before it begins"),
    "begin together": (GOOD.replace("2025-06-01", "2026-06-01"), 7, "begin to sign on one day"),
    "one secret twice": (GOOD.replace(BASE64, HEX), 7, "the same secret"),
    "no secret": (GOOD.replace(f'secret = "{HEX}"', ""), 2, "16 random bytes"),
    "a number": (GOOD.replace(f'"{HEX}"', "17"), 2, "16 random bytes"),
    "too short": (GOOD.replace(HEX, HEX[:-2]), 2, "16 random bytes"),
    "neither spelling": (GOOD.replace(HEX, "secret-secret-secret-secret"), 2, "16 random bytes"),
    "a placeholder": (GOOD.replace(HEX, "0" * 64), 2, "16 random bytes"),
    "no TOML": (GOOD.replace(f'secret = "{HEX}"', f"secret = {OTHER}"), 4, "isn't TOML"),
}


@pytest.mark.parametrize(("text", "line", "why"), BAD.values(), ids=list(BAD))
def test_a_file_that_is_no_good_is_told_with_its_line_and_without_any_secret(
    text: str, line: int, why: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=why) as refused:
        load_keys(written(tmp_path / "keys.toml", text))
    assert refused.value.message.startswith(f"keys.toml:{line}: ")
    assert refused.value.remedy
    assert not any(secret in str(refused.value) for secret in (HEX, BASE64, OTHER, "secret-secret"))


def test_what_was_read_of_the_file_is_never_shown() -> None:
    table = parse_toml("keys.toml", GOOD.encode())
    shown = repr(table) + repr(table.tables("key"))
    assert HEX not in shown
    assert BASE64 not in shown


@given(st.text(max_size=60))
def test_whatever_a_secret_is_it_is_good_or_refused(secret: str) -> None:
    escaped = "".join(f"\\U{ord(letter):08X}" for letter in secret if not 0xD800 <= ord(letter) <= 0xDFFF)
    text = GOOD.replace(HEX, escaped)
    file = Path("/dev/shm" if Path("/dev/shm").is_dir() else "/tmp") / f"skrynka-keys-{os.getpid()}.toml"  # noqa: S108
    keys, told = (), ""
    try:
        keys = load_keys(written(file, text))
    except ConfigurationError as refused:
        told = str(refused)
    file.unlink()
    assert len(secret) < 4 or secret not in told
    assert all(len(key.secret) >= 16 for key in keys)


def test_a_first_key_makes_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    new, before = add_key(file, None, date(2026, 6, 1), None)
    assert (new.id, before, len(new.secret)) == ("1", (), 32)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_keys(file) == (new,)


def test_a_further_key_leaves_what_is_there_as_it_is(file: Path) -> None:
    file.chmod(0o640)
    old = file.read_text(encoding="utf-8") + "# Mine.\n"
    written(file, old, 0o640)
    new, before = add_key(file, None, date(2027, 1, 1), date(2028, 1, 1))
    assert file.read_text(encoding="utf-8").startswith(old)
    assert (new.id, [key.id for key in before]) == ("3", ["2", "OLD1"])
    assert load_keys(file) == (*before, new)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_root_leaves_the_file_to_its_owner(file: Path) -> None:
    os.chown(file, 12345, 23456)
    add_key(file, None, date(2027, 1, 1), None)
    assert (file.stat().st_uid, file.stat().st_gid, stat.S_IMODE(file.stat().st_mode)) == (12345, 23456, 0o600)


@pytest.mark.parametrize(
    ("key_id", "starts", "ends"),
    [("2", date(2027, 1, 1), None), ("7", date(2026, 6, 1), None), ("lower", date(2027, 1, 1), None),
     ("7", date(2027, 1, 1), date(2026, 12, 31))],
    ids=["id taken", "day taken", "no id", "ends first"],
)  # fmt: skip
def test_a_key_that_would_be_no_good_is_not_added(key_id: str, starts: date, ends: date | None, file: Path) -> None:
    with pytest.raises(ConfigurationError):
        add_key(file, key_id, starts, ends)
    assert file.read_text(encoding="utf-8") == GOOD


def test_a_file_that_is_open_to_others_gets_no_new_key(file: Path) -> None:
    file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="open to others"):
        add_key(file, None, date(2027, 1, 1), None)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentUnfit, match="can't be written"):
        add_key(tmp_path / "nowhere" / "keys.toml", None, date(2026, 6, 1), None)


def test_no_two_new_keys_are_alike_and_the_newest_signs(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    days = [date(2026, month, 1) for month in (3, 1, 2)]
    added = [add_key(file, None, day, None)[0] for day in days]
    assert len({key.secret for key in added}) == 3
    assert [key.id for key in added] == ["1", "2", "3"]
    assert key_to_sign_with(load_keys(file), date(2026, 2, 15)) == added[2]
    assert all(entry["secret"] != "" for entry in tomllib.loads(file.read_text(encoding="utf-8"))["key"])


def test_signatures_that_are_looked_at_need_keys_and_others_do_not(file: Path, tmp_path: Path) -> None:
    assert load_signing(SigningMode.OFF, tmp_path / "none") == Signing()
    for mode in (SigningMode.ACCEPTED, SigningMode.REQUIRED):
        assert load_signing(mode, file) == Signing(mode, load_keys(file))
        with pytest.raises(ConfigurationError, match="needs a key file"):
            load_signing(mode, None)
