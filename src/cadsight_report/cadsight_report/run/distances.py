"""How far the colours and the features of two sets of images are apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.imaging.images import Rgb
from cadsight_core.running.progress import step, with_progress
from cadsight_core.storage.folders.run_folder import RunFolder
from cadsight_learning.similarity.colour import compared
from cadsight_learning.similarity.compare import by_features, some
from cadsight_learning.similarity.extractors import ImageFeatures
from cadsight_learning.similarity.features import nearest

from cadsight_report.graphics import charts
from cadsight_report.sections import Content

_CHANNELS = ("red", "green", "blue")
# Histograms of more images look the same and only take longer.
_MOST_IMAGES = 200


@dataclass(frozen=True)
class Distances:
    """Earth mover's distances by channel, in values of 0 to 255, and the histograms (256,) of both sets.

    ``features`` is what :func:`cadsight_learning.similarity.compare.by_features` gives, and the ``median`` and
    ``largest`` distance of an image of the second set to the most alike one of the first; None for fewer than two
    images.
    """

    by_channel: dict[str, float]
    histograms: tuple[Mapping[str, Sequence[float]], Mapping[str, Sequence[float]]]
    features: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        channels = {name: self.by_channel[name] for name in _CHANNELS}
        mean = float(np.mean(list(channels.values())))
        others = {name: value for name, value in self.by_channel.items() if name not in _CHANNELS}
        return {"channels": channels, "mean": mean, **others, "features": self.features}

    def panels(self, first: str, second: str) -> list[tuple[str, Mapping[str, Sequence[float]]]]:
        """What :func:`cadsight_report.graphics.charts.densities` draws."""
        one, other = self.histograms
        return [(name, {first: one[name], second: other[name]}) for name in _CHANNELS]


def between(first: Dataset, second: Dataset) -> Distances:
    """Compare the images of two data sets; of large ones some evenly spaced images."""
    images = _images(first), _images(second)
    with step("colours compared"):
        found = compared(*images)
    one, other = found["histograms"]
    return Distances(found["earth_movers_distance"], (one, other), _features(*images))


def _features(first: Sequence[Rgb], second: Sequence[Rgb]) -> dict[str, Any] | None:
    if min(len(first), len(second)) < 2:
        return None
    extractor = ImageFeatures()
    rows = [extractor.of(with_progress(images, len(images), "features")) for images in (first, second)]
    _, distance = nearest(rows[1], rows[0])
    return by_features(rows[0], rows[1], extractor) | {
        "median": float(np.median(distance)),
        "largest": float(distance.max()),
    }


def _images(dataset: Dataset) -> list[Rgb]:
    samples = some(dataset.samples(), _MOST_IMAGES)
    return [dataset.image(sample) for sample in with_progress(samples, len(samples), "images read")]


def of_run(run: RunFolder) -> Content | None:
    """How far the labelled test images are from those of training; None where one of the two has none."""
    folders = [run.session(split).labelled for split in ("train", "test")]
    if not all((folder / "dataset.json").is_file() for folder in folders):
        return None
    train, test = map(Dataset.open, folders)
    if not len(train) or not len(test):
        return None
    found = between(train, test)
    return Content(found.to_json(), {"channels": charts.densities(found.panels("train", "test"))})
