"""What is done around the steps of a translator's training: its sheets, its curves, its reports."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from cadsight_core.imaging.images import Rgb, encode_image, read_image
from cadsight_core.sample import Sample
from cadsight_core.storage.files import make_folder, write_atomically
from cadsight_core.storage.output_file import noted, refuse_foreign_file, write_noted
from cadsight_learning.data.letterbox import shrunk
from cadsight_learning.registry.model_folder import CARD
from cadsight_learning.training.callbacks import Clock
from cadsight_learning.training.phases import Callback, Trainer
from cadsight_learning.training.progress import EpochReport, Progress
from cadsight_learning.training.trainer import curve_files

from cadsight_generation.translation.model import Translates
from cadsight_generation.translation.training.choice import BestEpoch

SHEETS = "sheets"
_SIDE, _GAP = 224, 6


def falling(fraction: float) -> float:
    """The part of the highest rate: all of it, then in a line to 0 over the second half (CycleGAN, section 7.2)."""
    return 1.0 if fraction < 0.5 else max(2 * (1 - fraction), 1e-3)


class Sheets:
    """The same synthetic images after each epoch: as they were above, translated below, a row of real ones last."""

    def __init__(self, folder: Path, samples: Sequence[Sample], real: Sequence[Sample], translator: Translates) -> None:
        self._folder, self._translator = folder / SHEETS, translator
        self._samples, self._real = samples, real

    def refuse_foreign(self, epochs: int) -> None:
        """Refuse a folder with files of others where sheets will be.

        Raises:
            CadsightError: naming the first.
        """
        for epoch in range(1, epochs + 1):
            path = self._path(epoch)
            refuse_foreign_file(path, noted(path))

    def write(self, epoch: int) -> None:
        make_folder(self._folder)
        before = [read_image(s.image) for s in self._samples]
        after = [self._translator.translated(s, i) for s, i in zip(self._samples, before, strict=True)]
        real = [read_image(s.image) for s in self._real]
        write_noted(self._path(epoch), encode_image(sheet_of([before, after, real])))

    def _path(self, epoch: int) -> Path:
        return self._folder / f"{epoch:05d}.png"


def sheet_of(rows: Sequence[Sequence[Rgb]]) -> Rgb:
    """Rows of images, each of them with its longer side at 224 pixels."""
    columns = max(len(row) for row in rows)
    sheet = np.full((len(rows) * (_SIDE + _GAP), columns * (_SIDE + _GAP), 3), 255, np.uint8)
    for y, row in enumerate(rows):
        for x, image in enumerate(row):
            small = shrunk(image, _SIDE)
            height, width = small.shape[:2]
            top, left = y * (_SIDE + _GAP), x * (_SIDE + _GAP)
            sheet[top : top + height, left : left + width] = small
    return sheet


class Curves(Callback):
    """Keeps a row of figures an epoch and writes them, unless a model is there, whose own they would replace."""

    name = "curves"

    def __init__(self, folder: Path, best: BestEpoch, clock: Clock, batch: int) -> None:
        self.rows: list[dict[str, float]] = []
        self._folder, self._best, self._clock, self._batch = folder, best, clock, batch

    def after_epoch(self, trainer: Trainer) -> None:
        rate = trainer.phases[0].optimizer.param_groups[0]["lr"]
        row = {"epoch": trainer.epoch, "seconds": self._clock.seconds, "learning_rate": rate, "score": self._best.score}
        self.rows.append({**row, "images_seen": trainer.step * self._batch, **self._best.figures})
        if not (self._folder / CARD).exists():
            for name, data in curve_files(with_all_columns(self.rows)).items():
                write_atomically(self._folder / name, data)

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.rows = list(state["rows"])


def with_all_columns(rows: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    """``rows`` with every figure that any of them has: nothing refused for a reason is 0."""
    names = dict.fromkeys(name for row in rows for name in row)
    return [{name: row.get(name, 0.0) for name in names} for row in rows]


class Reports(Callback):
    """Reports each epoch."""

    def __init__(self, progress: Progress, clock: Clock, best: BestEpoch) -> None:
        self._progress, self._clock, self._best = progress, clock, best

    def after_epoch(self, trainer: Trainer) -> None:
        best = self._best
        self._progress(
            EpochReport(
                trainer.epoch, trainer.epochs, trainer.fraction, self._clock.seconds, best.figures,
                best.epoch == trainer.epoch,
            )
        )  # fmt: skip
