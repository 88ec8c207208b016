"""One reader for some time, in a child that is watched and begun again when it dies or is killed."""

import multiprocessing
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

from fuzzing.child import Mark, read_on
from fuzzing.falls import Fall, keep
from fuzzing.inputs import Inputs
from fuzzing.limits import Limits, end_tree, tree_uses
from fuzzing.reader import Reader

_POLL_S = 0.1
# The child imports what it needs and reads the seeds; several are busy on a small machine.
_START_S = 600.0
# Type and start of each of a Mark's values.
_MARK = (("q", -1), ("d", 0.0), ("q", 0), ("q", 0), ("d", 0.0), ("q", -1))
_spawn = multiprocessing.get_context("spawn")


class SeedError(RuntimeError):
    """A seed is not read, so that inputs made of it show nothing."""


@dataclass
class Tally:
    """What became of a reader's inputs.

    Attributes:
        inputs: how many were read.
        falls: how many fell, by kind and place.
        kept: the folder of the first fall of each place.
        longest: processor seconds of the slowest input, and its number.
    """

    inputs: int = 0
    falls: Counter[tuple[str, str]] = field(default_factory=Counter)
    kept: dict[tuple[str, str], Path] = field(default_factory=dict)
    longest: tuple[float, int] = (0.0, -1)


Progress = Callable[[Tally, float], None]


def fuzz(
    find: Callable[[str], Reader],
    name: str,
    seconds: float,
    kept: Path,
    *,
    seed: int = 0,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    most: int | None = None,
    progress: Progress = lambda _tally, _seconds: None,
) -> Tally:
    """Let the reader ``name`` read inputs for ``seconds``, or until ``most`` were read.

    Args:
        find: gives the reader; called in the child too, so a function of a module.
        kept: where the first input of each fall goes.
        seed: another number gives other inputs.

    Raises:
        SeedError: when a file that nobody changed is not read.
    """
    reader = find(name)
    with tempfile.TemporaryDirectory(prefix=f"cadsight_fuzz_{name}_") as folder:
        reader.seeds(Path(folder) / "made")
        (Path(folder) / "seeds").mkdir()
        for made in sorted((Path(folder) / "made").iterdir()):
            made.rename(Path(folder) / "seeds" / made.name)
        watched = _Watched(find, name, Path(folder), seed, limits)
        tally = Tally()
        inputs = Inputs(reader, Path(folder) / "seeds", seed)
        first, spent = 0, 0.0
        while spent < seconds and (most is None or tally.inputs < most):
            child = watched.start(first)
            clock = _Clock(spent)
            before = tally.inputs
            try:
                while child.alive and clock.seconds < seconds and (most is None or tally.inputs < most):
                    fall = child.next_fall()
                    clock.run(child.mark.number.value >= 0)
                    tally.inputs = before + child.mark.done.value + (0 if child.alive else 1)
                    if fall is not None:
                        _note(tally, fall, inputs, kept, seed)
                    progress(tally, clock.seconds)
            finally:
                child.end()
            first, spent = child.mark.number.value + 1, clock.seconds
            tally.longest = max(tally.longest, (child.mark.longest.value, child.mark.slowest.value))
            if first > 0:  # what the child was reading lies there still
                inputs[first - 1].take_back()
    return tally


def _note(tally: Tally, fall: Fall, inputs: Inputs, kept: Path, seed: int) -> None:
    if fall.kind == "seed":
        raise SeedError(f"the seed {fall.place} of {fall.reader} is not read: {fall.words}")
    key = (fall.kind, fall.place)
    tally.falls[key] += 1
    if key not in tally.kept:
        one = inputs[fall.number]
        tally.kept[key] = keep(fall, one, kept, seed)


class _Clock:
    """Seconds in which inputs were read: what a child takes to start does not count."""

    def __init__(self, before: float) -> None:
        self._before = before
        self._since: float | None = None

    def run(self, reading: bool) -> None:
        if reading and self._since is None:
            self._since = time.monotonic()

    @property
    def seconds(self) -> float:
        return self._before + (time.monotonic() - self._since if self._since is not None else 0.0)


@dataclass(frozen=True)
class _Watched:
    find: Callable[[str], Reader]
    name: str
    folder: Path
    seed: int
    limits: Limits

    def start(self, first: int) -> "_Child":
        number, seconds, memory, done, longest, slowest = (
            _spawn.Value(kind, start, lock=False) for kind, start in _MARK
        )
        mark = Mark(number, seconds, memory, done, longest, slowest)
        mine, its = _spawn.Pipe(duplex=False)
        arguments = (self.find, self.name, self.folder, self.seed, first, self.limits, mark, its)
        process = _spawn.Process(target=read_on, args=arguments, daemon=False)
        process.start()
        its.close()
        return _Child(self, process, mark, mine)


class _Child:
    """A running child."""

    def __init__(self, watched: _Watched, process: SpawnProcess, mark: Mark, falls: Connection) -> None:
        self._watched, self._process, self.mark, self._falls = watched, process, mark, falls
        self.alive = True
        self._number, self._since = -1, time.monotonic()

    def next_fall(self) -> Fall | None:
        """What fell since the last call, after a moment of waiting; a death or a killing is one, and the last."""
        try:
            if self._falls.poll(_POLL_S):
                fall: Fall = self._falls.recv()
                return fall
        except EOFError:
            return self._died()
        return self._too_much()

    def end(self) -> None:
        pid = self._process.pid
        if pid is not None and self._process.is_alive():
            end_tree(pid)
        self._process.join()
        self._falls.close()

    def _died(self) -> Fall:
        self._process.join()
        self.alive = False
        code = self._process.exitcode or 0
        output = (self._watched.folder / "said.txt").read_text(errors="replace")[-8000:]
        name = signal.Signals(-code).name if code < 0 else f"status {code}"
        number = self.mark.number.value
        if number < 0:
            return Fall(self._watched.name, -1, "seed", name, output)
        return Fall(self._watched.name, number, "death", name, f"it died of {name}\n{output}")

    def _too_much(self) -> Fall | None:
        """A fall where the input that is read has taken more than it may; the child is then ended."""
        limits, number, pid = self._watched.limits, self.mark.number.value, self._process.pid
        if number != self._number:
            self._number, self._since = number, time.monotonic()
            return None
        waited = time.monotonic() - self._since
        if number < 0 or pid is None:
            if waited < _START_S:
                return None
            return self._ended("seed", "start", f"it did not begin within {_START_S:g} s")
        seconds, memory = tree_uses(pid)
        if number != self.mark.number.value:
            return None
        took, grown = seconds - self.mark.seconds.value, memory - self.mark.memory.value
        if took < 0:
            return None
        if grown > limits.memory:
            return self._ended("memory", "killed", f"it was ended at {grown >> 20} MiB")
        if took > limits.seconds:
            return self._ended("hang", "killed", f"it was ended after {took:.1f} s of processor time")
        if waited > limits.clock_seconds:
            return self._ended("hang", "waited", f"it was ended after {waited:.0f} s, {took:.1f} s of processor time")
        return None

    def _ended(self, kind: str, place: str, words: str) -> Fall:
        pid = self._process.pid
        if pid is not None:
            end_tree(pid)
        self._process.join()
        self.alive = False
        return Fall(self._watched.name, self.mark.number.value, kind, place, words)
