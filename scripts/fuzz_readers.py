"""`make fuzz`: every reader of files with files that are nearly right, for a minute each; status 1 where one fell."""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from pathlib import Path

from cadsight_core.errors import CadsightError
from fuzzing.falls import FALL_FILE
from fuzzing.registry import ROOMS, reader
from fuzzing.watch import SeedError, Tally, fuzz

# Writes over the line of progress, which is there where somebody looks.
_AGAIN = "\r\x1b[K" if sys.stdout.isatty() else ""


def main(words: list[str] | None = None) -> int:
    options = _options(words)
    if options.again:
        return _again(options.again)
    fallen = inputs = 0
    for name in options.readers or ROOMS:
        began = time.monotonic()
        try:
            tally = fuzz(
                reader, name, options.seconds, options.out, seed=options.seed, progress=_Line(name, options.seconds)
            )
        except SeedError as error:
            print(f"{_AGAIN}{name}: {error}")
            return 2
        slowest = f"the slowest, number {tally.longest[1]}, took {tally.longest[0]:.2f} s"
        print(f"{_AGAIN}{name}: {_words(tally)} in {time.monotonic() - began:.0f} s; {slowest}", flush=True)
        for (kind, place), folder in tally.kept.items():
            print(f"  {tally.falls[kind, place]} x {kind} {place}: {folder}", flush=True)
        inputs += tally.inputs
        fallen += len(tally.kept)
    print(f"{inputs} inputs, {fallen} kinds of falls" + (f", kept in {options.out}" if fallen else ""))
    return 1 if fallen else 0


def _options(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("readers", nargs="*", metavar="READER", help=f"all without it: {', '.join(ROOMS)}")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each reader (60)")
    parser.add_argument("--seed", type=int, default=0, help="another number gives other inputs (0)")
    parser.add_argument("--out", type=Path, default=Path("runs/fuzz"), help="where what fell is kept (runs/fuzz)")
    parser.add_argument("--again", type=Path, metavar="FOLDER", help="read what was kept there once more")
    options = parser.parse_args(words)
    unknown = [name for name in options.readers if name not in ROOMS]
    if unknown:
        parser.error(f"the reader is {unknown[0]!r}, expected one of {', '.join(ROOMS)}")
    return options


def _again(folder: Path) -> int:
    fall = json.loads((folder / FALL_FILE).read_text())
    began = time.process_time()
    try:
        reader(fall["reader"]).read(folder / "input")
        print("it is read")
    except CadsightError as error:
        print(f"it is refused: {error}")
    except Exception:
        traceback.print_exc()
        return 1
    print(f"{time.process_time() - began:.1f} s of processor time")
    return 0


def _words(tally: Tally) -> str:
    return f"{tally.inputs} inputs, {sum(tally.falls.values())} fell in {len(tally.kept)} places"


class _Line:
    """One line that is written over, where somebody looks."""

    def __init__(self, name: str, seconds: float) -> None:
        self._name, self._seconds, self._printed_at = name, seconds, 0.0

    def __call__(self, tally: Tally, seconds: float) -> None:
        if sys.stdout.isatty() and time.monotonic() - self._printed_at > 1:
            self._printed_at = time.monotonic()
            print(f"{_AGAIN}{self._name}: {_words(tally)}, {seconds:.0f} of {self._seconds:.0f} s", end="", flush=True)


if __name__ == "__main__":
    sys.exit(main())
