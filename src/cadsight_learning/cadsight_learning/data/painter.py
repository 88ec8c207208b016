"""Bodies drawn flat, the far ones first: poor images, and a thousand of them in seconds."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.geometry import Array, Pose, unit
from cadsight_core.imaging.images import Rgb
from cadsight_core.parts.mesh import Mesh
from cadsight_core.sample import Instance


@dataclass(frozen=True, eq=False)
class Drawing:
    """An image (H, W, 3) and what is on it, with masks of what can be seen and poses."""

    image: Rgb
    instances: tuple[Instance, ...]


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
    painted: Rgb = np.clip(image, 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(0, 14)) if rng.random() < 0.7 else 0):
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        corners_of_it = rng.normal(0, w * 0.12, (int(rng.integers(3, 6)), 2))
        points = (rng.uniform(-0.1, 1.1, 2) * (w, h) + corners_of_it).astype(np.int32)
        if rng.random() < 0.5:
            cv2.fillPoly(painted, [points], colour, cv2.LINE_AA)
        else:
            cv2.polylines(painted, [points], False, colour, int(rng.integers(1, 9)), cv2.LINE_AA)
    return painted


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
    visible = np.einsum("ij,ij->i", normals, centres) < 0
    visible &= np.isfinite(triangles).all(axis=(1, 2)) & (np.abs(triangles).max(axis=(1, 2)) < 8000)
    shade = ambient + (1 - ambient) * np.clip(normals @ light, 0, None)
    shine = np.clip(-normals[:, 2], 0, None) ** 12 * 40
    values = np.clip(shade[:, None] * colour + shine[:, None], 0, 255).tolist()
    points = np.round(np.nan_to_num(triangles) * 16).astype(np.int32)
    order = np.argsort(-centres[:, 2])
    for face in order[visible[order]]:
        cv2.fillConvexPoly(image, points[face], values[face], cv2.LINE_AA, 4)
        cv2.fillConvexPoly(owner, points[face], index, cv2.LINE_8, 4)
