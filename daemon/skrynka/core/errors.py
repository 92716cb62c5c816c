"""The failures that have a name. Messages never echo input: no file name, no code's text, no path of an inbox."""

from __future__ import annotations

import errno

from skrynka.core.reasons import QuarantineReason


class SkrynkaError(Exception):
    """Base of the failures that this program raises on purpose."""


class ScanRejected(SkrynkaError):
    """A scan that goes to quarantine; `page` is the 1-based page it is about, where there is one."""

    def __init__(
        self, reason: QuarantineReason, page: int | None = None, detail: str = "", *, may_pass: bool = False
    ) -> None:
        """`detail` is a fixed phrase of ours (never input) for the admin, such as "pdfinfo exit 1".

        `may_pass` says that another process may do better: the page is worth a second try.
        """
        self.reason = reason
        self.page = page
        self.detail = detail
        self.may_pass = may_pass
        where = f" (page {page})" if page is not None else ""
        super().__init__(f"{reason.about.sentence}{where}{': ' + detail if detail else ''}")


class ConfigurationError(SkrynkaError):
    """The configuration can't be used: `message` says where and why, `remedy` what to write instead."""

    def __init__(self, message: str, remedy: str = "") -> None:
        """Both are shown to the admin as they are."""
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message} {remedy}".strip())


class EnvironmentUnfit(SkrynkaError):
    """Something outside is missing or away: a program, a folder, the database."""

    def __init__(self, message: str, remedy: str = "") -> None:
        """Both are shown to the admin as they are."""
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message} {remedy}".strip())


class ConservationBroken(SkrynkaError):
    """A plan that would lose, double or invent a page: a defect of this program, and nothing is filed by it."""


class LeaseLost(SkrynkaError):
    """Somebody else has the work now (the epoch moved on): what was done is dropped, and nothing is wrong."""


class DatabaseAway(EnvironmentUnfit):
    """The database can't be reached, is too busy, or has no room: the same call is worth making again later."""

    def __init__(self, message: str, remedy: str = "", why: str = "") -> None:
        """`why` is a word for the log: "not_there", "another_file"."""
        self.why = why
        super().__init__(message, remedy)


class DatabaseDamaged(DatabaseAway):
    """The database's file isn't what was written into it."""

    def __init__(self, code: str) -> None:
        """`code` is the engine's name for it."""
        self.code = code
        super().__init__(
            f"The database is damaged ({code}).",
            "End the daemon, keep the damaged files, and restore a backup; what came since lies in the archive.",
            "damaged",
        )


class DatabaseRefused(SkrynkaError):
    """The database refused a row or a statement: a wrong state was about to be written, or a defect of ours.

    `kind` is "unique", "check", "foreign_key", "not_null" or "other"; `constraint` is its name or its columns as the
    engine tells them, and never a value.
    """

    def __init__(self, kind: str, constraint: str = "") -> None:
        """Both are words of our own schema."""
        self.kind = kind
        self.constraint = constraint
        super().__init__(f"The database refused a row: {kind} {constraint}".strip())


def error_name(error: Exception) -> str:
    """Name an error for a log: an operating system's by its number ("ENOSPC"), any other by its class."""
    number = error.errno if isinstance(error, OSError) else None
    return errno.errorcode.get(number or 0, type(error).__name__)
