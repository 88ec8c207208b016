"""Where a training can be watched."""

import argparse
import contextlib
from collections.abc import Iterator, Mapping
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
def followed(args: argparse.Namespace, options: Mapping[str, Any]) -> "Iterator[Progress]":
    """What is reported of every epoch of a training in ``--out`` with ``options``, where nobody else trains."""
    from cadsight_core.storage.files import alone_in
    from cadsight_learning.training.trackers import both, tracked

    from cadsight_cli.progress import TrainingBar

    with (
        alone_in(args.out),
        TrainingBar("training", _bar_figures) as bar,
        tracked(args.track, args.out, options) as tracker,
    ):
        yield both(bar, tracker)


def _bar_figures(figures: Mapping[str, float]) -> dict[str, float]:
    return {k: v for k, v in figures.items() if k.startswith(("train/loss", "train/box", "valid/m"))}
