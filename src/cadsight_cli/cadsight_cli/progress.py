"""Progress bars of commands that run for a time."""

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TextIO

from tqdm import tqdm

if TYPE_CHECKING:
    from cadsight_learning.training.progress import EpochReport, StepReport

_BAR = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}]"
# Often enough to see that it goes on, seldom enough for a log of hours.
_LINE_EVERY_S = 10.0

# What is shown of an epoch's figures, by the name that stands beside it.
Chosen = Callable[[Mapping[str, float]], Mapping[str, float]]


class TrainingBar:
    """A bar over the fraction of a training, with the time left."""

    def __init__(self, title: str, chosen: Chosen = lambda figures: {}) -> None:
        layout = "{l_bar}{bar}| {elapsed}<{remaining}{postfix}"
        self._figures: dict[str, object] = {}
        self._bar = tqdm(total=100.0, desc=title, bar_format=layout, dynamic_ncols=True)
        self._chosen, self._computed = chosen, ""

    def __enter__(self) -> "TrainingBar":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def __call__(self, report: "EpochReport") -> None:
        if report.computed != self._computed:
            self._computed = report.computed
            self._bar.write(f"computed with {report.computed}, which is quickest here now", file=sys.stderr)
        formatted = {name: f"{value:.3g}" for name, value in self._chosen(report.figures).items()}
        self._figures = {"epoch": report.epoch, **formatted}
        self._bar.set_postfix(self._figures, refresh=False)
        self._bar.update(round(report.fraction * 100, 1) - self._bar.n)

    def step(self, report: "StepReport") -> None:
        """Show how far it is within an epoch, and the time left by the pace of the last steps."""
        left = self._bar.format_interval(report.left)
        self._bar.set_postfix({"left": left, **self._figures}, refresh=False)
        self._bar.update(round(report.fraction * 100, 1) - self._bar.n)

    def say(self, sentence: str) -> None:
        """Write a line above the bar."""
        self._bar.write(sentence)


class Spoken:
    """Prints each new sentence that it is given once, on standard error beside the bars."""

    def __init__(self, who: str) -> None:
        self._who, self._latest = who, ""

    def __call__(self, sentence: str) -> None:
        if sentence and sentence != self._latest:
            tqdm.write(f"{self._who}: {sentence}", file=sys.stderr)
        self._latest = sentence


class _Lines:
    """What a bar draws, each time as a line of its own, for a file or a program that reads along."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, text: str) -> None:
        for line in text.split("\r"):
            if line.strip():
                self._out.write(f"{line.strip()}\n")

    def flush(self) -> None:
        self._out.flush()


def _bar_settings(bar_form: str, line_form: str) -> dict[str, Any]:
    """Settings of a bar: where nobody looks it is a line at the beginning, now and then, and at the end."""
    if sys.stderr.isatty():
        return {"bar_format": bar_form, "dynamic_ncols": True}
    lines = {"file": _Lines(sys.stderr), "mininterval": _LINE_EVERY_S, "miniters": 1, "position": 0}
    return {"bar_format": line_form, **lines}


def counted(items: Iterable[Any], total: int, what: str) -> Iterator[Any]:
    """A progress bar over anything."""
    return iter(tqdm(items, total=total, desc=what, **_bar_settings(_BAR, "{desc}: {n_fmt} of {total_fmt}")))


def image_bar(items: Iterable[Any], total: int, what: str) -> Iterator[Any]:
    """A progress bar with images a minute and the time left."""

    class Bar(tqdm):
        @property
        def format_dict(self) -> dict[str, Any]:
            values = super().format_dict
            rate = values["rate"] or (values["n"] / values["elapsed"] if values["elapsed"] and values["n"] else None)
            return {**values, "a_minute": f"{60 * rate:.0f}" if rate else "?"}

    form = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{a_minute} images/min, {remaining} left]"
    line = "{desc}: {n_fmt} of {total_fmt}, {a_minute} images/min"
    return iter(Bar(items, total=total, desc=what, **_bar_settings(form, line)))


def trial_bar(items: Iterable[Any], total: int) -> Iterator[Any]:
    """A progress bar over trainings that others do."""
    return iter(tqdm(items, total=total, desc="trainings", dynamic_ncols=True))


@contextlib.contextmanager
def seconds_bar(title: str, seconds: float) -> Iterator[Callable[[float], None]]:
    """A bar that is given the seconds that have passed; ``seconds`` is 0 where nobody knows the end."""
    form = "{desc}: {percentage:3.0f}%|{bar}| {n:.0f} of {total:.0f} s" if seconds else "{desc}: {n:.0f} s"
    with tqdm(total=seconds or None, desc=title, bar_format=form) as bar:

        def show(passed: float) -> None:
            bar.update((min(passed, seconds) if seconds else passed) - bar.n)

        yield show
        if seconds:
            show(seconds)
