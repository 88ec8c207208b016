"""More images out of those that are there, with everything known of them following (Rudenko, section 5).

OpenCV does the pixels. One affine map does all that moves them, so that an image is sampled once and its camera,
normals and points follow the very same numbers (see :mod:`cadsight_synthesis.image_ops.affine`).
"""

import hashlib
import math
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from cadsight_core.camera import ImageSize
from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import CadsightError
from cadsight_core.formats.reading.key_points import Order
from cadsight_core.geometry import Array
from cadsight_core.imaging.images import Rgb
from cadsight_core.sample import Sample

from cadsight_synthesis.image_ops.affine import NO_ORDERS, ImageMap

_NORMAL = statistics.NormalDist()
# The normal distribution's 256 quantiles around 128, as wide as bytes can be: noise of good shape out of random bytes,
# ten times faster than drawing it.
_NOISE_DEVIATION = 127 / _NORMAL.inv_cdf(255.5 / 256)
_NOISE = np.array([round(128 + _NOISE_DEVIATION * _NORMAL.inv_cdf((k + 0.5) / 256)) for k in range(256)], np.uint8)


@dataclass(frozen=True)
class AugmentationParameters:
    """How far a copy may be from its image. A limit of 0 (1 for factors) leaves a step out."""

    probability: float = parameter(
        0.7, "probability of each step, but for the flips", minimum=0.0, maximum=1.0, earlier="chance"
    )
    flip_horizontal: float = parameter(0.5, "probability of left and right changing places", minimum=0.0, maximum=1.0)
    flip_vertical: float = parameter(0.0, "probability of top and bottom changing places", minimum=0.0, maximum=1.0)
    rotation_deg: float = parameter(15.0, "largest rotation to either side, in degrees", minimum=0.0, maximum=180.0)
    zoom: float = parameter(1.2, "largest factor of zooming in or out at the same size", minimum=1.0, maximum=10.0)
    shift: float = parameter(0.1, "largest shift, as a fraction of each side", minimum=0.0, maximum=0.9)
    crop: float = parameter(0.2, "largest fraction of each side that is cropped away", minimum=0.0, maximum=0.9)
    keep_size: bool = parameter(True, "crops are enlarged to the image's size")
    scale: float = parameter(1.0, "largest factor by which both sides change", minimum=1.0, maximum=8.0)
    stretch: float = parameter(
        1.0, "largest factor between width and height; without a known camera normals are dropped",
        minimum=1.0, maximum=4.0,
    )  # fmt: skip
    shear_deg: float = parameter(0.0, "largest shear in degrees; it drops normals", minimum=0.0, maximum=60.0)
    brightness: float = parameter(0.2, "largest change of brightness, 1 being white", minimum=0.0, maximum=1.0)
    contrast: float = parameter(1.3, "largest factor of contrast up or down", minimum=1.0, maximum=10.0)
    hue_deg: float = parameter(8.0, "largest change of hue in degrees", minimum=0.0, maximum=180.0)
    saturation: float = parameter(1.3, "largest factor of saturation up or down", minimum=1.0, maximum=10.0)
    blur_px: float = parameter(1.5, "largest standard deviation of a Gaussian blur", minimum=0.0, maximum=50.0)
    noise: float = parameter(6.0, "largest standard deviation of noise, of 255", minimum=0.0, maximum=100.0)
    border: Literal["mean", "edge", "black"] = parameter(
        "mean", "what lies beyond the image: its border's mean colour, its border, or black"
    )
    min_visible: float = parameter(
        0.2, "smallest fraction of an instance left in view that keeps its label", minimum=0.0, maximum=1.0
    )
    seed: int = parameter(0, "seed of the whole set", minimum=0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Steps:
    """What is done to one image; the defaults do nothing.

    Attributes:
        crop: x, y, width and height of the window as fractions of the image's sides.
        shift: in fractions of the sides.
        zoom: at the same size; ``scale``, ``stretch`` and the crop (unless ``keep_size``) change the size.
        stretch: width by height.
        noise_seed: of the noise's pixels.
    """

    flip_horizontal: bool = False
    flip_vertical: bool = False
    rotation_deg: float = 0.0
    zoom: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)
    crop: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    keep_size: bool = True
    scale: float = 1.0
    stretch: float = 1.0
    shear_deg: float = 0.0
    brightness: float = 0.0
    contrast: float = 1.0
    hue_deg: float = 0.0
    saturation: float = 1.0
    blur_px: float = 0.0
    noise: float = 0.0
    noise_seed: int = 0
    border: Literal["mean", "edge", "black"] = "mean"
    min_visible: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """What differs from doing nothing."""
        plain = Steps()
        return {k: list(v) if isinstance(v, tuple) else v for k, v in vars(self).items() if v != getattr(plain, k)}


def sample_steps(p: AugmentationParameters, seed: int) -> Steps:
    """The steps that a seed stands for."""
    sampler = _Sampler(p.probability, np.random.default_rng(seed))
    side = 1 - sampler.upto(p.crop)
    x, y = (float(v) for v in sampler.rng.uniform(0, 1, 2) * (1 - side))
    return Steps(
        flip_horizontal=bool(sampler.rng.random() < p.flip_horizontal),
        flip_vertical=bool(sampler.rng.random() < p.flip_vertical),
        rotation_deg=sampler.around(p.rotation_deg),
        zoom=sampler.factor(p.zoom),
        shift=(sampler.around(p.shift), sampler.around(p.shift)),
        crop=(x, y, side, side),
        keep_size=p.keep_size,
        scale=sampler.factor(p.scale),
        stretch=sampler.factor(p.stretch),
        shear_deg=sampler.around(p.shear_deg),
        brightness=sampler.around(p.brightness),
        contrast=sampler.factor(p.contrast),
        hue_deg=sampler.around(p.hue_deg),
        saturation=sampler.factor(p.saturation),
        blur_px=sampler.upto(p.blur_px),
        noise=sampler.upto(p.noise),
        noise_seed=int(sampler.rng.integers(2**32)),
        border=p.border,
        min_visible=p.min_visible,
    )


def augment(
    sample: Sample,
    image: Rgb,
    parameters: AugmentationParameters,
    seed: int,
    name: str | None = None,
    orders: Mapping[int, Order] = NO_ORDERS,
) -> tuple[Sample, Rgb]:
    """A changed copy of an image (H, W, 3) and its labels; the same seed gives the same copy.

    ``orders`` are the key points' in a mirror (see :mod:`cadsight_core.formats.reading.key_points`). ``record`` holds
    the steps and seed, and under ``source`` what made the image.

    Raises:
        CadsightError: when the image has another size than the sample says.
    """
    steps = sample_steps(parameters, seed)
    copy, changed = apply_steps(sample, image, steps, orders)
    record = {"augmentation": {"seed": seed, **steps.to_json()}, "source": {"name": sample.name, **sample.record}}
    name = name or f"{sample.name}-{seed}"
    return replace(copy, name=name, image=Path(f"{name}.png"), record=record), changed


def copy_seed(seed: int, name: str, copy: int) -> int:
    """The seed of one copy of the image called ``name``: images that come or go leave it as it is."""
    digest = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")
    return int(np.random.SeedSequence([seed, digest, copy]).generate_state(1)[0])


def apply_steps(
    sample: Sample, image: Rgb, steps: Steps, orders: Mapping[int, Order] = NO_ORDERS
) -> tuple[Sample, Rgb]:
    """The image (H, W, 3) and its labels after ``steps``; see :meth:`ImageMap.instance` for what follows how.

    Raises:
        CadsightError: when the image has another size than the sample says.
    """
    if image.shape[:2] != (sample.size.height, sample.size.width):
        raise CadsightError(
            f"the image of {sample.name!r} is {image.shape[1]} x {image.shape[0]} pixels, expected "
            f"{sample.size.width} x {sample.size.height}"
        )
    moved = image_map(sample, steps)
    instances = [moved.instance(i, sample.size, steps.min_visible, orders) for i in sample.instances]
    pixels = image
    if moved.size != sample.size or not np.array_equal(moved.matrix, np.eye(3)):
        pixels = moved.image(image, _border(image, steps.border))
    copy = replace(sample, size=moved.size, camera=moved.camera, instances=tuple(i for i in instances if i is not None))
    return copy, recoloured(pixels, steps)


def image_map(sample: Sample, steps: Steps) -> ImageMap:
    """The one map of all steps that move pixels: first those around the image's middle, last the crop."""
    size, camera = sample.size, sample.camera
    # Rotated along the rays where the camera is known: with unlike focal lengths a circle is an ellipse of pixels.
    aspect = np.diag([camera.fx / camera.fy, 1.0]) if camera is not None else np.eye(2)
    linear = aspect @ _rotation(steps.rotation_deg) @ np.linalg.inv(aspect) * steps.zoom
    linear = np.array([[1.0, math.tan(math.radians(steps.shear_deg))], [0.0, 1.0]]) @ linear
    linear = np.diag([-1.0 if steps.flip_horizontal else 1.0, -1.0 if steps.flip_vertical else 1.0]) @ linear
    middle = (np.array([size.width, size.height]) - 1) / 2
    matrix = _affine(linear, middle + np.multiply(steps.shift, (size.width, size.height)) - linear @ middle)
    x, y, width, height = np.array(steps.crop) * np.tile((size.width, size.height), 2)
    if not steps.keep_size:  # whole pixels, which stay as they are
        width, height = (float(max(round(v), 1)) for v in (width, height))
        x, y = (float(min(round(v), most)) for v, most in ((x, size.width - width), (y, size.height - height)))
    matrix = _affine(np.eye(2), np.array([-x, -y])) @ matrix
    window = np.array([width, height])
    target = np.array([size.width, size.height], float) if steps.keep_size else window
    target = target * steps.scale * (math.sqrt(steps.stretch), 1 / math.sqrt(steps.stretch))
    pixels = np.maximum(np.round(target), 1)
    # The same factor for both sides, unless a stretch is wanted: rounding must not make a scale one.
    factor = target / window
    matrix = _affine(np.diag(factor), (factor - 1) / 2 + (pixels - target) / 2) @ matrix
    return ImageMap.of(matrix, ImageSize(int(pixels[0]), int(pixels[1])), camera)


def recoloured(image: Rgb, steps: Steps) -> Rgb:
    """The image (H, W, 3) after all steps that leave its pixels where they are."""
    pixels: np.ndarray = image
    colours = _colour_matrix(steps)
    if not np.array_equal(colours, np.eye(3, 4)):
        pixels = cv2.transform(pixels, colours)
    if steps.blur_px > 0:
        pixels = cv2.GaussianBlur(pixels, (0, 0), steps.blur_px)
    rounded = np.asarray(pixels, np.uint8)
    return noisy(rounded, steps.noise, steps.noise_seed) if steps.noise > 0 else rounded


def noisy(image: Rgb, deviation: float, seed: int) -> Rgb:
    """The image with Gaussian noise of a standard deviation in steps of 255, independent in each channel."""
    random_bytes = np.random.Generator(np.random.SFC64(seed)).bytes(image.size)
    noise = cv2.LUT(np.frombuffer(random_bytes, np.uint8).reshape(image.shape), _NOISE)
    weight = deviation / _NOISE_DEVIATION
    return np.asarray(cv2.addWeighted(image, 1.0, noise, weight, -128 * weight), np.uint8)


@dataclass(frozen=True)
class _Sampler:
    probability: float
    rng: np.random.Generator = field(compare=False)

    def _sampled(self, value: Callable[[], float], otherwise: float) -> float:
        # Always two numbers: a limit that is changed leaves the other steps as they were.
        applied, sampled = self.rng.random() < self.probability, float(value())
        return sampled if applied else otherwise

    def upto(self, limit: float) -> float:
        return self._sampled(lambda: self.rng.uniform(0, limit), 0.0)

    def around(self, limit: float) -> float:
        return self._sampled(lambda: self.rng.uniform(-limit, limit), 0.0)

    def factor(self, limit: float) -> float:
        return self._sampled(lambda: math.exp(self.rng.uniform(-1, 1) * math.log(limit)), 1.0)


def _rotation(degrees: float) -> Array:
    """Clockwise as one sees it, for y points down; quarter turns exact."""
    quarter = degrees / 90
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    if quarter == round(quarter):
        sine, cosine = round(sine), round(cosine)
    return np.array([[cosine, -sine], [sine, cosine]], float)


def _colour_matrix(steps: Steps) -> Array:
    """(3, 4) of all changes of colour: about the grey axis, along it and away from it."""
    grey = np.full((3, 3), 1 / 3)
    angle = math.radians(steps.hue_deg)
    cross = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    turn = np.eye(3) * math.cos(angle) + cross * math.sin(angle) + grey * (1 - math.cos(angle))
    linear = steps.contrast * (steps.saturation * turn + (1 - steps.saturation) * grey)
    offset = 127.5 * (1 - steps.contrast) + 255 * steps.brightness
    return np.column_stack([linear, np.full(3, offset)])


def _affine(linear: Array, offset: Array) -> Array:
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = linear, offset
    return matrix


def _border(image: Rgb, kind: str) -> tuple[float, float, float] | None:
    if kind == "edge":
        return None
    if kind == "black":
        return (0.0, 0.0, 0.0)
    rim = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    red, green, blue = rim.mean(axis=0).round().tolist()
    return red, green, blue
