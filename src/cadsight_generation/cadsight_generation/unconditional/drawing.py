"""Images of a generator, and many of them on one sheet."""

import cv2
import numpy as np
import torch
from cadsight_core.imaging.images import Rgb
from cadsight_learning.runtime.devices import device_of_module
from numpy.typing import NDArray
from torch import Tensor, nn

from cadsight_generation.data.stack import COLOURS
from cadsight_generation.unconditional.steps import as_image

# An image is computed in a batch of so many, whatever else is wanted: in another one its last digits may differ.
_BATCH = 20
_GAP = 2
# Where a mask is on, from half its range.
_ON = 128


def drawn(generator: nn.Module, z: Tensor) -> NDArray[np.uint8]:
    """The images (N, size, size, C) that ``generator`` makes of ``z`` (N, z); it learns nothing from it."""
    device, training = device_of_module(generator), generator.training
    generator.eval()
    made = []
    with torch.no_grad():
        for start in range(0, len(z), _BATCH):
            rows = z[start : start + _BATCH]
            padded = torch.cat([rows, rows[:1].expand(_BATCH - len(rows), -1)])
            made.append(as_image(generator(padded.to(device)))[: len(rows)].cpu())
    generator.train(training)
    return torch.cat(made).permute(0, 2, 3, 1).numpy()


def at_aspect(image: NDArray[np.uint8], aspect: float) -> tuple[Rgb, NDArray[np.bool_] | None]:
    """An image (size, size, C) drawn ``aspect`` times as wide as high, as those to learn from were, and its mask.

    No side is shorter than before.
    """
    size = image.shape[0]
    width, height = (round(size * aspect), size) if aspect >= 1 else (size, round(size / aspect))
    if (width, height) != (size, size):
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    rgb = np.ascontiguousarray(image[..., :COLOURS])
    return rgb, image[..., COLOURS] >= _ON if image.shape[2] > COLOURS else None


def sheet_of(images: NDArray[np.uint8], aspect: float) -> Rgb:
    """The images (N, size, size, C) in rows, the outlines of their masks drawn in."""
    tiles = []
    for image in images:
        rgb, mask = at_aspect(image, aspect)
        if mask is not None:
            outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
            cv2.drawContours(rgb, outlines, -1, (0, 255, 0), 1)
        tiles.append(np.pad(rgb, ((0, _GAP), (0, _GAP), (0, 0)), constant_values=255))
    columns = int(np.ceil(np.sqrt(len(tiles))))
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
    return np.vstack([np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)])
