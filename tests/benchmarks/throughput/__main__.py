"""How fast the daemon is, and what it takes: beside its alternatives, with growing work, and idle.

    python -m tests.benchmarks.throughput [--part NAME]... [--pages 200] [--repetitions 3] [--full] [--fresh]

What was measured of the source as it is now isn't measured again: `build/bench/throughput/ledger.jsonl` has each trial,
`report.md` the tables, `ratios.svg` the picture. Interrupted or killed, it loses the trial in hand and no more.
Exit code 0; 1 if a trial failed; 2 for a wrong option; 130 when it is interrupted.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from tests.benchmarks.throughput import growth, idle, ratios, where_time_goes
from tests.benchmarks.throughput.run import Run, TakenByAnother
from tests.benchmarks.throughput.tables import picture, report
from tests.benchmarks.throughput.trials import TrialFailed

PARTS = {part.PART: part.measure for part in (ratios, where_time_goes, growth, idle)}


def main(words: Sequence[str]) -> int:
    """Measure the parts that were chosen; give the exit code."""
    options = _options(words)
    run = Run(options.pages, options.repetitions, options.seed, options.full, options.minutes)
    signal.signal(signal.SIGTERM, _interrupt)
    code = 0
    try:
        with run.alone():
            if options.fresh:
                run.ledger.begin_anew()
            for part in options.part or PARTS:
                PARTS[part](run)
    except TakenByAnother:
        run.teller.say("Another process measures now: its figures and these would be about each other.")
        return 1
    except TrialFailed as failed:
        run.teller.say(f"A trial failed: {failed}")
        code = 1
    except KeyboardInterrupt:
        code = 130
    told = report(run)
    (run.state / "report.md").write_text(told, encoding="utf-8")
    drawn = picture(run)
    if drawn is not None:
        (run.state / "ratios.svg").write_text(drawn, encoding="utf-8")
    run.teller.say(told)
    return code


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.benchmarks.throughput", description="Speed and memory.")
    parser.add_argument("--part", action="append", choices=PARTS, metavar="NAME", help=f"only this: {', '.join(PARTS)}")
    parser.add_argument("--pages", type=int, default=200, help="of the stack for the daemon and the limit")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=1.0, help="for which an idle daemon is watched, at least")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--full", action="store_true", help="the largest sizes too: 5,000 pages, 10,000 files")
    parser.add_argument("--fresh", action="store_true", help="forget what was measured")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
