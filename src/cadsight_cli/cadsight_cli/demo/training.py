"""The training step: a detector and a regressor of normals from labelled sessions."""

from collections.abc import Callable, Sequence
from pathlib import Path

from cadsight_core.dataset import Dataset
from cadsight_core.part import Part
from cadsight_learning.detector import EpochReport
from cadsight_learning.fitting import fit_detector, fit_normals
from cadsight_learning.options import DetectorOptions, NormalOptions

Progress = Callable[[EpochReport], None]


def train_detector(
    train: Path, composed: Path, valid: Path, out: Path, options: DetectorOptions, progress: Progress
) -> None:
    """Train on the labelled and the composed pictures, and keep the epoch that is best on the validation session."""
    dataset = Dataset.open(train)
    pictures = [*dataset.samples(), *Dataset.open(composed).samples()]
    fit_detector(pictures, list(Dataset.open(valid).samples()), dataset.classes, out, options, progress)


def train_normals(
    train: Path, valid: Path, out: Path, options: NormalOptions, progress: Progress, parts: Sequence[Part] = ()
) -> None:
    """Train on the crops of the labelled pictures, and with ``options.drawn`` on views drawn from the CAD of ``parts``.

    The epoch that is best on the validation session is kept; nothing drawn is in that.
    """
    dataset = Dataset.open(train)
    samples, judges = list(dataset.samples()), list(Dataset.open(valid).samples())
    fit_normals(samples, judges, dataset.classes, out, options, progress, parts)
