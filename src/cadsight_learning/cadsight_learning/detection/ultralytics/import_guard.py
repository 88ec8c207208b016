"""Keeps a library's import from changing other libraries."""

import contextlib
from collections.abc import Iterator
from typing import Any

import cv2
import torch
from PIL import Image

_FUNCTIONS: tuple[tuple[Any, str], ...] = (
    (Image, "open"),
    (cv2, "imread"),
    (cv2, "imwrite"),
    (cv2, "imshow"),
    (torch, "load"),
    (torch, "save"),
)


@contextlib.contextmanager
def untouched() -> Iterator[None]:
    """What the body's imports put in place of Pillow's, OpenCV's and torch's own functions is taken back.

    Ultralytics replaces them for the whole process; its ``Image.open`` wants to install a package where ours is to
    say that a file is no image.
    """
    own = [(library, name, getattr(library, name)) for library, name in _FUNCTIONS]
    try:
        yield
    finally:
        for library, name, function in own:
            setattr(library, name, function)
