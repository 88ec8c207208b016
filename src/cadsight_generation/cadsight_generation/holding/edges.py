"""How far the edges about a silhouette moved, and how many of them are gone, whatever the colours became."""

from dataclasses import dataclass

import cv2
import numpy as np
from cadsight_core.geometry import Array
from cadsight_core.imaging.images import Rgb
from cadsight_core.shapes import Mask
from numpy.typing import NDArray

from cadsight_generation.holding.patch import Patch

Floats = NDArray[np.float32]
# Pixels each way of the silhouette that are looked at.
BAND = 4.0
# Smoothing before the derivatives, pixels; more and edges side by side become one, less and blur moves them.
_SMOOTH = 1.1
# Grey levels a pixel below which a gradient is noise, and above which more says no more.
_NOISE, _CLEAR = 3.0, 33.0
# An edge is judged among those around it within so many pixels.
_AROUND, _LOCAL = 8.0, 1.5
# Of the gradient's usual gain what is left of an edge that is gone; of its direction what is common to both.
_GAIN_LEFT, _DIRECTION_LEFT = 0.3, 0.6


@dataclass(frozen=True)
class EdgeChange:
    """What became of the edges in the band about a silhouette.

    Attributes:
        moved_px: 90th percentile over them of the movement across them, pixels of the patch.
        lost: the fraction of them that is gone, or runs another way.
        misaligned: 1 - the mean agreement of their directions, 0 to 1.
    """

    moved_px: float
    lost: float
    misaligned: float


def edge_change(patch: Patch) -> EdgeChange | None:
    """The change in the band of :data:`BAND` about the silhouette; in the whole patch where no mask is known.

    The movement is the optical flow (Kroeger et al. 2016, DIS) of the strength of the gradients, divided by that of the
    gradients around, so that light and colour do not count. Across an edge alone it can be seen, and clear edges count
    more.

    Returns:
        None where the band has no edge that could be seen: nothing can be said of the labels.
    """
    before, after = _tensor(patch.before), _tensor(patch.after)
    strength = np.sqrt(before[0] + before[2])
    normalised = _normalised(strength)
    looked_at = patch.inside if patch.mask is None else band(patch.mask) & patch.inside
    weights = np.clip(strength - _NOISE, 0, _CLEAR - _NOISE) * (normalised > 60) * looked_at
    if weights.sum() < 1:
        return None
    flow = _flow(normalised, _normalised(np.sqrt(after[0] + after[2])))
    # Half the angle of the tensor: the direction across the edge.
    across = 0.5 * np.arctan2(2 * before[1], before[0] - before[2])
    moved = np.abs(flow[..., 0] * np.cos(across) + flow[..., 1] * np.sin(across))
    seen = weights > 0
    here, there = ([cv2.GaussianBlur(part, (0, 0), _LOCAL)[seen] for part in parts] for parts in (before, after))
    shared = here[0] * there[0] + 2 * here[1] * there[1] + here[2] * there[2]
    agreement = shared / np.sqrt(_squared(here) * _squared(there) + 1e-6)
    gain = np.sqrt((there[0] + there[2]) / (here[0] + here[2] + 1e-6))
    weight = weights[seen]
    usual = weighted_quantile(gain, weight, 0.5)
    gone = (gain < _GAIN_LEFT * usual) | (agreement < _DIRECTION_LEFT)
    return EdgeChange(
        moved_px=weighted_quantile(moved[seen], weight, 0.9),
        lost=float(weight[gone].sum() / weight.sum()),
        misaligned=float(1 - (agreement * weight).sum() / weight.sum()),
    )


def band(mask: Mask, width: float = BAND) -> Mask:
    """The pixels of (H, W) within ``width`` of the border of ``mask``."""
    inner, outer = (cv2.distanceTransform(m.astype(np.uint8), cv2.DIST_L2, 3) for m in (mask, ~mask))
    near: Mask = inner + outer <= width
    return near & bool(mask.any() and not mask.all())


def weighted_quantile(values: Array, weights: Array, fraction: float) -> float:
    """The value of (N,) below which ``fraction`` of ``weights`` (N,) lies."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order], dtype=float)
    return float(values[order][np.searchsorted(reached, fraction * reached[-1]).clip(max=len(order) - 1)])


def _tensor(image: Rgb) -> tuple[Floats, Floats, Floats]:
    """The structure tensor (xx, xy, yy), each (H, W), summed over colours: it knows no sign, so no inverted colours."""
    smooth = cv2.GaussianBlur(image.astype(np.float32), (0, 0), _SMOOTH)
    x, y = (cv2.Sobel(smooth, cv2.CV_32F, dx, 1 - dx, scale=1 / 8) for dx in (1, 0))
    xx, xy, yy = ((a * b).sum(axis=2) for a, b in ((x, x), (x, y), (y, y)))
    return xx, xy, yy


def _normalised(strength: Floats) -> NDArray[np.uint8]:
    around = np.sqrt(cv2.GaussianBlur(strength * strength, (0, 0), _AROUND))
    return np.clip(strength / (around + _NOISE) * 80, 0, 255).astype(np.uint8)


def _flow(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> Floats:
    found = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    found.setFinestScale(0)
    return np.asarray(found.calc(before, after, np.zeros((*before.shape, 2), np.float32)), np.float32)


def _squared(tensor: list[Floats]) -> Floats:
    return np.asarray(tensor[0] ** 2 + 2 * tensor[1] ** 2 + tensor[2] ** 2)
