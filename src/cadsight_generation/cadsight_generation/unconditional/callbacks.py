"""What is done around the steps of a generator's training: its set, its sheets, its curves, its last good state."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from cadsight_core.imaging.images import encode_image
from cadsight_core.storage.files import make_folder, write_atomically
from cadsight_core.storage.output_file import noted, refuse_foreign_file, write_noted
from cadsight_learning.registry.model_folder import CARD
from cadsight_learning.training.callbacks import Checkpoint, Clock
from cadsight_learning.training.phases import Callback, Trainer
from cadsight_learning.training.progress import EpochReport, Progress
from cadsight_learning.training.trainer import curve_files
from torch import Tensor, nn

from cadsight_generation.data.growing import TrainingImages
from cadsight_generation.unconditional.drawing import drawn, sheet_of

SHEETS = "sheets"


class Growth(Callback):
    """Lets the set grow at an epoch's end and at no other moment; a training that goes on has the images it had."""

    name = "images"

    def __init__(self, images: TrainingImages) -> None:
        self._images = images

    def before_epoch(self, trainer: Trainer) -> None:
        if trainer.epoch:
            self._images.grow()

    def state_dict(self) -> dict[str, Any]:
        return {"added": list(self._images.added)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._images.restore(state["added"])


class Sheets(Callback):
    """Draws the same images after each epoch, of random numbers that its state keeps.

    Attributes:
        z: (N, z), one row an image.
    """

    name = "sheets"

    def __init__(self, folder: Path, generator: nn.Module, z: Tensor, aspect: float) -> None:
        self.z = z
        self._folder, self._generator, self._aspect = folder / SHEETS, generator, aspect

    def refuse_foreign(self, epochs: int) -> None:
        """Refuse a folder with files of others where sheets will be.

        Raises:
            CadsightError: naming the first.
        """
        for epoch in range(1, epochs + 1):
            path = self._path(epoch)
            refuse_foreign_file(path, noted(path))

    def after_epoch(self, trainer: Trainer) -> None:
        make_folder(self._folder)
        sheet = sheet_of(drawn(self._generator, self.z), self._aspect)
        write_noted(self._path(trainer.epoch), encode_image(sheet))

    def _path(self, epoch: int) -> Path:
        return self._folder / f"{epoch:05d}.png"

    def state_dict(self) -> dict[str, Any]:
        return {"z": self.z}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.z = state["z"]


class GanCurves(Callback):
    """Keeps and writes a row of figures an epoch, unless a model is there, whose own they would replace.

    A GAN's losses say nothing of how good its images are, so that no epoch has a score.
    """

    name = "curves"

    def __init__(self, folder: Path, images: TrainingImages, batch: int, clock: Clock) -> None:
        self.rows: list[dict[str, float]] = []
        self._folder, self._images, self._batch, self._clock = folder, images, batch, clock

    def after_epoch(self, trainer: Trainer) -> None:
        self.rows.append(
            {
                "epoch": trainer.epoch,
                "seconds": self._clock.seconds,
                "learning_rate": trainer.phases[0].optimizer.param_groups[0]["lr"],
                "score": 0.0,
                "images_seen": trainer.step * self._batch,
                "images": len(self._images.own),
                "generated": len(self._images.added),
                **{f"train/{name}": value for name, value in trainer.means().items()},
            }
        )
        if not (self._folder / CARD).exists():
            for name, data in curve_files(self.rows).items():
                write_atomically(self._folder / name, data)

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.rows = list(state["rows"])


class FiniteCheckpoint(Checkpoint):
    """Writes the state after each epoch in which all weights are numbers, and stops the training after another one.

    A loss is looked at before each step; what a step makes of it is not.
    """

    def after_epoch(self, trainer: Trainer) -> None:
        for name, module in trainer.modules.items():
            if not all(bool(torch.isfinite(value).all()) for value in module.state_dict().values()):
                trainer.stopped = f"the weights of the {name} were no numbers after epoch {trainer.epoch}"
                return
        super().after_epoch(trainer)


class Reports(Callback):
    """Reports each epoch."""

    def __init__(self, progress: Progress, clock: Clock, figures: Callable[[], Mapping[str, float]]) -> None:
        """``figures`` are those of the epoch that is over."""
        self._progress, self._clock, self._figures = progress, clock, figures

    def after_epoch(self, trainer: Trainer) -> None:
        if not trainer.stopped:
            figures = {name: value for name, value in self._figures().items() if "/" in name}
            self._progress(
                EpochReport(trainer.epoch, trainer.epochs, trainer.fraction, self._clock.seconds, figures, best=True)
            )
