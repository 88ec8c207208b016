"""The training step: a detector and a regressor of normals from labelled sessions."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from cadsight_core.datasets.dataset import Dataset
from cadsight_core.datasets.derived import end_to_end
from cadsight_core.parts.part import Part
from cadsight_learning.fit import fit_detector, fit_normals
from cadsight_learning.options import DetectorOptions, NormalOptions
from cadsight_learning.training.progress import EpochReport, StepProgress, silent
from cadsight_learning.training.trackers import both, tracked

Progress = Callable[[EpochReport], None]
_TRACKER = "tensorboard"


def train_detector(
    train: Path,
    composed: Path,
    valid: Path,
    out: Path,
    options: DetectorOptions,
    progress: Progress,
    steps: StepProgress = silent,
) -> None:
    """Train on the labelled and the composed images, and keep the epoch that is best on the validation session."""
    dataset = Dataset.open(train)
    images = end_to_end(dataset.samples(), Dataset.open(composed).samples())
    valid_samples = Dataset.open(valid).samples()
    with tracked(_TRACKER, out, asdict(options)) as tracker:
        fit_detector(images, valid_samples, dataset.classes, out, options, both(progress, tracker), steps)


def train_normals(
    train: Path,
    valid: Path,
    out: Path,
    options: NormalOptions,
    progress: Progress,
    parts: Sequence[Part] = (),
    steps: StepProgress = silent,
) -> None:
    """Train on the crops of the labelled images, and with ``options.drawn`` on views drawn from the CAD of ``parts``.

    The epoch that is best on the validation session is kept; nothing drawn is in that.
    """
    dataset = Dataset.open(train)
    samples, valid_samples = dataset.samples(), Dataset.open(valid).samples()
    with tracked(_TRACKER, out, asdict(options)) as tracker:
        fit_normals(samples, valid_samples, dataset.classes, out, options, both(progress, tracker), parts, steps)
