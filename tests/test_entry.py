"""What the command imports before it runs: every reader process imports it once more."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

_LOADED = "import sys, skrynka.__main__; print(*sorted(name for name in sys.modules if name.startswith('skrynka')))"


def test_the_main_module_imports_nothing_of_the_program() -> None:
    loaded = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True).stdout

    assert loaded.split() == ["skrynka", "skrynka.__main__"]


def test_the_installed_command_begins_in_the_main_module() -> None:
    (command,) = entry_points(group="console_scripts", name="skrynka")

    assert command.value == "skrynka.__main__:main"
