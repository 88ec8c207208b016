"""Two sets of images beside each other: colours, features, and which image of one each of the other is like."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from cadsight_core.geometry import Array
from cadsight_core.imaging.images import Rgb, read_image
from cadsight_core.running.progress import step, with_progress
from cadsight_core.sample import Sample
from numpy.typing import NDArray

from cadsight_learning.similarity import colour as distances
from cadsight_learning.similarity import features as feature_distances
from cadsight_learning.similarity.extractors import Extractor, ImageFeatures

# Histograms of more images look the same and only take longer.
_COLOURED = 200
_SIDE, _TEXT = 224, 22


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Of each image of a set (``of``) the most alike one of another (``among``), and their cosine distance."""

    of: tuple[Sample, ...]
    among: tuple[Sample, ...]
    distance: NDArray[np.float64]

    def farthest_first(self, count: int) -> list[tuple[Sample, Sample, float]]:
        order = np.argsort(-self.distance, kind="stable")[:count]
        return [(self.of[i], self.among[i], float(self.distance[i])) for i in order]

    def to_json(self) -> list[dict[str, Any]]:
        rows = zip(self.of, self.among, self.distance.tolist(), strict=True)
        return [{"picture": a.name, "nearest": b.name, "distance": round(d, 6)} for a, b, d in rows]


def some(samples: Sequence[Sample], most: int) -> list[Sample]:
    """At most ``most`` samples, evenly spaced."""
    numbers = np.unique(np.linspace(0, len(samples) - 1, min(len(samples), most)).round().astype(int))
    return [samples[int(i)] for i in numbers]


def by_features(first: Array, second: Array, extractor: Extractor) -> dict[str, Any]:
    """How far two sets are apart by their images' features (N, D) and (M, D), ready for JSON.

    Returns:
        What :func:`cadsight_learning.similarity.features.compared` gives, and ``inception_score`` of both, None where
        the extractor classifies no images.

    Raises:
        CadsightError: for a set of fewer than two images.
    """
    found = feature_distances.compared(first, second, extractor.name)
    class_probabilities = [extractor.class_probabilities(features) for features in (first, second)]
    scores = [feature_distances.inception_score(s) for s in class_probabilities if s is not None]
    return {**found, "inception_score": scores or None}


def between(
    first: Sequence[Sample],
    second: Sequence[Sample],
    extractor: Extractor | None = None,
) -> tuple[dict[str, Any], Neighbours]:
    """Distances of colours and of features, and of each image of ``second`` the most alike one of ``first``.

    Args:
        extractor: whose features are compared, without it those of
            :class:`cadsight_learning.similarity.extractors.ImageFeatures`.

    Returns:
        ``colours`` (see :func:`cadsight_learning.similarity.colour.compared`, without the histograms), ``features``
        (see :func:`by_features`), ``nearest`` (``median`` and ``largest`` distance, and
        ``copies``, how many are one image of ``first``) and the neighbours.

    Raises:
        CadsightError: for a set of fewer than two images, and an unreadable image.
    """
    extractor = extractor or ImageFeatures()
    rows = [
        extractor.of(read_image(s.image) for s in with_progress(samples, len(samples), f"features of {which}"))
        for samples, which in ((first, "the first"), (second, "the second"))
    ]
    with step("distances of the features"):
        found = by_features(rows[0], rows[1], extractor)
        indices, distance = feature_distances.nearest(rows[1], rows[0])
    neighbours = Neighbours(tuple(second), tuple(first[int(i)] for i in indices), distance)
    coloured = [some(samples, _COLOURED) for samples in (first, second)]
    images = [
        [read_image(s.image) for s in with_progress(samples, len(samples), f"colours of {which}")]
        for samples, which in zip(coloured, ("the first", "the second"), strict=True)
    ]
    with step("distances of the colours"):
        colours = distances.earth_movers_distances(*images)
    return {
        "colours": colours,
        "features": found,
        "nearest": {
            "median": float(np.median(distance)),
            "largest": float(distance.max()),
            "copies": int(np.count_nonzero(distance < extractor.copy_distance)),
        },
    }, neighbours


def sheet(pairs: Sequence[tuple[Sample, Sample, float]], columns: int = 4) -> Rgb:
    """Each image beside the most alike one of the other set, their distance above them.

    Raises:
        CadsightError: for an unreadable image.
    """
    tiles = []
    for image, like, distance in pairs:
        head = np.full((_TEXT, 2 * _SIDE, 3), 255, np.uint8)
        text = f"{image.name} | {like.name}  {distance:.3f}"
        cv2.putText(head, text, (4, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (30, 30, 30), 1, cv2.LINE_AA)
        both = np.hstack([_fitted(read_image(s.image)) for s in (image, like)])
        tiles.append(np.pad(np.vstack([head, both]), ((0, 8), (0, 8), (0, 0)), constant_values=255))
    columns = min(columns, max(len(tiles), 1))
    blank = np.full((_SIDE + _TEXT + 8, 2 * _SIDE + 8, 3), 255, np.uint8)
    tiles += [blank] * (-len(tiles) % columns or (0 if tiles else 1))
    return np.vstack([np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)])


def _fitted(image: Rgb) -> Rgb:
    """The image within a square, on white."""
    factor = _SIDE / max(image.shape[:2])
    size = max(round(image.shape[1] * factor), 1), max(round(image.shape[0] * factor), 1)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    square = np.full((_SIDE, _SIDE, 3), 255, np.uint8)
    top, left = (_SIDE - size[1]) // 2, (_SIDE - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = small
    return square
