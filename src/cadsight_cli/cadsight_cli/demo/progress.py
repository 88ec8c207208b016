"""Progress bars of the steps."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from cadsight_cli.demo.pace import Usual, slowness
from cadsight_cli.progress import TrainingBar

if TYPE_CHECKING:
    from cadsight_learning.training.progress import StepReport

_WIDTH = 26


def bar(title: str, total: float | None, unit: str) -> "tqdm[Any]":
    """A bar for ``total`` things; one that is full stays."""
    return tqdm(total=total, desc=f"{title:<{_WIDTH}}", unit=unit, dynamic_ncols=True)


def loop(title: str, unit: str = "image") -> Any:
    """What the steps' functions take to show their loops: (iterable, total, what) -> iterable."""

    def show(items: Iterable[Any], total: int, what: str) -> Iterable[Any]:
        text = f"{title}, {what}"
        return tqdm(items, total=total, desc=f"{text:<{_WIDTH}}", unit=unit, dynamic_ncols=True)

    return show


def training_bar(title: str) -> TrainingBar:
    """A bar over a training, with what validation says."""
    return TrainingBar(f"{title:<{_WIDTH}}", _evaluated)


def paced(progress: TrainingBar, usual: Usual) -> "Callable[[StepReport], None]":
    """What shows the steps of a training, and says once where this machine is slow at them."""
    first = True

    def step(report: "StepReport") -> None:
        nonlocal first
        sentence = slowness(usual, report.step_seconds, report.left) if first else None
        first = False
        if sentence:
            progress.say(sentence)
        progress.step(report)

    return step


def _evaluated(figures: Mapping[str, float]) -> dict[str, float]:
    return {name.removeprefix("valid/"): value for name, value in figures.items() if name.startswith("valid/m")}
