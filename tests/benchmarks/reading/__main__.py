"""`python -m tests.benchmarks.reading`: how well sheets are read, and how seldom anything else is taken for one.

    python -m tests.benchmarks.reading [--sample 1000 | --full] [--axis NAME]... [--seed N] [--processes N]
                                      [--compare-all AXIS]... [--fresh] [--keep]
    python -m tests.benchmarks.reading --look --axis NAME...          contact sheets at 40 dpi, to set an axis's end
    python -m tests.benchmarks.reading --image AXIS/SEVERITY/NUMBER   one image again, with all that was seen on it

Broken off, it goes on at the next call: `build/bench/reading/` keeps what was seen, `report.md` and `reading.png`; with
`--keep` what is known is packed into `record/` beside this file, and a run goes on from there on another machine.
Exit code 0; 1 if a sheet was missed silently or anything was wrongly read; 2 for a wrong option, while another process
looks at images, or when the program isn't any more what it was when the run began; 130 when interrupted.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from types import FrameType

from PIL import Image as Picture

from tests.benchmarks.reading import contact_sheet, picture
from tests.benchmarks.reading.axes import BY_NAME, EVERY
from tests.benchmarks.reading.images import NO_SHEET, PLAIN_KINDS, Key, image_of
from tests.benchmarks.reading.ledger import Ledger, Taken
from tests.benchmarks.reading.looking import Verdict, alone, program
from tests.benchmarks.reading.report import looked_at, report
from tests.benchmarks.reading.running import Todo, look_at_all
from tests.benchmarks.reading.sampling import compared, everything, sample
from tests.benchmarks.reading.states import Changed, ImportedFromElsewhere, State, loaded_state
from tests.benchmarks.telling import Teller

STATE = Path(__file__).parents[3] / "build" / "bench" / "reading"
RECORD = Path(__file__).parent / "record"
"""What a long run saw, kept with the program."""
_SEED = 1
_KEEP_MEMORY = {
    "MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 32), "MALLOC_TOP_PAD_": str(200 << 20)
}  # fmt: skip
"""Has glibc in the processes that look at images give memory back to nobody: to have it cleared for each picture takes
a sixth of the drawing."""
_NUMBERS_LOOKED_AT = 3


def main(words: Sequence[str], state: Path = STATE, record: Path = RECORD) -> int:
    """Do what the words say; gives the exit code."""
    options = _options(words)
    signal.signal(signal.SIGTERM, _interrupt)
    teller = Teller()
    if options.look:
        return _look(options.axis or [axis.name for axis in EVERY], options.seed, state, teller)
    if options.image:
        return _show(Key(*options.image, options.seed), state, teller)
    keys = everything(options.axis, options.seed) if options.full else sample(
        options.sample, options.axis, options.seed
    )  # fmt: skip
    beside = compared(keys, options.compare_all) if options.full else frozenset(keys)
    try:
        now = loaded_state()
    except ImportedFromElsewhere as elsewhere:
        teller.say(str(elsewhere))
        return 2
    ledger = Ledger(state, now.source, now.images, record=record, fresh=options.fresh)
    code = 0
    try:
        with ledger.taken():
            try:
                _look_at(ledger.missing(keys, beside), len(keys), ledger, now, options.processes, teller)
            finally:
                if options.keep:
                    ledger.pack(record)
    except Taken:
        teller.say("Another process looks at images now.")
        return 2
    except Changed as changed:
        teller.say(f"Ended: {changed}. What was seen before is kept, for the state that it was seen in.")
        return 2
    except KeyboardInterrupt:
        code = 130
    about = f"{date.today():%Y-%m-%d}, seed {options.seed}, source {now.source}, images {now.images}."  # noqa: DTZ011 - the day on the wall
    if options.full and options.compare_all:
        about += f" Compared as a whole: {', '.join(options.compare_all)}."
    looked = looked_at(ledger.seen, ledger.alone, keys, beside)
    told = report(looked, about)
    (state / "report.md").write_text(told, encoding="utf-8")
    picture.write(looked, about, state / "reading.png")
    teller.say(told)
    teller.say(f"{state / 'report.md'}\n{state / 'reading.png'}")
    bad = {ledger.seen[key].verdict for key in keys if key in ledger.seen} & {Verdict.MISSED, Verdict.WRONG}
    return code or int(bool(bad))


def _look_at(todo: Sequence[Todo], images: int, ledger: Ledger, state: State, processes: int, teller: Teller) -> None:
    bad = dict.fromkeys((Verdict.MISSED, Verdict.WRONG, Verdict.FALSE_MARK, Verdict.FALSE_CODE), 0)
    with teller.progress("reading", images, images - len(todo)) as advance:
        for key, seen, engines in look_at_all(todo, processes, state):
            ledger.add(key, seen, engines)
            if seen is not None and seen.verdict in bad:
                bad[seen.verdict] += 1
            advance(", ".join(f"{number} {verdict}" for verdict, number in bad.items() if number))


def _look(axes: Sequence[str], seed: int, state: Path, teller: Teller) -> int:
    """Write a contact sheet of each axis."""
    for name in axes:
        severities = [*PLAIN_KINDS] if name == NO_SHEET else [*BY_NAME[name].severities]
        numbers = range(1, _NUMBERS_LOOKED_AT + 1)
        keys = [[Key(name, severity, number, seed) for severity in severities] for number in numbers]
        path = state / "looks" / f"{name}.png"
        contact_sheet.write([[(key, image_of(key)) for key in row] for row in keys], path)
        teller.say(str(path))
    return 0


def _show(key: Key, state: Path, teller: Teller) -> int:
    """Draw one image again, keep it, and say what is seen on it."""
    image = image_of(key)
    path = state / "images" / f"{str(key).replace('/', ' ')}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Picture.fromarray(image.page.picture()).save(path)
    teller.say(f"{key}: {image.code}\n{program(image)}\n{alone(image)}\n{path}")
    return 0


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.benchmarks.reading", description="How well sheets are read.")
    names = [*BY_NAME, NO_SHEET]
    parser.add_argument("--sample", type=int, default=1000, metavar="N", help="so many pages, a third without a sheet")
    parser.add_argument("--full", action="store_true", help="20,000 sheets and 10,000 pages without one")
    parser.add_argument("--axis", action="append", default=[], choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument(
        "--compare-all", action="append", default=[], choices=names, metavar="AXIS",
        help="put the engines before all images of this axis, where a full run asks them of one in four",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=_SEED, help="of what is drawn by chance")
    parser.add_argument("--processes", type=int, default=2, help="that read at the same time")
    parser.add_argument("--fresh", action="store_true", help="forget what was seen, and begin anew")
    parser.add_argument("--keep", action="store_true", help="pack what a full run knows by now, for elsewhere")
    parser.add_argument("--look", action="store_true", help="write contact sheets instead")
    parser.add_argument("--image", metavar="AXIS/SEVERITY/NUMBER", help="look at one image again")
    options = parser.parse_args(words)
    if options.keep and (options.fresh or options.axis or not options.full):
        parser.error("--keep goes with --full alone: it takes the place of what is on record")
    if options.image:
        options.image = _named(options.image, parser)
    return options


def _named(name: str, parser: argparse.ArgumentParser) -> tuple[str, str, int]:
    axis, _, rest = name.partition("/")
    severity, _, number = rest.rpartition("/")
    known = PLAIN_KINDS if axis == NO_SHEET else BY_NAME[axis].severities if axis in BY_NAME else {}
    if severity not in known or not number.isdigit():
        parser.error(f"there is no image {name}")
    return axis, severity, int(number)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    os.environ.update(_KEEP_MEMORY)
    sys.exit(main(sys.argv[1:]))
