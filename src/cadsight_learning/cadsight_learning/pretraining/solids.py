"""Drawn solids: images of machined-looking bodies that no part of a user resembles by design.

A base checkpoint learns from them what edges, faces and shading look like, with no image of anybody's. Flat
shading and the painter's algorithm: poor images, and a thousand of them in seconds.
"""

from collections.abc import Sequence
from typing import cast

import numpy as np
import trimesh
from cadsight_core.camera import Camera
from cadsight_core.geometry import Pose
from cadsight_core.parts.mesh import Mesh
from scipy.spatial.transform import Rotation

from cadsight_learning.data.painter import Drawing, draw, random_background

KINDS = ("block", "rod", "cone", "ball", "ring", "tube", "angle", "channel", "tee", "plate", "star", "stair")


def solid(kind: str, rng: np.random.Generator) -> Mesh:
    """A body of ``kind`` with random proportions, about 0.1 m across, centred on its box."""
    body = _body(kind, rng)
    body.apply_translation(-body.bounds.mean(axis=0))
    body.apply_scale(0.1 / np.linalg.norm(body.extents))
    return Mesh(np.array(body.vertices), np.array(body.faces))


def random_scene(camera: Camera, rng: np.random.Generator, most: int = 5) -> Drawing:
    """One to ``most`` random solids at random poses over a random background."""
    count = int(rng.integers(1, most + 1))
    kinds = rng.integers(len(KINDS), size=count)
    bodies = [(int(k), solid(KINDS[k], rng)) for k in kinds]
    poses = []
    for _ in bodies:
        # A body 0.1 m across at z spans fx * 0.1 / z pixels: between a twentieth and half of the image.
        z = camera.fx * 0.1 / (camera.size.width * rng.uniform(0.05, 0.45))
        pixel = rng.uniform(0.05, 0.95, 2) * (camera.size.width, camera.size.height)
        ray = camera.rays(pixel[None])[0]
        poses.append(Pose(Rotation.random(random_state=rng).as_matrix(), ray / ray[2] * z))
    return draw(bodies, poses, camera, random_background(camera.size, rng), rng)


def _body(kind: str, rng: np.random.Generator) -> trimesh.Trimesh:
    a, b, c = rng.uniform(0.3, 1.0, 3)
    t = rng.uniform(0.08, 0.25)
    creation = trimesh.creation
    if kind == "block":
        return creation.box((a, b, c))
    if kind == "rod":
        return creation.cylinder(a * 0.3, b * 1.5, sections=24)
    if kind == "cone":
        return creation.cone(a * 0.5, b, sections=24)
    if kind == "ball":
        return creation.icosphere(2, a)
    if kind == "ring":
        return creation.torus(a, a * t * 1.6, 24, 10)
    if kind == "tube":
        return creation.annulus(a * rng.uniform(0.5, 0.85), a, b, sections=24)
    if kind == "angle":
        return _stacked([(0, a, 0, t), (0, t, 0, b)], c)
    if kind == "channel":
        return _stacked([(0, a, 0, t), (0, t, 0, b), (a - t, a, 0, b)], c)
    if kind == "tee":
        return _stacked([(0, a, 0, t), (a / 2 - t / 2, a / 2 + t / 2, 0, b)], c)
    if kind == "stair":
        return _stacked([(0, a, 0, b / 3), (0, a * 2 / 3, b / 3, b * 2 / 3), (0, a / 3, b * 2 / 3, b)], c)
    if kind == "plate":
        return creation.box((a * 1.5, b * 1.5, t * 0.5))
    return _star(int(rng.integers(5, 12)), rng.uniform(0.5, 0.8), t * 3)


def _stacked(rectangles: Sequence[tuple[float, float, float, float]], depth: float) -> trimesh.Trimesh:
    """Blocks of one depth over rectangles (x0, x1, y0, y1); their inner faces stay and are drawn over."""
    blocks = [trimesh.creation.box(bounds=[(x0, y0, 0), (x1, y1, depth)]) for x0, x1, y0, y1 in rectangles]
    return cast(trimesh.Trimesh, trimesh.util.concatenate(blocks))


def _star(teeth: int, root: float, depth: float) -> trimesh.Trimesh:
    """A prism over a star, like a coarse gear."""
    n = 2 * teeth
    angles = np.arange(n) * 2 * np.pi / n
    radii = np.where(np.arange(n) % 2, 1.0, root)
    rim = np.column_stack([radii * np.cos(angles), radii * np.sin(angles)])
    vertices = np.concatenate([np.column_stack([np.vstack([rim, (0, 0)]), np.full(n + 1, z)]) for z in (0.0, depth)])
    i = np.arange(n)
    j, above = (i + 1) % n, n + 1
    hub = np.full(n, n)
    caps = np.concatenate([np.column_stack([j, i, hub]), np.column_stack([i, j, hub]) + above])
    sides = np.concatenate([np.column_stack([i, j, j + above]), np.column_stack([i, j + above, i + above])])
    return trimesh.Trimesh(vertices, np.concatenate([caps, sides]), process=False)
