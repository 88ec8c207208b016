"""Parts out of what a detector's network gives, one image at a time."""

import cv2
import numpy as np
from cadsight_core.geometry import Array
from numpy.typing import NDArray

# Of two boxes of one class that overlap by more the surer one is kept.
IOU = 0.6
# So many times as many boxes as are wanted are looked at first.
_FIRST = 4


def decode(raw: NDArray[np.float32], confidence: float, max_detections: int) -> Array:
    """Parts (K, 6), best first: a box xyxy in the network's pixels, a score above ``confidence`` and a class.

    Args:
        raw: (4 + classes, M) of each of M candidates its box, centre and size, and a score a class. Of candidates of
            one class that overlap the most confident is kept.
    """
    scores = raw[4:].max(axis=0)
    sure = np.flatnonzero(scores > confidence)
    sure = sure[np.argsort(-scores[sure], kind="stable")]
    classes, scores = raw[4:, sure].argmax(axis=0), scores[sure]
    centres, sizes = raw[:2, sure].T.astype(float), raw[2:4, sure].T.astype(float)
    corners = centres - sizes / 2
    kept = _kept(np.hstack([corners, sizes]), scores, classes, max_detections)
    return np.column_stack([corners[kept], (corners + sizes)[kept], scores[kept], classes[kept]])


def _kept(boxes: Array, scores: NDArray[np.float32], classes: NDArray[np.int64], wanted: int) -> NDArray[np.int64]:
    """The numbers of the ``wanted`` best of boxes (N, 4), corner and size, that no better one of their class covers.

    They come the most confident first. Only surer boxes matter to a box, so the others wait until too few are found.
    """
    count = _FIRST * wanted
    while True:
        corners, sure, kinds = (a[:count].tolist() for a in (boxes, scores, classes))
        kept = np.array(cv2.dnn.NMSBoxesBatched(corners, sure, kinds, 0.0, IOU), np.int64)
        if len(kept) >= wanted or count >= len(boxes):
            return kept[:wanted]
        count *= _FIRST
