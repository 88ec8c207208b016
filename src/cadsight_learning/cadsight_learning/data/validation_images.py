"""A few of the images that a model was validated on, kept beside it as its network sees them.

FOLDER/NAME/pictures.npz  ``images`` (N, H, W, 3) uint8; models of earlier versions have none.
"""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import cv2
import numpy as np
from cadsight_core.imaging.images import Rgb, read_image
from cadsight_core.sample import Sample
from numpy.typing import NDArray

from cadsight_learning.data.letterbox import fitted, framed

T = TypeVar("T")
IMAGES = "pictures.npz"
_DETECTOR, _REGRESSOR = 8, 32


class HasCrop(Protocol):
    """A view of a part."""

    @property
    def crop(self) -> Rgb: ...


def of_detector(samples: Sequence[Sample], size: int) -> NDArray[np.uint8]:
    """(N, size, size, 3) of labelled images, evenly spaced in ``samples``, each framed and centred on grey.

    Raises:
        CadsightError: for an unreadable image.
    """
    chosen = _evenly_spaced([sample.image for sample in samples if sample.instances], _DETECTOR)
    found = [fitted(framed(read_image(image), size)[0], (size, size)) for image in chosen]
    return np.stack(found) if found else np.zeros((0, size, size, 3), np.uint8)


def of_regressor(views: Sequence[HasCrop], size: int) -> NDArray[np.uint8]:
    """(N, size, size, 3) of crops, evenly spaced in ``views``."""
    some = _evenly_spaced(views, _REGRESSOR)
    chosen = [cv2.resize(view.crop, (size, size), interpolation=cv2.INTER_AREA) for view in some]
    return np.stack(chosen).astype(np.uint8)


def images_bytes(images: NDArray[np.uint8]) -> bytes:
    """The bytes of the file that keeps ``images``."""
    file = io.BytesIO()
    np.savez_compressed(file, pictures=images)
    return file.getvalue()


def load_images(folder: Path) -> NDArray[np.uint8] | None:
    """The images beside the model in ``folder``, or None when nothing usable is there."""
    try:
        with np.load(folder / IMAGES) as file:
            images = file["pictures"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None
    usable = images.ndim == 4 and images.shape[3] == 3 and images.dtype == np.uint8 and len(images)
    return np.asarray(images, np.uint8) if usable else None


def _evenly_spaced(items: Sequence[T], count: int) -> list[T]:
    return [items[i] for i in np.unique(np.linspace(0, len(items) - 1, min(count, len(items))).astype(int))]
