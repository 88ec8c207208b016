"""Images and meshes out of formulas and seeds, so that there is something to draw from without a download."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import trimesh
from cadsight_core.imaging.images import Rgb
from cadsight_core.parts.mesh import Mesh
from numpy.random import Generator
from numpy.typing import NDArray

Grey = NDArray[np.floating[Any]]

TEXTURES = ("cloudy", "speckled", "brushed", "striped", "checked", "veined", "patched", "spotted")
ENVIRONMENTS = ("overcast", "window", "hall", "evening")
PHOTOGRAPH_SIZE = (1280, 960)


def noise(rng: Generator, width: int, height: int, coarsest: int = 4, octaves: int = 6, fade: float = 0.55) -> Grey:
    """Smooth noise (height, width) from 0 to 1: octaves of random grids, each twice as fine and ``fade`` as strong."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        cells = coarsest * 2**octave
        grid = rng.uniform(size=(max(2, cells * height // width), cells)).astype(np.float32)
        total += fade**octave * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    low, high = total.min(), total.max()
    return (total - low) / (high - low)


def texture(kind: str, seed: int, size: int = 512) -> Rgb:
    """A square texture (size, size, 3) of one of ``TEXTURES``."""
    rng = np.random.default_rng([seed, TEXTURES.index(kind)])
    first, second = _colour(rng), _colour(rng)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    shapes: dict[str, Callable[[], Any]] = {
        "cloudy": lambda: noise(rng, size, size),
        "speckled": lambda: np.clip(0.5 + 0.25 * rng.normal(size=(size, size)), 0, 1).astype(np.float32),
        "brushed": lambda: cv2.blur(rng.uniform(size=(size, size)).astype(np.float32), (size // 4, 1)) * 3 - 1,
        "striped": lambda: (np.sin(2 * np.pi * rng.uniform(4, 20) * (x + rng.uniform(-1, 1) * y)) > 0).astype(
            np.float32
        ),
        "checked": lambda: ((np.floor(x * 8) + np.floor(y * 8)) % 2).astype(np.float32),
        "veined": lambda: np.abs(np.sin(12 * x + 10 * noise(rng, size, size))).astype(np.float32),
        "patched": lambda: np.round(noise(rng, size, size, octaves=3) * 4) / 4,
        "spotted": lambda: (noise(rng, size, size, coarsest=16, octaves=1) > 0.6).astype(np.float32),
    }
    blend = np.clip(shapes[kind](), 0, 1)[..., None]
    image = first + blend * (second - first) + 0.06 * (noise(rng, size, size)[..., None] - 0.5)
    return _bytes(image)


def background(seed: int) -> Rgb:
    """An image (960, 1280, 3) of soft colour, edges and clutter, as a photograph out of focus has them."""
    rng = np.random.default_rng([seed, 0xBAC])
    width, height = PHOTOGRAPH_SIZE
    channels = [noise(rng, width, height, coarsest=int(rng.integers(2, 6)), fade=0.6) for _ in range(3)]
    grey = np.mean(channels, axis=0)[..., None]
    vivid = float(rng.uniform(0.0, 0.7))
    image = (grey + vivid * (np.dstack(channels) - grey)) * rng.uniform(0.7, 1.0, 3) + rng.uniform(-0.2, 0.2)
    for _ in range(int(rng.integers(5, 25))):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        colour = tuple(map(float, _colour(rng)))
        layer = image.copy()
        if rng.uniform() < 0.5:
            corners = cv2.boxPoints((centre, tuple(rng.uniform(30, 400, 2)), float(rng.uniform(0, 180))))
            cv2.fillConvexPoly(layer, np.round(corners).astype(np.int32), colour)
        else:
            cv2.circle(layer, centre, int(rng.integers(15, 160)), colour, -1)
        image = cv2.addWeighted(image, 0.35, layer, 0.65, 0)
    return _bytes(cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.5, 4))))


def environment(kind: str, width: int = 512) -> NDArray[np.float32]:
    """Radiance (width / 2, width, 3) over longitude and latitude, zenith on top, of one of ``ENVIRONMENTS``."""
    rng = np.random.default_rng([0xE4, ENVIRONMENTS.index(kind)])
    height = width // 2
    elevation = (90 - 180 * (np.arange(height) + 0.5) / height)[:, None]
    azimuth = (180 - 360 * (np.arange(width) + 0.5) / width)[None, :]
    up = np.clip(elevation / 90, 0, 1)
    sky = {
        "overcast": (0.9, 0.95, 1.0),
        "window": (0.3, 0.3, 0.32),
        "hall": (0.4, 0.4, 0.4),
        "evening": (0.35, 0.3, 0.4),
    }
    radiance = np.array(sky[kind]) * (0.6 + 0.6 * up[..., None]) * (0.8 + 0.4 * noise(rng, width, height)[..., None])
    radiance[np.broadcast_to(elevation < 0, (height, width))] *= (0.5, 0.45, 0.4)
    lamps = {
        "overcast": [],
        "window": [(60, 20, 30, 25, (6.0, 6.6, 7.5))],
        "hall": [(a, 60, 8, 5, (11.0, 10.5, 9.5)) for a in (-150, -90, -30, 30, 90, 150)],
        "evening": [(-20, 8, 6, 5, (60.0, 34.0, 16.0))],
    }[kind]
    for middle, above, wide, high, colour in lamps:
        aside = (azimuth - middle + 180) % 360 - 180
        shape = np.exp(-((aside / wide) ** 4) - ((elevation - above) / high) ** 4)
        radiance = radiance + shape[..., None] * np.array(colour)
    return radiance.astype(np.float32)


def distractors() -> dict[str, Mesh]:
    """Simple things, each about 0.1 m across."""
    make = trimesh.creation
    foot, wall = make.box((0.06, 0.07, 0.012)), make.box((0.012, 0.07, 0.05))
    wall.apply_translation((-0.024, 0, 0.019))
    meshes = {
        "block": make.box((0.08, 0.05, 0.03)),
        "plate": make.box((0.09, 0.06, 0.004)),
        "rod": make.cylinder(0.012, 0.1, sections=48),
        "disc": make.cylinder(0.045, 0.012, sections=64),
        "ring": make.annulus(0.025, 0.045, 0.015, sections=64),
        "tube": make.annulus(0.016, 0.02, 0.09, sections=64),
        "cone": make.cone(0.035, 0.08, sections=64),
        "ball": make.icosphere(subdivisions=4, radius=0.045),
        "capsule": make.capsule(0.06, 0.02, count=(32, 32)),
        "torus": make.torus(0.035, 0.012, major_sections=64, minor_sections=32),
        "angle": trimesh.boolean.union([foot, wall], engine="manifold"),
        "nut": make.annulus(0.022, 0.045, 0.03, sections=6),
    }
    return {name: Mesh(np.asarray(m.vertices, float), np.asarray(m.faces, np.int64)) for name, m in meshes.items()}


def _colour(rng: Generator) -> NDArray[np.float64]:
    """Mostly muted, sometimes bright, as materials are."""
    grey = rng.uniform(0.1, 0.9)
    return np.clip(grey + rng.uniform(-1, 1, 3) * rng.choice([0.06, 0.4]), 0, 1)


def _bytes(image: NDArray[np.floating]) -> Rgb:
    return np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
