"""How far two sets of images are apart, by their colours (Comillas, row C9)."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import Rgb
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance, wasserstein_distance_nd

CHANNELS = ("red", "green", "blue", "hue", "saturation", "value")
# Cells a channel of the joint histogram: 8 x 8 x 8.
_CELLS = 8


def channel_histograms(images: Sequence[Rgb]) -> dict[str, NDArray[np.float64]]:
    """Fraction of pixels at each of 256 values (180 for hue, which counts half degrees), of all images together.

    Raises:
        CadsightError: for an empty set.
    """
    _not_empty(images)
    sums = {name: np.zeros(180 if name == "hue" else 256) for name in CHANNELS}
    for image in images:
        hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
        for name, plane in zip(CHANNELS, (*cv2.split(image), *cv2.split(hsv)), strict=True):
            sums[name] += np.bincount(plane.ravel(), minlength=len(sums[name]))
    return {name: counts / counts.sum() for name, counts in sums.items()}


def earth_movers_distances(first: Sequence[Rgb], second: Sequence[Rgb]) -> dict[str, float]:
    """Earth mover's distance of each channel, in values of that channel, and ``joint`` over red, green and blue.

    Hue is a circle: its distance is the least over the places where the circle may be cut. ``joint`` moves the mass
    of one 8 x 8 x 8 histogram to the other, in Euclidean distance of their 256 values.

    Raises:
        CadsightError: for an empty set.
    """
    histograms = channel_histograms(first), channel_histograms(second)
    distances = {
        name: _circular(*pair) if name == "hue" else _along(*pair)
        for name in CHANNELS
        for pair in [(histograms[0][name], histograms[1][name])]
    }
    distances["joint"] = _joint(joint_histogram(first), joint_histogram(second))
    return distances


def joint_histogram(images: Sequence[Rgb]) -> NDArray[np.float64]:
    """Fraction of pixels (512,) in each cell of an 8 x 8 x 8 histogram of red, green and blue.

    Raises:
        CadsightError: for an empty set.
    """
    _not_empty(images)
    counts = np.zeros(_CELLS**3)
    for image in images:
        cells = (image // (256 // _CELLS)).astype(np.int32)
        index = (cells[..., 0] * _CELLS + cells[..., 1]) * _CELLS + cells[..., 2]
        counts += np.bincount(index.ravel(), minlength=_CELLS**3)
    return counts / counts.sum()


def compared(first: Sequence[Rgb], second: Sequence[Rgb]) -> dict[str, Any]:
    """Histograms of both sets and their distances, ready for JSON.

    Raises:
        CadsightError: for an empty set.
    """
    return {
        "earth_movers_distance": earth_movers_distances(first, second),
        "histograms": [{k: v.tolist() for k, v in channel_histograms(s).items()} for s in (first, second)],
    }


def _along(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    values = np.arange(len(first))
    return float(wasserstein_distance(values, values, first, second))


def _circular(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    # On a circle the flow is known up to a constant, which the median makes least.
    flow = np.cumsum(first - second)
    return float(np.abs(flow - np.median(flow)).sum())


def _joint(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Exact transport between two histograms of one grid; what they share stays where it is."""
    excess = first - second
    sources, sinks = np.flatnonzero(excess > 1e-9), np.flatnonzero(excess < -1e-9)
    if not len(sources) or not len(sinks):
        return 0.0
    centres = (np.indices((_CELLS,) * 3).reshape(3, -1).T + 0.5) * (256 / _CELLS)
    moved = wasserstein_distance_nd(centres[sources], centres[sinks], excess[sources], -excess[sinks])
    return float(moved * excess[sources].sum())


def _not_empty(images: Sequence[Rgb]) -> None:
    if not len(images):
        raise CadsightError("a set of images to compare is empty, expected at least one image")
