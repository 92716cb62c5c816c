from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from skrynka.sheets.printing import TEMPLATES

ROOT = Path(__file__).parents[2]


def test_the_wheel_carries_every_template(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    carried = {name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".typ")}
    templates = {f"skrynka/sheets/templates/{file.name}" for file in TEMPLATES.glob("*.typ")}
    assert templates
    assert carried == templates
