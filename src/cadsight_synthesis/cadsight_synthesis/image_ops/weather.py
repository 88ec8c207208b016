"""Rain, snow, fog, darkness, glare and objects in front, over existing images (Rudenko, section 5).

Weather changes pixels alone; occluders also take from masks, contours and boxes what they hide.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from cadsight_core.config.parameters import check, parameter
from cadsight_core.imaging.images import Rgb
from cadsight_core.sample import Sample
from cadsight_core.shapes import Mask
from numpy.typing import ArrayLike, NDArray

from cadsight_synthesis.image_ops.augmentation import noisy
from cadsight_synthesis.image_ops.occlusion import uncovered

Light = NDArray[np.float32]

# cv2 takes coordinates in 1/16 pixel.
_SHIFT = 4
# Sizes of drops and flakes are given for an image of this height.
_HEIGHT = 480.0


@dataclass(frozen=True)
class WeatherParameters:
    """How often each kind of weather is chosen, and how heavy it is at most. Of rain and snow an image has one."""

    rain: float = parameter(0.3, "probability of rain", minimum=0.0, maximum=1.0)
    snow: float = parameter(0.3, "probability of snow, where it does not rain", minimum=0.0, maximum=1.0)
    fog: float = parameter(0.3, "probability of fog", minimum=0.0, maximum=1.0)
    darkness: float = parameter(0.3, "probability of darkness", minimum=0.0, maximum=1.0)
    glare: float = parameter(0.2, "probability of a light that shines into the lens", minimum=0.0, maximum=1.0)
    min_strength: float = parameter(0.3, "lightest weather of each kind", minimum=0.0, maximum=1.0)
    max_strength: float = parameter(1.0, "heaviest weather of each kind", minimum=0.0, maximum=1.0)
    max_occluders: int = parameter(3, "most objects in front of the scene", minimum=0, maximum=50)
    max_occluder_size: float = parameter(
        0.3, "largest size of an object in front, as a fraction of the image's height", minimum=0.01, maximum=1.0
    )
    min_visible: float = parameter(
        0.2, "smallest fraction of an instance left uncovered that keeps its label", minimum=0.0, maximum=1.0
    )

    def __post_init__(self) -> None:
        check(self)


def apply_weather(sample: Sample, image: Rgb, parameters: WeatherParameters, seed: int) -> tuple[Sample, Rgb]:
    """The image (H, W, 3) in other weather, and its labels; the same seed gives the same image.

    ``record["weather"]`` holds the seed, the strength of each kind and the number of occluders.
    """
    p = parameters
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(8)]
    choose, rest = streams[0], streams[1:]
    probabilities = {"rain": p.rain, "snow": p.snow, "fog": p.fog, "darkness": p.darkness, "glare": p.glare}
    low, high = sorted((p.min_strength, p.max_strength))
    # All numbers are sampled, used or not: one kind that is switched off leaves the others as they were.
    draws = {kind: (choose.random() < p, float(choose.uniform(low, high))) for kind, p in probabilities.items()}
    strengths = {kind: strength for kind, (present, strength) in draws.items() if present}
    if "rain" in strengths:
        strengths.pop("snow", None)
    pixels, cover = image, np.zeros(image.shape[:2], bool)
    count = int(choose.integers(0, p.max_occluders + 1))
    for _ in range(count):
        pixels, hidden = occluded(pixels, _target(sample, rest[0]), p.max_occluder_size, rest[0])
        cover |= hidden
    effects = {"fog": fogged, "rain": rained, "snow": snowed, "darkness": darkened, "glare": glared}
    for (kind, effect), rng in zip(effects.items(), rest[1:], strict=False):
        if kind in strengths:
            pixels = effect(pixels, strengths[kind], rng)
    instances = [uncovered(i, cover, p.min_visible) if count else i for i in sample.instances]
    entry: dict[str, Any] = {"seed": seed, **{k: round(v, 4) for k, v in strengths.items()}, "occluders": count}
    record = {**sample.record, "weather": entry}
    return replace(sample, instances=tuple(i for i in instances if i is not None), record=record), pixels


def rained(image: Rgb, strength: float, rng: np.random.Generator) -> Rgb:
    """Streaks of falling drops, far ones short and faint, near ones long and out of focus, under a duller light."""
    height, width = image.shape[:2]
    unit = height / _HEIGHT
    slope = math.radians(rng.uniform(-20, 20))
    veil = np.zeros((height, width), np.float32)
    for count, length, thickness, blur, brightness in (
        (700, 14, 1, 0.4, 0.22),
        (260, 28, 1, 0.6, 0.34),
        (40, 60, 2, 1.6, 0.40),
    ):
        layer = np.zeros((height, width), np.uint8)
        number = round(count * strength * width * height / (640 * 480 * unit**2))
        starts = rng.uniform((-0.1, -0.2), (1.1, 1.0), (number, 2)) * (width, height)
        lengths = length * unit * rng.uniform(0.6, 1.4, number)
        angles = slope + np.radians(rng.normal(0, 1.5, number))
        ends = starts + lengths[:, None] * np.stack([np.sin(angles), np.cos(angles)], axis=1)
        shades = rng.integers(110, 256, number)
        for start, end, shade in zip(_fixed(starts), _fixed(ends), shades.tolist(), strict=True):
            cv2.line(layer, start, end, shade, max(1, round(thickness * unit)), cv2.LINE_AA, _SHIFT)
        veil += cv2.GaussianBlur(layer, (0, 0), blur * max(unit, 0.5)).astype(np.float32) * (brightness / 255)
    dull = _dulled(image, 0.25 * strength, 1 - 0.2 * strength)
    return _toned(dull, veil, _sky(image, 235))


def snowed(image: Rgb, strength: float, rng: np.random.Generator) -> Rgb:
    """Flakes at three distances, moved by the wind, under a grey sky."""
    height, width = image.shape[:2]
    unit = height / _HEIGHT
    wind = rng.uniform(-2, 2)
    veil = np.zeros((height, width), np.float32)
    for count, radius, blur, brightness in ((1100, 0.9, 0.5, 0.75), (320, 1.9, 0.8, 0.9), (40, 4.5, 2.4, 0.8)):
        layer = np.zeros((height, width), np.uint8)
        number = round(count * strength * width * height / (640 * 480 * unit**2))
        centres = rng.uniform(-0.02, 1.02, (number, 2)) * (width, height)
        radii = np.maximum(radius * unit * rng.uniform(0.5, 1.5, number), 0.4)
        shades = rng.integers(140, 256, number)
        tails = centres + np.stack([wind * radii, 1.5 * radii], axis=1)
        for start, end, size, shade in zip(_fixed(centres), _fixed(tails), radii, shades.tolist(), strict=True):
            cv2.line(layer, start, end, shade, max(1, round(1.6 * size)), cv2.LINE_AA, _SHIFT)
        veil += cv2.GaussianBlur(layer, (0, 0), blur * max(unit, 0.5)).astype(np.float32) * (brightness / 255)
    return _toned(_dulled(image, 0.3 * strength, 1 - 0.25 * strength), veil, (248.0, 250.0, 252.0))


def fogged(image: Rgb, strength: float, rng: np.random.Generator) -> Rgb:
    """Uneven fog: colours are lost in its grey, farther up, where images show what is farther away, more so."""
    height, width = image.shape[:2]
    swaths = _smooth_noise(height, width, 5, rng)
    rise = np.linspace(1.15, 0.75, height, dtype=np.float32)[:, None]
    density = 0.65 * strength * rise * (0.75 + 0.5 * swaths)
    return _toned(image, density, _sky(image, 205))


def darkened(image: Rgb, strength: float, rng: np.random.Generator) -> Rgb:
    """Dusk to night: less light, bluer shadows, and the sensor's noise that comes with a raised gain."""
    gain = 1 - 0.75 * strength
    values = (np.arange(256) / 255) ** (1 + 0.25 * strength) * 255 * gain
    cast = 1 + 0.25 * strength * np.array([-0.5, -0.2, 0.5])
    table = (values[:, None] * cast).clip(0, 255).round().astype(np.uint8)
    return noisy(np.asarray(cv2.LUT(image, table[None]), np.uint8), 1 + 5 * strength, int(rng.integers(2**32)))


def glared(image: Rgb, strength: float, rng: np.random.Generator) -> Rgb:
    """A lamp or the sun in or near the image: its glow, its rays and ghosts of the lens opposite of it."""
    height, width = image.shape[:2]
    small = (max(width // 4, 1), max(height // 4, 1))
    middle = np.array(small) / 2
    lamp = rng.uniform(-0.1, 1.1, 2) * small
    x, y = np.meshgrid(*(np.arange(side, dtype=np.float32) - at for side, at in zip(small, lamp, strict=True)))
    distance = np.hypot(x, y) / small[1]
    glow = np.exp(-distance / 0.07) * 1.6 + np.exp(-distance / 0.35) * 0.55
    rays = 0.5 + 0.5 * np.cos(np.arctan2(y, x) * int(rng.integers(5, 9)) + rng.uniform(0, 6))
    glow = glow * (1 + 0.6 * rays**6 * np.exp(-distance / 0.3))
    warm = np.array([1.0, rng.uniform(0.88, 0.98), rng.uniform(0.7, 0.95)], np.float32)
    light = np.asarray(glow[..., None] * warm, np.float32)
    for along in rng.uniform(0.6, 2.2, int(rng.integers(2, 6))):
        ghost = np.zeros(small[::-1], np.float32)
        centre = _fixed([lamp + (middle - lamp) * along])[0]
        radius = round(float(rng.uniform(0.02, 0.12)) * small[1] * (1 << _SHIFT))
        cv2.circle(ghost, centre, radius, float(rng.uniform(0.06, 0.2)), -1, cv2.LINE_8, _SHIFT)
        spot = np.asarray(cv2.GaussianBlur(ghost, (0, 0), 0.8), np.float32)
        light += spot[..., None] * rng.uniform(0.4, 1, 3).astype(np.float32)
    light = np.clip(cv2.resize(light, (width, height)) * np.float32(strength), 0, 1)
    # Two lights that add up, as on a screen: never above white.
    return np.asarray(255 - (255 - image) * (1 - light), np.uint8)


def occluded(image: Rgb, centre: ArrayLike, max_size: float, rng: np.random.Generator) -> tuple[Rgb, Mask]:
    """The image (H, W, 3) with a beam, a plank or a lump near ``centre`` (x, y) in front, and the mask of it.

    ``max_size`` is a fraction of the image's height. Pixels more than half covered belong to the occluder.
    """
    height, width = image.shape[:2]
    size = float(rng.uniform(0.3, 1.0)) * max_size * height
    outline = _occluder_outline(size, rng) + np.asarray(centre, float)
    # Four samples a pixel along each axis, so that the edge is as soft as one of the camera's.
    low = np.clip(np.floor(outline.min(axis=0)).astype(int) - 2, 0, (width, height))
    high = np.clip(np.ceil(outline.max(axis=0)).astype(int) + 3, 0, (width, height))
    cover = np.zeros((height, width), bool)
    (x0, y0), (x1, y1) = low.tolist(), high.tolist()
    if x1 <= x0 or y1 <= y0:
        return image, cover
    fine = np.zeros(((y1 - y0) * 4, (x1 - x0) * 4), np.uint8)
    cv2.fillPoly(fine, [np.array(_fixed((outline - low + 0.5) * 4 - 0.5), np.int32)], 255, cv2.LINE_8, _SHIFT)
    alpha = cv2.resize(fine, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    colour = _surface_colour(image, rng)
    texture = 1 + 0.35 * (_smooth_noise(y1 - y0, x1 - x0, int(rng.integers(2, 12)), rng) - 0.5)
    left, right = rng.uniform(0.75, 1.15, 2).tolist()
    fall = np.linspace(left, right, x1 - x0, dtype=np.float32)
    occluder = noisy(
        (colour * (texture * fall)[..., None]).clip(0, 255).astype(np.uint8), 3.0, int(rng.integers(2**32))
    )
    canvas = image.copy()
    window = canvas[y0:y1, x0:x1]
    window[...] = (alpha[..., None] * occluder + (1 - alpha[..., None]) * window).round().astype(np.uint8)
    cover[y0:y1, x0:x1] = alpha > 0.5
    return canvas, cover


def _occluder_outline(size: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """The outline (N, 2) of a long beam, a rectangular plank or a rounded lump around (0, 0)."""
    kind = int(rng.integers(3))
    if kind < 2:
        across = size * (rng.uniform(0.08, 0.2) if kind == 0 else rng.uniform(0.4, 0.8))
        half = np.array([size * (3.0 if kind == 0 else 1.0), across]) / 2
        outline = half * [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    else:
        angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        waves = [rng.uniform(0, 0.25 / k) * np.cos(k * angles + rng.uniform(0, 6.3)) for k in range(2, 7)]
        outline = (size / 2 * (1 + np.sum(waves, axis=0))) * np.array([np.cos(angles), np.sin(angles)])
        outline = outline.T
    turn = rng.uniform(0, np.pi)
    return outline @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])


def _target(sample: Sample, rng: np.random.Generator) -> NDArray[np.float64]:
    """Where the next occluder lies: at the side of an instance or, as often, anywhere."""
    size = np.array([sample.size.width, sample.size.height])
    anywhere, side, near = rng.uniform(0, 1, 2) * size, rng.uniform(-0.7, 0.7, 2), rng.random() < 0.5
    number = int(rng.integers(1 << 30))
    if not sample.instances or not near:
        return np.asarray(anywhere)
    box = sample.instances[number % len(sample.instances)].box
    return np.asarray(box.centre) + side * (box.width, box.height)


def _surface_colour(image: Rgb, rng: np.random.Generator) -> NDArray[np.float32]:
    """A colour of the image itself, so that an occluder belongs to the scene, or a dull colour."""
    row, column = (int(rng.integers(side)) for side in image.shape[:2])
    if rng.random() < 0.5:
        return image[row, column].astype(np.float32) * np.float32(rng.uniform(0.6, 1.1))
    grey = rng.uniform(30, 200)
    return np.asarray(grey + rng.uniform(-25, 25, 3), np.float32)


def _smooth_noise(height: int, width: int, cells: int, rng: np.random.Generator) -> Light:
    """Values 0 to 1 (H, W) that change over about 1/``cells`` of the height."""
    across = max(2, round(cells * width / height))
    coarse = rng.random((cells + 1, across + 1), np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)).clip(0, 1)


def _sky(image: Rgb, brightness: float) -> tuple[float, ...]:
    """The light that hangs in the air: grey with a touch of the image's own colour."""
    mean = image.mean(axis=(0, 1))
    return tuple((brightness + 0.15 * (mean - mean.mean())).tolist())


def _dulled(image: Rgb, fraction: float, gain: float) -> Rgb:
    """Less contrast around the mean brightness."""
    mean = float(image.mean())
    table = ((np.arange(256) * (1 - fraction) + mean * fraction) * gain).clip(0, 255).round().astype(np.uint8)
    return np.asarray(cv2.LUT(image, table), np.uint8)


def _toned(image: Rgb, fraction: Light, colour: Sequence[float]) -> Rgb:
    """The image with ``fraction`` (H, W) of each pixel replaced by a colour."""
    alpha = np.clip(fraction, 0, 1)[..., None]
    return np.asarray((image + alpha * (np.array(colour, np.float32) - image)).round(), np.uint8)


def _fixed(points: Any) -> list[tuple[int, int]]:
    return [(x, y) for x, y in np.round(np.asarray(points) * (1 << _SHIFT)).astype(int).tolist()]
