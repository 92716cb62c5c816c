"""One call of the benchmark: what was chosen, where things lie, and how a trial comes onto the record."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.telling import Teller
from tests.benchmarks.throughput.ledger import Entry, Ledger
from tests.benchmarks.throughput.machine import beginning, source_digest
from tests.benchmarks.throughput.material import Material
from tests.benchmarks.throughput.trials import Trial

STATE = Path(__file__).parents[3] / "build" / "bench" / "throughput"


class TakenByAnother(Exception):
    """Another process measures now."""


@dataclass(slots=True)
class Run:
    """A call."""

    pages: int
    repetitions: int
    seed: int
    full: bool
    minutes: float
    """Of idling."""
    state: Path = STATE
    teller: Teller = field(default_factory=Teller)
    source: str = field(default_factory=source_digest)
    _advance: Callable[[str], None] = field(init=False, default=lambda _: None)
    ledger: Ledger = field(init=False)
    material: Material = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.state / "ledger.jsonl")
        self.material = Material(self.state / "stacks", self.seed, self.now)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from measuring, and remove what a killed one left. Raises TakenByAnother."""
        self.state.mkdir(parents=True, exist_ok=True)
        with (self.state / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise TakenByAnother from None
            for left in self.state.glob("station-*"):
                shutil.rmtree(left, ignore_errors=True)
            yield

    def now(self, text: str) -> None:
        """Say what is being done."""
        self.teller.say(f"… {text}")

    def done(self, text: str) -> None:
        """Say what a trial came to."""
        self.teller.say(f"  {text}")
        self._advance("")

    @contextmanager
    def trials(self, title: str, count: int) -> Iterator[None]:
        """Show how the trials of a part go on."""
        with self.teller.progress(title, count) as self._advance:
            yield

    def key(self, part: str, alternative: str, stack: str, of: int, repetition: int) -> Entry:
        """Give what tells a trial from another."""
        return {
            "part": part,
            "source": self.source,
            "seed": self.seed,
            "stack": stack,
            "alternative": alternative,
            "of": of,
            "repetition": repetition,
        }

    def once(self, key: Entry, trial: Callable[[], Trial]) -> None:
        """Run a trial and put it on record, unless it is there."""
        if self.ledger.has(key):
            return
        begun = beginning()
        told = trial().told()
        self.ledger.add({**key, **begun, **told})
        self.done(
            f"{key['alternative']}, {key['stack']}, {key['of']}: {told['pages'] / told['seconds']:.1f} pages/s, "
            f"{1000 * told['cpu_seconds'] / told['pages']:.1f} ms of a processor a page, {told['pss']:.0f} MB"
        )

    def entries(self, part: str, **fields: object) -> list[Entry]:
        """Give what was measured of today's source with this seed."""
        return list(self.ledger.like(part=part, source=self.source, seed=self.seed, **fields))

    def measured(self) -> list[Entry]:
        """Give the same of all parts."""
        return list(self.ledger.like(source=self.source, seed=self.seed))

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Give a folder on the disk that the stacks are on, for a station; it is removed."""
        made = Path(tempfile.mkdtemp(prefix="station-", dir=self.state))
        try:
            yield made / "station"
        finally:
            shutil.rmtree(made, ignore_errors=True)
