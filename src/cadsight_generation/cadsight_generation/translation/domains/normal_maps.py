"""The surface normal of each pixel of a labelled part, drawn of its mesh."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from cadsight_core.camera import Camera
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.geometry import Pose
from cadsight_core.parts.mesh import Mesh
from cadsight_core.parts.part import load_part_mesh, load_parts
from cadsight_core.sample import Sample
from numpy.typing import NDArray

# Where a rendered set keeps the parts that are on it.
_PARTS = "parts"


def meshes_of(folder: str | Path) -> dict[int, Mesh]:
    """The mesh of each class id of the parts that a rendered set keeps; none where it keeps none.

    Raises:
        CadsightError: for a part or a mesh that cannot be read.
    """
    parts = Path(folder) / _PARTS
    if not Dataset.is_one(folder) or not parts.is_dir():
        return {}
    return {part.class_id: load_part_mesh(part) for part in load_parts(parts)}


def normal_map(sample: Sample, meshes: Mapping[int, Mesh]) -> NDArray[np.float32]:
    """(H, W, 3) unit normals in the camera's optical frame; 0 where none is known.

    Known are those of labels with a mask and a pose, of a class with a mesh, in an image with a camera.
    """
    found = np.zeros((sample.size.height, sample.size.width, 3), np.float32)
    for instance in sample.instances:
        mesh, pose = meshes.get(instance.class_id), instance.camera_from_part
        if mesh is None or pose is None or instance.mask is None or sample.camera is None:
            continue
        drawn = _drawn(mesh, pose, sample.camera)
        found[instance.mask] = drawn[instance.mask]
    return found


def _drawn(mesh: Mesh, camera_from_part: Pose, camera: Camera) -> NDArray[np.float32]:
    """Faces of one body, far to near, each filled with its normal."""
    canvas = np.zeros((camera.size.height, camera.size.width, 3), np.float32)
    vertices = camera_from_part.apply(mesh.vertices)
    corners, triangles = vertices[mesh.faces], camera.project(vertices)[mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    centres = corners.mean(axis=1)
    seen = np.einsum("ij,ij->i", normals, centres) < 0
    seen &= np.isfinite(triangles).all(axis=(1, 2)) & (np.abs(np.nan_to_num(triangles)).max(axis=(1, 2)) < 8000)
    points = np.round(np.nan_to_num(triangles)).astype(np.int32)
    order = np.argsort(-centres[:, 2])
    for face in order[seen[order]]:
        cv2.fillConvexPoly(canvas, points[face], normals[face].tolist(), cv2.LINE_8)
    return canvas
