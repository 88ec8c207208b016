"""How far the colours of two sets of pictures are apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from cadsight_core.dataset import Dataset
from cadsight_learning.distances import compared

_CHANNELS = ("red", "green", "blue")
# Histograms of more pictures look the same and only take longer.
_MOST_PICTURES = 200


@dataclass(frozen=True)
class Distances:
    """Earth mover's distances by channel, in values of 0 to 255, and the histograms (256,) of both sets."""

    by_channel: dict[str, float]
    histograms: tuple[Mapping[str, Sequence[float]], Mapping[str, Sequence[float]]]

    def to_json(self) -> dict[str, Any]:
        channels = {name: self.by_channel[name] for name in _CHANNELS}
        return {"channels": channels, "mean": float(np.mean(list(channels.values())))} | {
            name: value for name, value in self.by_channel.items() if name not in _CHANNELS
        }

    def panels(self, first: str, second: str) -> list[tuple[str, Mapping[str, Sequence[float]]]]:
        """What :func:`cadsight_report.charts.densities` draws."""
        one, other = self.histograms
        return [(name, {first: one[name], second: other[name]}) for name in _CHANNELS]


def between(first: Dataset, second: Dataset) -> Distances:
    """Compare the pictures of two data sets; of large ones some at even distances."""
    found = compared(_pictures(first), _pictures(second))
    one, other = found["histograms"]
    return Distances(found["earth_movers_distance"], (one, other))


def _pictures(dataset: Dataset) -> list[Any]:
    samples = dataset.samples()
    numbers = np.unique(np.linspace(0, len(samples) - 1, min(len(samples), _MOST_PICTURES)).round().astype(int))
    return [dataset.image(samples[int(i)]) for i in numbers]
