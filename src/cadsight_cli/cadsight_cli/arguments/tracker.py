"""Where a training can be watched."""

import argparse
import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cadsight_learning.training.progress import Progress


def add_tracker(parser: argparse.ArgumentParser) -> None:
    """Add the option."""
    parser.add_argument(
        "--track", default="tensorboard", metavar="TRACKER",
        help="where it can be watched: tensorboard (in --out), mlflow, wandb or none (%(default)s)",
    )  # fmt: skip


@contextlib.contextmanager
def followed(
    out: str | Path, tracker: str, options: Mapping[str, Any], title: str = "training"
) -> "Iterator[Progress]":
    """What is reported of every epoch of a training in ``out`` with ``options``, where nobody else trains."""
    from cadsight_core.storage.files import alone_in
    from cadsight_learning.training.trackers import both, tracked

    from cadsight_cli.progress import TrainingBar

    with (
        alone_in(out),
        TrainingBar(title, _bar_figures) as bar,
        tracked(tracker, out, options) as written,
    ):
        yield both(bar, written)


def _bar_figures(figures: Mapping[str, float]) -> dict[str, float]:
    return {k: v for k, v in figures.items() if k.startswith(("train/loss", "train/box", "valid/m"))}
