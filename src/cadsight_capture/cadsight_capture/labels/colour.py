"""The label that colour gives: the largest object of the part's colour (Comillas, section 3.3, figure 8)."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from cadsight_core.box import Box
from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import ParameterError
from cadsight_core.parts.part import ColourRange
from cv2.typing import MatLike
from numpy.typing import NDArray

from cadsight_capture.labels.refusal import Refusal

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class ColourParameters:
    """Clean-up of the colour mask; sizes in pixels are for an image 640 wide and grow with the width."""

    blur_px: float = parameter(0.7, "sigma of the blur in pixels that calms sensor noise", minimum=0.0, maximum=10.0)
    opening_px: int = parameter(3, "side in pixels of the opening that removes specks", minimum=1, maximum=51, odd=True)
    closing_px: int = parameter(
        9, "side in pixels of the closing that bridges highlights", minimum=1, maximum=101, odd=True
    )
    min_area: float = parameter(0.001, "smallest fraction of the image that a part covers", minimum=0.0, maximum=1.0)
    max_area: float = parameter(0.5, "largest fraction of the image that a part covers", minimum=0.0, maximum=1.0)
    edge_level: float = parameter(
        0.5,
        "fraction of the part's own chroma at which its edge lies; 0 keeps the range's edge",
        minimum=0.0,
        maximum=0.9,
    )

    def __post_init__(self) -> None:
        check(self)
        if self.min_area > self.max_area:
            raise ParameterError(
                "min_area",
                f"is {self.min_area:g} and max_area is {self.max_area:g}, expected min_area to be at most max_area",
            )


# The message for a part without ranges: both kinds of labels must agree, and one of them is by colour.
NO_COLOUR = (
    "the part {part} has no colour and no image of it can be labelled, expected a range as `cadsight part colour "
    "IMAGE` finds it"
)


@dataclass(frozen=True, eq=False)
class ColourLabel:
    """The largest object of the part's colour.

    Attributes:
        mask: (H, W).
        box: the smallest box around ``mask``.
    """

    mask: Mask
    box: Box


def in_ranges(image: MatLike, ranges: Sequence[ColourRange]) -> Mask:
    """Pixels (H, W) of an RGB image (H, W, 3) inside any of ``ranges``; a range with low hue > high hue wraps."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    mask = np.zeros(image.shape[:2], bool)
    for colour in ranges:
        (h0, s0, v0), (h1, s1, v1) = colour.low, colour.high
        hues = [(h0, h1)] if h0 <= h1 else [(h0, 179), (0, h1)]
        for low, high in hues:
            mask |= cv2.inRange(hsv, (low, s0, v0), (high, s1, v1)) > 0
    return mask


def label_by_colour(
    image: Image, ranges: Sequence[ColourRange], parameters: ColourParameters | None = None
) -> ColourLabel | Refusal:
    """Find the part in an RGB image (H, W, 3) by its colour.

    The ranges show roughly where the part is. Its edge is then put where the chroma (largest minus smallest
    channel) falls to ``edge_level`` of the part's own chroma nearby: chroma mixes linearly over a pixel that
    the part shares with a grey or white background, so half of it is where the part covers half the pixel.
    """
    p = parameters or ColourParameters()
    height, width = image.shape[:2]
    scale = width / 640
    calm: MatLike = cv2.GaussianBlur(image, (0, 0), p.blur_px * scale) if p.blur_px else image
    mask: MatLike = in_ranges(calm, ranges).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, _disc(p.opening_px * scale))
    rough = _largest(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _disc(p.closing_px * scale)))
    if rough is None:
        return Refusal("colour_nothing", "no pixels of the part's colour are in the image")
    found = _largest(_to_edge(calm, cv2.bitwise_and(mask, rough), rough, scale, p)) if p.edge_level else rough
    if found is None:
        return Refusal("colour_nothing", "what has the part's colour has no clear edge")
    label = found.astype(bool)
    fraction = float(label.mean())
    if fraction < p.min_area:
        return Refusal(
            "colour_small", f"the part's colour covers {fraction:.4%} of the image, expected at least {p.min_area:.4%}"
        )
    if fraction > p.max_area:
        return Refusal(
            "colour_large", f"the part's colour covers {fraction:.1%} of the image, expected at most {p.max_area:.1%}"
        )
    box = Box.from_mask(label)
    assert box is not None
    if box.x0 <= 0 or box.y0 <= 0 or box.x1 >= width or box.y1 >= height:
        return Refusal("colour_border", "the part's colour touches the image's border, expected the whole part in view")
    return ColourLabel(label, box)


def _to_edge(calm: MatLike, seen: MatLike, rough: MatLike, scale: float, p: ColourParameters) -> MatLike:
    x, y, width, height = cv2.boundingRect(rough)
    reach = round(20 * scale)
    window = np.s_[max(y - reach, 0) : y + height + reach, max(x - reach, 0) : x + width + reach]
    edged = np.zeros_like(rough)
    edged[window] = _edge_near(calm[window], seen[window], rough[window], scale, p)
    return edged


def _edge_near(calm: MatLike, seen: MatLike, rough: MatLike, scale: float, p: ColourParameters) -> MatLike:
    red, green, blue = cv2.split(calm)
    chroma = cv2.subtract(cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)).astype(np.float32)
    core = cv2.erode(seen, _disc(3 * scale)).astype(np.float32)
    if not core.any():
        return rough
    # Shaded faces have less chroma than lit ones, so each pixel is compared with the part's pixels near it.
    side = _odd(15 * scale)
    weight = cv2.boxFilter(core, -1, (side, side), normalize=False)
    near = cv2.boxFilter(chroma * core, -1, (side, side), normalize=False) / np.maximum(weight, 1)
    own = np.where(weight > 0.5, near, np.float32(np.median(chroma[core > 0])))
    around = cv2.dilate(rough, _disc(5 * scale))
    # What the closing bridged stays part of the part; only its edge is looked for.
    inside = cv2.erode(rough, _disc(5 * scale))
    edged = (((chroma > p.edge_level * own) & (around > 0)) | (inside > 0)).astype(np.uint8)
    return cv2.morphologyEx(edged, cv2.MORPH_OPEN, _disc(p.opening_px * scale))


def _largest(mask: MatLike) -> MatLike | None:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count < 2:
        return None
    return (labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))).astype(np.uint8)


def _odd(size: float) -> int:
    return 2 * round((size - 1) / 2) + 1


def _disc(size: float) -> MatLike:
    side = max(_odd(size), 1)
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
