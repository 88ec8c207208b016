"""Where a training can be watched beside its curves: TensorBoard's files, MLflow's or Weights & Biases'.

Nothing leaves this machine unless the user's own settings say so: MLflow writes into the model's folder where
``MLFLOW_TRACKING_URI`` names no server, Weights & Biases is offline where ``WANDB_MODE`` does not say ``online``.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_core.storage.output_file import refuse_foreign_file

from cadsight_learning.training.progress import EpochReport, Progress, silent

TRACKERS = ("tensorboard", "mlflow", "wandb", "none")
_EXPERIMENT = "cadsight"


def tracked(
    tracker: str, folder: str | Path, options: Mapping[str, Any]
) -> contextlib.AbstractContextManager[Progress]:
    """A context that gives the function to report each epoch to; a training that goes on is written on.

    Args:
        tracker: one of :data:`TRACKERS`.
        folder: of the model; its name is the run's.
        options: of the training, kept with the run.

    Raises:
        CadsightError: for an unknown tracker, or one that is not installed.
    """
    made: dict[str, Callable[[Path, Mapping[str, Any]], contextlib.AbstractContextManager[Progress]]] = {
        "tensorboard": _tensorboard,
        "mlflow": _mlflow,
        "wandb": _wandb,
        "none": lambda folder, options: contextlib.nullcontext(silent),
    }
    if tracker not in made:
        raise CadsightError(f"the tracker is {tracker!r}, expected one of {', '.join(TRACKERS)}")
    try:
        return made[tracker](Path(folder).resolve(), options)
    except ImportError as error:
        raise CadsightError(
            f"the tracker {tracker} is not installed ({error}), expected `uv pip install {tracker}` in .venv"
        ) from error


def both(*those: Progress) -> Progress:
    """Reports every epoch to each of ``those``."""

    def tell(report: EpochReport) -> None:
        for one in those:
            one(report)

    return tell


def _tensorboard(folder: Path, options: Mapping[str, Any]) -> contextlib.AbstractContextManager[Progress]:
    from torch.utils.tensorboard import SummaryWriter

    @contextlib.contextmanager
    def writing() -> Iterator[Progress]:
        writers: list[Any] = []

        def tell(report: EpochReport) -> None:
            if not writers:
                # What a killed training wrote of this epoch and later ones counts no more.
                writers.append(SummaryWriter(str(folder / "tensorboard"), purge_step=report.epoch))
                writers[0].add_text("options", "\n".join(f"    {k}: {v}" for k, v in options.items()), report.epoch)
            for name, value in report.figures.items():
                writers[0].add_scalar(name, value, report.epoch)
            writers[0].flush()

        try:
            yield tell
        finally:
            for writer in writers:
                writer.close()

    return writing()


def _mlflow(folder: Path, options: Mapping[str, Any]) -> contextlib.AbstractContextManager[Progress]:
    import mlflow

    @contextlib.contextmanager
    def writing() -> Iterator[Progress]:
        if not os.environ.get("MLFLOW_TRACKING_URI"):
            folder.mkdir(parents=True, exist_ok=True)
            refuse_foreign_file(folder / "mlflow.db", lambda data: data.startswith(b"SQLite format 3\0"))
            mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
        mlflow.set_experiment(_EXPERIMENT)
        with mlflow.start_run(run_name=folder.name):
            mlflow.log_params(dict(options))
            yield lambda report: mlflow.log_metrics(
                {name.replace("/", "."): value for name, value in report.figures.items()}, step=report.epoch
            )

    return writing()


def _wandb(folder: Path, options: Mapping[str, Any]) -> contextlib.AbstractContextManager[Progress]:
    import wandb

    @contextlib.contextmanager
    def writing() -> Iterator[Progress]:
        folder.mkdir(parents=True, exist_ok=True)
        run = wandb.init(
            project=_EXPERIMENT, name=folder.name, dir=str(folder), config=dict(options), resume="allow",
            id=hashlib.sha256(str(folder).encode()).hexdigest()[:16], mode=os.environ.get("WANDB_MODE", "offline"),
        )  # fmt: skip
        with run:
            yield lambda report: run.log(dict(report.figures), step=report.epoch)

    return writing()
