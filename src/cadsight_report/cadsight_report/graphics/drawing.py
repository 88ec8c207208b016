"""Images zoomed, heated and encoded, ready to stand in a page."""

import base64
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from cadsight_core.box import Box
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import Rgb
from cadsight_core.sample import Instance
from numpy.typing import NDArray

TRUTH_RGB = (47, 158, 98)
PREDICTION_RGB = (30, 90, 220)


def zoomed(image: Rgb, region: Box, side: int) -> tuple[Rgb, Callable[[Instance], Instance]]:
    """The square ``region`` of ``image`` as (side, side, 3), and what moves an instance there.

    Its box and normal are moved; its shape and its point of interest are left out.
    """
    x0, y0, x1, y1 = (round(v) for v in region.as_tuple())
    scale_x, scale_y = side / (x1 - x0), side / (y1 - y0)
    enlarged = np.asarray(cv2.resize(image[y0:y1, x0:x1], (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)

    def moved(instance: Instance) -> Instance:
        b = instance.box
        box = Box((b.x0 - x0) * scale_x, (b.y0 - y0) * scale_y, (b.x1 - x0) * scale_x, (b.y1 - y0) * scale_y)
        return replace(instance, box=box, mask=None, point=None, attributes={})

    return enlarged, moved


def heat(image: Rgb, saliency: NDArray[np.floating], fraction: float = 0.55) -> Rgb:
    """``image`` (H, W, 3) under a heat map of its ``saliency`` (H, W), 0 to 1 as the saliency maps come.

    Raises:
        CadsightError: for a map that is not the image's.
    """
    if saliency.shape != image.shape[:2]:
        raise CadsightError(f"a saliency of shape {saliency.shape} came, expected the image's {image.shape[:2]}")
    colours = cv2.applyColorMap((255 * np.clip(saliency, 0, 1)).astype(np.uint8), cv2.COLORMAP_INFERNO)
    heated = cv2.addWeighted(cv2.cvtColor(colours, cv2.COLOR_BGR2RGB), fraction, image, 1 - fraction, 0)
    return np.asarray(heated, np.uint8)


def data_uri(image: Rgb, max_width: int = 640, quality: int = 84) -> str:
    """``image`` as a JPEG that is part of the page.

    Raises:
        CadsightError: when the image cannot be encoded.
    """
    height, width = image.shape[:2]
    if width > max_width:
        size = (max_width, max(1, round(height * max_width / width)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    encoded, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    if not encoded:
        raise CadsightError(f"an image of {width} x {height} pixels could not be encoded as JPEG")
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()
