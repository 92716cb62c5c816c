"""A scanner that writes slowly, as a process of its own: page after page, closing the file and opening it again.

    python -m tests.support.slow_writer FOLDER TARGET BYTES_A_SECOND PAUSE_SECONDS

FOLDER holds the states of the file, `1`, `2`, and so on: what it is after each page. From each state to the next it
appends what is new, at most BYTES_A_SECOND, and then changes what is to be changed before that, as TIFF writers do;
then it closes the file, says `page`, and pauses. At the end it says `done`.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

_PIECES_A_SECOND = 10


def start(
    folder: Path, states: Sequence[bytes], target: Path, *, bytes_a_second: int, pause: float
) -> subprocess.Popen[str]:
    """Start one; `folder` is to be its own. What it says comes on its standard output, a line each."""
    folder.mkdir(parents=True)
    for number, state in enumerate(states, start=1):
        (folder / str(number)).write_bytes(state)
    command = [sys.executable, "-m", __name__, str(folder), str(target), str(bytes_a_second), str(pause)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _write(target: Path, before: bytes, after: bytes, bytes_a_second: int) -> None:
    piece = max(1, bytes_a_second // _PIECES_A_SECOND)
    with target.open("r+b" if target.exists() else "x+b", buffering=0) as file:
        for begin in range(len(before), len(after), piece):
            file.seek(begin)
            file.write(after[begin : begin + piece])
            _wait(1 / _PIECES_A_SECOND)
        for place in range(len(before)):
            if before[place] != after[place]:
                file.seek(place)
                file.write(after[place : place + 1])


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)


def _main() -> None:
    folder, target, bytes_a_second, pause = sys.argv[1:]
    states = [path.read_bytes() for path in sorted(Path(folder).iterdir(), key=lambda path: int(path.name))]
    before = b""
    for number, after in enumerate(states, start=1):
        _write(Path(target), before, after, int(bytes_a_second))
        before = after
        if number < len(states):
            print("page", flush=True)  # noqa: T201 - what it has to say
            _wait(float(pause))
    print("done", flush=True)  # noqa: T201 - the same


if __name__ == "__main__":
    _main()
