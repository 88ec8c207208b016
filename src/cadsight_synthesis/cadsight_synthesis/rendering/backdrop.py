"""What is seen where nothing stands: a photograph, a colour, or the environment itself."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import OpenEXR
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_core.imaging.images import Rgb, read_image
from numpy.typing import NDArray

from cadsight_synthesis.rendering.colour import to_display, to_linear
from cadsight_synthesis.rendering.scene import Environment, View

# An environment is looked at out of focus or averaged: more columns would change nothing.
_COLUMNS = 1024


def backdrop(view: View, environment: Environment) -> Rgb:
    """The image (H, W, 3) behind all bodies: the view's photograph, else its colour, else its environment.

    Raises:
        CadsightError: for a file that is no image.
    """
    size = view.camera.size
    if view.backdrop is not None:
        return _fitted(str(view.backdrop), size)
    if view.backdrop_colour is not None:
        return _flat(view.backdrop_colour, size)
    if environment.image is None:
        return _flat(np.asarray(environment.colour) * environment.strength, size)
    v, u = np.mgrid[0 : size.height, 0 : size.width]
    rays = view.world_from_camera.rotate(view.camera.rays(np.column_stack([u.ravel(), v.ravel()])))
    seen = read_sky(environment).towards(rays).reshape(size.height, size.width, 3)
    return _bytes(seen)


@dataclass(frozen=True, eq=False)
class Sky:
    """Light from everywhere.

    Attributes:
        mean: (3,) radiance averaged over all directions, linear.
        lean: (3,) towards where most of it comes from; length 0 for light that is the same from everywhere, 1
            for light from one direction.
        radiance: (H, W, 3) over longitude and latitude, zenith on top; None where all is ``mean``.
        turn: angle in radians that the image is turned by about z.
    """

    mean: Array
    lean: Array
    radiance: NDArray[np.float32] | None
    turn: float = 0.0

    def towards(self, directions: Array) -> Array:
        """Radiance (N, 3) from unit directions (N, 3) in the world."""
        if self.radiance is None:
            return np.tile(self.mean, (len(directions), 1))
        rows, columns = self.radiance.shape[:2]
        longitude = np.arctan2(directions[:, 1], directions[:, 0]) - self.turn
        # As Blender lays them: +x in the image's middle, and to the left of it what lies at +y.
        x = ((0.5 - longitude / (2 * np.pi)) % 1.0) * columns - 0.5
        y = np.arccos(np.clip(directions[:, 2], -1, 1)) / np.pi * rows - 0.5
        across, down = x.astype(np.float32)[None], y.astype(np.float32)[None]
        seen: Any = cv2.remap(self.radiance, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        return seen[0]


def read_sky(environment: Environment) -> Sky:
    """The light of an environment; an image is kept until eight others have come.

    Raises:
        CadsightError: for a file that is no image.
    """
    if environment.image is None:
        return Sky(np.asarray(environment.colour, float) * environment.strength, np.zeros(3), None)
    radiance, mean, lean = _panorama(str(environment.image))
    tint = np.asarray(environment.colour, float) * environment.strength
    turn = np.deg2rad(environment.turn_deg)
    turned = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]) @ lean
    return Sky(mean * tint, turned, (radiance * tint).astype(np.float32), float(turn))


@lru_cache(maxsize=8)
def _panorama(path: str) -> tuple[NDArray[np.float32], Array, Array]:
    image = _read_linear(Path(path))
    if image.shape[1] > _COLUMNS:
        rows = max(image.shape[0] * _COLUMNS // image.shape[1], 1)
        image = np.asarray(cv2.resize(image, (_COLUMNS, rows), interpolation=cv2.INTER_AREA), np.float32)
    rows, columns = image.shape[:2]
    latitude = np.pi * (0.5 - (np.arange(rows) + 0.5) / rows)
    longitude = 2 * np.pi * (0.5 - (np.arange(columns) + 0.5) / columns)
    weight = np.cos(latitude)[:, None] * np.ones(columns)
    weight /= weight.sum()
    mean = np.einsum("hw,hwc->c", weight, image)
    light = weight * image.mean(axis=2)
    towards = np.stack(
        [np.cos(latitude)[:, None] * np.cos(longitude), np.cos(latitude)[:, None] * np.sin(longitude),
         np.sin(latitude)[:, None] * np.ones(columns)], axis=-1,
    )  # fmt: skip
    total = light.sum()
    lean = np.einsum("hw,hwc->c", light, towards) / total if total > 0 else np.zeros(3)
    return image, mean, lean


def _read_linear(path: Path) -> NDArray[np.float32]:
    if path.suffix.lower() not in (".exr", ".hdr"):
        return to_linear(read_image(path) / 255.0).astype(np.float32)
    if not path.is_file():
        raise CadsightError(f"the environment {path} does not exist, expected an HDR, EXR or other image")
    try:
        colours = _read_exr(path) if path.suffix.lower() == ".exr" else _read_hdr(path)
    except (cv2.error, RuntimeError) as error:
        raise CadsightError(f"the environment {path} could not be read, expected a whole HDR or EXR image") from error
    return np.nan_to_num(colours, nan=0.0, posinf=65504.0, neginf=0.0)


def _read_hdr(path: Path) -> NDArray[np.float32]:
    image: Any = cv2.imread(str(path), cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.float32)


def _read_exr(path: Path) -> NDArray[np.float32]:
    """By OpenEXR's own library: OpenCV does not know the compression of Blender's environments.

    An image of luminance alone is grey.
    """
    with OpenEXR.File(str(path)) as file:
        channels = file.channels()
        name = next((n for n in ("RGB", "RGBA") if n in channels), None)
        if name is not None:
            return np.asarray(channels[name].pixels[..., :3], np.float32)
        if "Y" in channels and not {"RY", "BY"} & set(channels):
            return np.repeat(np.asarray(channels["Y"].pixels, np.float32)[..., None], 3, axis=2)
        raise CadsightError(f"the environment {path} has the channels {', '.join(sorted(channels))}, expected RGB or Y")


@lru_cache(maxsize=16)
def _fitted(path: str, size: ImageSize) -> Rgb:
    """The photograph scaled until it covers ``size``, its middle cut out."""
    photograph = read_image(path)
    height, width = photograph.shape[:2]
    scale = max(size.width / width, size.height / height)
    shape = max(round(width * scale), size.width), max(round(height * scale), size.height)
    scaled = cv2.resize(photograph, shape, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    x, y = (shape[0] - size.width) // 2, (shape[1] - size.height) // 2
    return np.ascontiguousarray(scaled[y : y + size.height, x : x + size.width], np.uint8)


def _flat(colour: Any, size: ImageSize) -> Rgb:
    return np.tile(_bytes(np.asarray(colour)), (size.height, size.width, 1))


def _bytes(linear: Array) -> Rgb:
    return np.round(to_display(linear) * 255).astype(np.uint8)
