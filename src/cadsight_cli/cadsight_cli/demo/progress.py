"""Progress bars of the steps."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

if TYPE_CHECKING:
    from cadsight_learning.detector import EpochReport

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


class TrainingBar:
    """A bar over the share of a training, which ends by epochs or by time."""

    def __init__(self, title: str) -> None:
        layout = "{l_bar}{bar}| {elapsed}<{remaining}{postfix}"
        self._bar = tqdm(total=100.0, desc=f"{title:<{_WIDTH}}", bar_format=layout, dynamic_ncols=True)

    def __enter__(self) -> "TrainingBar":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def __call__(self, report: "EpochReport") -> None:
        shown = {k.removeprefix("valid/"): f"{v:.3g}" for k, v in report.figures.items() if k.startswith("valid/m")}
        self._bar.set_postfix({"epoch": report.epoch, **shown}, refresh=False)
        self._bar.update(round(report.share * 100, 1) - self._bar.n)
