"""Detections from the output of a detector's network, one image at a time."""

from collections.abc import Sequence

import cv2
import numpy as np
from cadsight_core.geometry import Array
from numpy.typing import NDArray

# Of two boxes of one class that overlap by more the more confident one is kept.
IOU = 0.6
# So many times as many boxes as are asked for are compared first.
_FIRST = 4


def decode(raw: NDArray[np.float32], confidence: float, max_detections: int) -> Array:
    """Parts (K, 6), best first: a box xyxy in the network's pixels, a score above ``confidence`` and a class.

    Args:
        raw: (4 + classes, M) of each of M candidates its box, centre and size, and a score a class. Of candidates of
            one class that overlap the most confident is kept.
    """
    return decode_candidates(raw, confidence, max_detections)[0]


def decode_candidates(
    raw: NDArray[np.float32], confidence: float, max_detections: int
) -> tuple[Array, NDArray[np.int64]]:
    """What :func:`decode` gives, and of each part (K,) the number of its candidate, whose scores of the other classes
    are in ``raw`` as well."""
    scores = raw[4:].max(axis=0)
    confident = np.flatnonzero(scores > confidence)
    confident = confident[np.argsort(-scores[confident], kind="stable")]
    classes, scores = raw[4:, confident].argmax(axis=0), scores[confident]
    centres, sizes = raw[:2, confident].T.astype(float), raw[2:4, confident].T.astype(float)
    corners = centres - sizes / 2
    kept = _kept(np.hstack([corners, sizes]), scores, classes, max_detections)
    return np.column_stack([corners[kept], (corners + sizes)[kept], scores[kept], classes[kept]]), confident[kept]


def at_centres(maps: Sequence[NDArray[np.float32]], boxes: Array, shape: Sequence[int]) -> NDArray[np.float32]:
    """What ``maps``, each (channels, h, w), of one image of ``shape`` (rows, columns) show at the middles of ``boxes``
    (K, 4): (K, all channels)."""
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2 / (shape[1], shape[0])
    columns = []
    for one in maps:
        h, w = one.shape[1:]
        x, y = (np.clip((middles[:, axis] * side).astype(int), 0, side - 1) for axis, side in ((0, w), (1, h)))
        columns.append(one[:, y, x].T)
    return np.concatenate(columns, axis=1) if columns else np.zeros((len(boxes), 0), np.float32)


def _kept(boxes: Array, scores: NDArray[np.float32], classes: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """The numbers of the ``most`` best of boxes (N, 4), corner and size, that no better one of their class covers.

    The most confident come first. Only more confident boxes matter to a box: the others wait until too few are found.
    """
    count = _FIRST * most
    while True:
        corners, confidences, class_ids = (a[:count].tolist() for a in (boxes, scores, classes))
        kept = np.array(cv2.dnn.NMSBoxesBatched(corners, confidences, class_ids, 0.0, IOU), np.int64)
        if len(kept) >= most or count >= len(boxes):
            return kept[:most]
        count *= _FIRST
