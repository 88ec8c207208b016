"""What is done around the steps of a generator's training: its set, sheets, figures and last good state."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from cadsight_learning.training.callbacks import Checkpoint, Clock
from cadsight_learning.training.phases import Callback, Trainer
from cadsight_learning.training.progress import EpochReport, Progress
from torch import Tensor, nn

from cadsight_generation.data.growing import TrainingImages
from cadsight_generation.sheets import SheetFiles
from cadsight_generation.unconditional.drawing import drawn, sheet_of


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
        self.files = SheetFiles(folder)
        self._generator, self._aspect = generator, aspect

    def after_epoch(self, trainer: Trainer) -> None:
        self.files.write(trainer.epoch, sheet_of(drawn(self._generator, self.z), self._aspect))

    def state_dict(self) -> dict[str, Any]:
        return {"z": self.z}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.z = state["z"]


def curve_row(images: TrainingImages, trainer: Trainer, batch: int) -> dict[str, float]:
    """The figures of the epoch that is over.

    A GAN's losses say nothing of how good its images are, so that no epoch has a score.
    """
    return {
        "score": 0.0,
        "images_seen": trainer.step * batch,
        "images": len(images.own),
        "generated": len(images.added),
        **{f"train/{name}": value for name, value in trainer.means().items()},
    }


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
