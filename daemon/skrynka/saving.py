"""Saving a PDF so that a full disk is told as what it is.

qpdf calls a write that failed an error of the PDF, which would put a whole scan aside for it; and where the last bytes
fail, it ends the process, for it throws while it clears up. So it never hears of a failure: it writes into a stream
that remembers the first one.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, BinaryIO, cast

import pikepdf


def save_pdf(pdf: pikepdf.Pdf, path: Path, **options: Any) -> None:  # noqa: ANN401 - pikepdf's own
    """Write a PDF to the file `path`; nothing is synced. `options` are those of `pikepdf.Pdf.save`.

    Raises OSError of the disk, and pikepdf.PikepdfError when it is the PDF that can't be written.
    """
    with path.open("wb") as file:
        out = _Out(file)
        pdf.save(cast("BinaryIO", out), **options)
        if out.failure is not None:
            raise out.failure


class _Out(io.RawIOBase):
    """A stream that takes everything, whatever becomes of it."""

    def __init__(self, file: io.BufferedWriter) -> None:
        super().__init__()
        self._file = file
        self.failure: OSError | None = None
        """The first that there was."""

    def writable(self) -> bool:
        """Say that it is."""
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 - a buffer of any kind
        """Write; after a failure, only say so."""
        if self.failure is None:
            try:
                self._file.write(data)
            except OSError as error:
                self.failure = error
        return len(data)
