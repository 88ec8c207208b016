"""What is done around the steps of a translator's training: its sheets, the figures of its curves, its reports."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from cadsight_core.imaging.images import Rgb, read_image
from cadsight_core.sample import Sample
from cadsight_learning.data.letterbox import shrunk
from cadsight_learning.training.callbacks import Clock
from cadsight_learning.training.phases import Callback, Trainer
from cadsight_learning.training.progress import EpochReport, Progress

from cadsight_generation.sheets import SheetFiles
from cadsight_generation.translation.model import Translates
from cadsight_generation.translation.training.choice import BestEpoch

_SIDE, _GAP = 224, 6


def falling(fraction: float) -> float:
    """The part of the highest rate: all of it, then in a line to 0 over the second half (CycleGAN, section 7.2)."""
    return 1.0 if fraction < 0.5 else max(2 * (1 - fraction), 1e-3)


class Sheets:
    """The same synthetic images after each epoch: as they were above, translated below, a row of real ones last."""

    def __init__(self, folder: Path, samples: Sequence[Sample], real: Sequence[Sample], translator: Translates) -> None:
        self.files = SheetFiles(folder)
        self._translator, self._samples, self._real = translator, samples, real

    def write(self, epoch: int) -> None:
        before = [read_image(s.image) for s in self._samples]
        after = [self._translator.translated(s, i) for s, i in zip(self._samples, before, strict=True)]
        real = [read_image(s.image) for s in self._real]
        self.files.write(epoch, sheet_of([before, after, real]))


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


def curve_row(best: BestEpoch, trainer: Trainer, batch: int) -> dict[str, float]:
    """The figures of the epoch that is over, with the images that were seen until then."""
    return {"score": best.score, "images_seen": trainer.step * batch, **best.figures}


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
