"""The keys of sheets: whether there is one that signs, and when each ends."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from skrynka.cli.checked import Checked, State
from skrynka.core.errors import ConfigurationError
from skrynka.core.signing import SigningKey, SigningMode, key_to_sign_with
from skrynka.key_file import load_keys, load_signing

_SOON_DAYS = 30
"""A new key is made, and sheets are printed with it, in less time than that."""


def sheet_signing(mode: SigningMode, file: Path | None, today: date) -> Checked:
    """Look at the keys: which there are, which one signs, when each ends."""
    what = "signing"
    if file is None and mode is SigningMode.OFF:
        return Checked(what, State.NOTE, "sheets are neither signed nor verified")
    try:
        load_signing(mode, file)
        keys = load_keys(file) if file is not None else ()
    except ConfigurationError as error:
        return Checked(what, State.WRONG, error.message, error.remedy)
    signs = key_to_sign_with(keys, today)
    ends = ", ".join(f"{key.id} ({_end(key, today)})" for key in keys)
    said = f"{mode}; {f'{signs.id} signs' if signs else 'no key signs today'}; keys: {ends}"
    remedy = "Add a key with `skrynka sheets key`, restart the daemon, and print sheets anew."
    usable = [key for key in keys if not key.ended(today)]
    if mode is SigningMode.REQUIRED and not usable:
        return Checked(what, State.WRONG, f"{said}: every sheet is held", remedy)
    lasts = [(key.verifies_until - today).days if key.verifies_until else None for key in usable]
    if signs is None or all(days is not None and days <= _SOON_DAYS for days in lasts):
        return Checked(what, State.WARNING, said, remedy)
    return Checked(what, State.GOOD, said)


def _end(key: SigningKey, today: date) -> str:
    if key.verifies_until is None:
        return "no end"
    return f"{'ended' if key.ended(today) else 'until'} {key.verifies_until}"
