"""Drawn solids: pictures of machined-looking bodies that no part of a user resembles by design.

A base checkpoint learns from them what edges, faces and shading look like, with no picture of anybody's. Flat
shading and the painter's algorithm: poor pictures, and a thousand of them in seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import trimesh
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.geometry import Array, Pose, unit
from cadsight_core.images import Rgb
from cadsight_core.mesh import Mesh
from cadsight_core.sample import Instance
from scipy.spatial.transform import Rotation

KINDS = ("block", "rod", "cone", "ball", "ring", "tube", "angle", "channel", "tee", "plate", "star", "stair")


@dataclass(frozen=True, eq=False)
class Drawing:
    """A picture (H, W, 3) and what is on it, with masks of what can be seen and poses."""

    image: Rgb
    instances: tuple[Instance, ...]


def solid(kind: str, rng: np.random.Generator) -> Mesh:
    """A body of ``kind`` with random proportions, about 0.1 m across, centred on its box."""
    body = _body(kind, rng)
    body.apply_translation(-body.bounds.mean(axis=0))
    body.apply_scale(0.1 / np.linalg.norm(body.extents))
    return Mesh(np.array(body.vertices), np.array(body.faces))


def draw(
    bodies: Sequence[tuple[int, Mesh]],
    poses: Sequence[Pose],
    camera: Camera,
    background: Rgb,
    rng: np.random.Generator,
    colours: Sequence[Array] | None = None,
    minimum_visible: float = 0.35,
) -> Drawing:
    """Bodies (class id and mesh) at ``camera_from_part`` poses over a background, the far ones first.

    A body of which less than ``minimum_visible`` of its silhouette shows is drawn and not labelled.
    """
    image = background.copy()
    owner = np.full(image.shape[:2], -1, np.int16)
    light = unit(rng.normal(size=3) * (1, 1, 0.4) + (0, 0, -1.2))
    ambient = rng.uniform(0.25, 0.6)
    whole: dict[int, int] = {}
    for index in sorted(range(len(bodies)), key=lambda i: -poses[i].translation[2]):
        colour = colours[index] if colours is not None else rng.uniform(20, 255, 3)
        _paint(image, owner, index, bodies[index][1], poses[index], camera, colour, light, ambient)
        whole[index] = int((owner == index).sum())
    instances = []
    for index, (class_id, _) in enumerate(bodies):
        mask = owner == index
        box = Box.from_mask(mask)
        if box is None or mask.sum() < minimum_visible * whole[index] or min(box.width, box.height) < 6:
            continue
        instances.append(Instance(class_id, box, mask, poses[index], source="render"))
    return Drawing(image, tuple(instances))


def random_scene(camera: Camera, rng: np.random.Generator, most: int = 5) -> Drawing:
    """One to ``most`` random solids at random poses over a random background."""
    count = int(rng.integers(1, most + 1))
    kinds = rng.integers(len(KINDS), size=count)
    bodies = [(int(k), solid(KINDS[k], rng)) for k in kinds]
    poses = []
    for _ in bodies:
        # A body 0.1 m across at z spans fx * 0.1 / z pixels: between a twentieth and half of the picture.
        z = camera.fx * 0.1 / (camera.size.width * rng.uniform(0.05, 0.45))
        pixel = rng.uniform(0.05, 0.95, 2) * (camera.size.width, camera.size.height)
        ray = camera.rays(pixel[None])[0]
        poses.append(Pose(Rotation.random(random_state=rng).as_matrix(), ray / ray[2] * z))
    return draw(bodies, poses, camera, random_background(camera.size, rng), rng)


def random_background(size: ImageSize, rng: np.random.Generator) -> Rgb:
    """A plain, graded, mottled or cluttered background."""
    w, h = size.width, size.height
    corners = rng.uniform(0, 255, (2, 2, 3)).astype(np.float32)
    if rng.random() < 0.5:
        corners = corners.mean(axis=(0, 1), keepdims=True) + rng.normal(0, 12, (2, 2, 3)).astype(np.float32)
    if rng.random() < 0.3:
        corners = 215 + rng.normal(0, 15, (2, 2, 3)).astype(np.float32)
    image: Array = np.asarray(cv2.resize(corners, (w, h), interpolation=cv2.INTER_LINEAR), float)
    if rng.random() < 0.6:
        cells = int(rng.integers(4, 60))
        mottle = rng.normal(0, rng.uniform(3, 30), (cells, cells, 1 if rng.random() < 0.5 else 3)).astype(np.float32)
        wide = np.asarray(cv2.resize(mottle, (w, h), interpolation=cv2.INTER_CUBIC), float)
        image = image + (wide[..., None] if wide.ndim == 2 else wide)
    picture: Rgb = np.clip(image, 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(0, 14)) if rng.random() < 0.7 else 0):
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        corners_of_it = rng.normal(0, w * 0.12, (int(rng.integers(3, 6)), 2))
        points = (rng.uniform(-0.1, 1.1, 2) * (w, h) + corners_of_it).astype(np.int32)
        if rng.random() < 0.5:
            cv2.fillPoly(picture, [points], colour, cv2.LINE_AA)
        else:
            cv2.polylines(picture, [points], False, colour, int(rng.integers(1, 9)), cv2.LINE_AA)
    return picture


def _paint(
    image: Rgb,
    owner: np.ndarray,
    index: int,
    mesh: Mesh,
    pose: Pose,
    camera: Camera,
    colour: Array,
    light: Array,
    ambient: float,
) -> None:
    """Faces of one body, far to near, shaded by their normal."""
    vertices = pose.apply(mesh.vertices)
    pixels = camera.project(vertices)
    corners = vertices[mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    centres = corners.mean(axis=1)
    triangles = pixels[mesh.faces]
    shown = np.einsum("ij,ij->i", normals, centres) < 0
    shown &= np.isfinite(triangles).all(axis=(1, 2)) & (np.abs(triangles).max(axis=(1, 2)) < 8000)
    shade = ambient + (1 - ambient) * np.clip(normals @ light, 0, None)
    shine = np.clip(-normals[:, 2], 0, None) ** 12 * 40
    values = np.clip(shade[:, None] * colour + shine[:, None], 0, 255).tolist()
    points = np.round(np.nan_to_num(triangles) * 16).astype(np.int32)
    order = np.argsort(-centres[:, 2])
    for face in order[shown[order]]:
        cv2.fillConvexPoly(image, points[face], values[face], cv2.LINE_AA, 4)
        cv2.fillConvexPoly(owner, points[face], index, cv2.LINE_8, 4)


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
