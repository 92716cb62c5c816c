from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from skrynka.steps import moving
from skrynka.steps.claiming import prepare, take
from skrynka.steps.listing import list_inbox
from skrynka.store.database import new_id
from tests.support.stations import make_station

LIMIT_SECONDS = 60.0


def test_a_run_that_only_takes_what_is_there_ends_though_a_claim_is_stuck(tmp_path: Path) -> None:
    station = make_station(tmp_path)
    inbox, spool = station.inbox(), station.folder / "spool"
    station.drop(b"%PDF-1.7\nsomething\n%%EOF\n")
    spool.mkdir(exist_ok=True)
    (seen,) = list_inbox(inbox).seen
    claim = prepare(
        spool, inbox, seen, moving, scan_id=new_id(), next_number=lambda: 1, station="ST", box="OBL-01",
        claimed_at=datetime.now(UTC),
    )  # fmt: skip
    take(claim, moving)
    (claim.folder / "stranger").mkdir()  # so it can't be let go
    done = subprocess.run(
        [sys.executable, "-m", "tests.journey.impatient_daemon", str(station.config)],
        env={**os.environ, **station.environment},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "claim_stuck" in done.stderr
    assert "can't finish what is there" in done.stderr
