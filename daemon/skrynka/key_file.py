"""The keys that sign sheets, as a TOML file: whoever can read it can print sheets that the station believes.

    [[key]]
    id = "2"
    secret = "64 hexadecimal digits, or base64: 16 random bytes at least"
    signs_from = 2026-03-01
    verifies_until = 2027-06-01     # the last day; may be left out

Mistakes are told with their line, and never with what stands on it.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
import stat
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from skrynka.core.errors import ConfigurationError, EnvironmentUnfit
from skrynka.core.routing_code import GRAMMAR
from skrynka.core.signing import SHORTEST_SECRET, Signing, SigningKey, SigningMode
from skrynka.durable import write_durably
from skrynka.toml_tables import Table, parse_toml

_NEW_SECRET = 32
"""Bytes of a secret made here."""
_FEWEST_VALUES = 8
"""Different bytes in a secret: sixteen random ones have fewer once in 10^12 times, and a word typed often has."""
_CLOSED = stat.S_IRWXO | stat.S_IWGRP | stat.S_IXGRP
_RIGHTS = 0o640
_HEAD = """\
# Keys that sign sheets: whoever can read this file can print sheets that the station believes.
# The newest key whose `signs_from` has come signs; every key verifies until its `verifies_until`, that day included.
# To retire a key, write `verifies_until = YYYY-MM-DD` into it, and restart the daemon.
"""
_ID = next(tag for tag in GRAMMAR if tag.tag == "V")


def load_signing(mode: SigningMode, file: Path | None) -> Signing:
    """Give a station's way with signatures. Raises ConfigurationError as `load_keys` does, and without a key file.

    Where signatures aren't looked at, the file isn't either: it then concerns nobody but who prints.
    """
    if mode is SigningMode.OFF:
        return Signing()
    if file is None:
        raise ConfigurationError(
            f'`sheets.signing = "{mode}"` needs a key file, and there is none.',
            "Make one with `skrynka sheets key`, and name it in `sheets.keys` or hand it over as a credential.",
        )
    return Signing(mode, load_keys(file))


def load_keys(file: Path) -> tuple[SigningKey, ...]:
    """Read the keys, in the order of the file.

    Raises ConfigurationError where the file can't be read, others may read it, or a key is no good.
    """
    return _keys(file.name, _closed_content(file))


def add_key(
    file: Path, key_id: str | None, signs_from: date, verifies_until: date | None
) -> tuple[SigningKey, tuple[SigningKey, ...]]:
    """Add a new random key to the file, or make the file (0600); give the key, and those that were there before.

    `key_id` None: the number after the greatest. Owner and rights of a file that is there stay. Raises
    ConfigurationError where the file or the new key is no good, EnvironmentUnfit where it can't be written.
    """
    there = file.exists()
    content = _closed_content(file) if there else _HEAD.encode()
    before = _keys(file.name, content) if there else ()
    new = SigningKey(key_id or _next_id(before), secrets.token_bytes(_NEW_SECRET), signs_from, verifies_until)
    written = content.rstrip(b"\n") + b"\n\n" + _entry(new).encode()
    _keys(file.name, written)
    try:
        owner = file.stat() if there else None
        write_durably(file, written, stat.S_IMODE(owner.st_mode) if owner else 0o600)
        if owner and (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
            # Root adds a key for the service's user.
            os.chown(file, owner.st_uid, owner.st_gid)
    except OSError as error:
        raise EnvironmentUnfit(
            f"{file} can't be written ({error.strerror or type(error).__name__}).",
            "Run this as the file's owner, or as root.",
        ) from None
    return new, before


def _closed_content(file: Path) -> bytes:
    """Read the file, unless others could read or change it too: asked of what was opened, whatever the name means."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise ConfigurationError(
            f"The key file {file} can't be read ({error.strerror or type(error).__name__}).",
            "Whoever prints sheets must be able to read it, and so must the service. If it is lost, bring it back from"
            " its backup or from another station: by a new key no sheet verifies that is printed already."
            " Only where there has never been one: `skrynka sheets key` makes it.",
        ) from None
    with open(descriptor, "rb") as opened:  # noqa: PTH123 - a descriptor is no path
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise ConfigurationError(f"The key file {file} is no file.", "Name a file in `sheets.keys`.")
        if mode & _CLOSED:
            raise ConfigurationError(
                f"The key file {file} is open to others: sheets may have been forged with its keys.",
                f"chmod o=,g-wx {file}, and add a new key if somebody may have read it.",
            )
        return opened.read()


def _keys(name: str, content: bytes) -> tuple[SigningKey, ...]:
    root = parse_toml(name, content)
    if set(root.values) - {"key"}:
        raise root.wrong("there is something else than [[key]] in it", "Write every key as [[key]].")
    tables = root.tables("key")
    if not tables:
        raise root.wrong("there is no [[key]]", "`skrynka sheets key` adds one.")
    keys: list[SigningKey] = []
    for table in tables:
        key = _key(table)
        _compare(table, key, keys)
        keys.append(key)
    return tuple(keys)


def _key(table: Table) -> SigningKey:
    known = ("id", "secret", "signs_from", "verifies_until")
    if set(table.values) - set(known):
        raise table.wrong("a key has something that means nothing here", f"There is: {', '.join(known)}.")
    key_id = table.values.get("id")
    if not isinstance(key_id, str) or len(key_id) > _ID.longest or not re.fullmatch(_ID.pattern, key_id):
        raise table.wrong(
            "a key has no good id", f'Write id = "2": capital letters A–Z and digits, {_ID.longest} at most.'
        )
    starts, ends = (_day(table, name) for name in ("signs_from", "verifies_until"))
    if starts is None:
        raise table.wrong("a key has no first day", "Write signs_from = YYYY-MM-DD, without quotation marks.")
    if ends is not None and ends < starts:
        raise table.wrong("a key ends before it begins", "Compare its signs_from and verifies_until.")
    return SigningKey(key_id, _secret(table), starts, ends)


def _day(table: Table, name: str) -> date | None:
    value = table.values.get(name)
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    raise table.wrong(f"{name} is no day", f"Write {name} = YYYY-MM-DD, without quotation marks.", at=(name,))


def _secret(table: Table) -> bytes:
    value = table.values.get("secret")
    secret = b""
    if isinstance(value, str):
        hexadecimal = len(value) % 2 == 0 and re.fullmatch("[0-9A-Fa-f]+", value)
        try:
            secret = bytes.fromhex(value) if hexadecimal else base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            secret = b""
    if len(secret) < SHORTEST_SECRET or len(set(secret)) < _FEWEST_VALUES:
        raise table.wrong(
            f"a key's secret isn't {SHORTEST_SECRET} random bytes in hexadecimal or base64",
            "`skrynka sheets key` makes a good one; `openssl rand -hex 32` too.",
        )
    return secret


def _compare(table: Table, key: SigningKey, others: Sequence[SigningKey]) -> None:
    for other in others:
        if key.id == other.id:
            raise table.wrong(f"two keys have the id {key.id}", "A new key has a new id: old sheets name the old one.")
        if key.signs_from == other.signs_from:
            raise table.wrong("two keys begin to sign on one day", "Let the new one begin a day later.")
        if secrets.compare_digest(key.secret, other.secret):
            raise table.wrong("two keys have the same secret", "`skrynka sheets key` makes a new one.")


def _next_id(keys: Sequence[SigningKey]) -> str:
    return str(1 + max((int(key.id) for key in keys if key.id.isdecimal()), default=0))


def _entry(key: SigningKey) -> str:
    lines = ["[[key]]", f'id = "{key.id}"', f'secret = "{key.secret.hex()}"', f"signs_from = {key.signs_from}"]
    if key.verifies_until is not None:
        lines.append(f"verifies_until = {key.verifies_until}")
    return "\n".join(lines) + "\n"
