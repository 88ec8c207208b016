"""Small sets of images to learn from: coloured rectangles on noise, with masks."""

from pathlib import Path

import numpy as np
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.imaging.images import write_image
from cadsight_core.sample import Instance, Sample
from cadsight_generation.data.growing import TrainingImages
from cadsight_generation.data.stack import Wanted, find_images, read_stack


def rectangle(number: int, width: int = 32, height: int = 32) -> "tuple[np.ndarray, np.ndarray]":
    """An image (H, W, 3) and the mask (H, W) of the rectangle on it."""
    rng = np.random.default_rng(number)
    image = rng.integers(60, 90, (height, width, 3), np.uint8)
    top, left = rng.integers(2, height // 2), rng.integers(2, width // 2)
    mask = np.zeros((height, width), bool)
    mask[top : top + height // 3, left : left + width // 4] = True
    image[mask] = rng.integers(150, 255, 3)
    return image, mask


def folder_of_images(folder: Path, count: int, first: int = 0, **size: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        write_image(folder / f"{number:03d}.png", rectangle(number, **size)[0])
    return folder


def masked_set(folder: Path, count: int, first: int = 0, origin="synthetic", split="") -> Path:
    dataset = Dataset.create(folder, ["block"], exist_ok=True)
    for number in range(first, first + count):
        image, mask = rectangle(number)
        instance = Instance(0, Box.from_mask(mask), mask, source="render")
        name = f"{number:03d}"
        dataset.append(Sample(name, Path(name), ImageSize(32, 32), None, (instance,), origin, split), image)
    return folder


def learned_images(*paths: Path, size: int = 16, generated: "list[Path] | None" = None) -> TrainingImages:
    wanted = Wanted(size)
    return TrainingImages(read_stack(find_images(paths), wanted), wanted, generated or [])
