"""A part drawn in orange on white, and sessions of such images, that need no cell."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from cadsight_core.camera import Camera
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.geometry import Pose
from cadsight_core.parts.mesh import Mesh
from cadsight_core.parts.part import Part
from cadsight_core.parts.silhouette import silhouette
from cadsight_core.sample import Sample

ORANGE, WHITE = (220, 120, 30), (235, 235, 235)
MOUNT = Pose.from_rotvec((0.0, 0.0, 0.3), (0.0, 0.0, 0.05))
# The camera looks straight down on the base's origin from a metre above it.
BASE_FROM_CAMERA = Pose(np.diag([1.0, -1.0, -1.0]), np.array([0.0, 0.0, 1.0]))


def draw(mesh: Mesh, camera_from_part: Pose, camera: Camera, seed: int = 0) -> np.ndarray:
    """The part in orange on white, with sensor noise."""
    mask = silhouette(mesh, camera_from_part, camera)
    image = np.where(mask[..., None], ORANGE, WHITE) + np.random.default_rng(seed).normal(0, 4, (*mask.shape, 3))
    return image.clip(0, 255).astype(np.uint8)


def base_from_tool(joints: Mapping[str, float]) -> Pose:
    """An arm of six joints: three that shift the tool and three that turn it."""
    return Pose.from_rotvec([joints[k] for k in ("a", "b", "c")], [joints[k] for k in ("x", "y", "z")])


def some_joints(rng: np.random.Generator) -> dict[str, float]:
    turns = rng.uniform(-0.4, 0.4, 3) * (1, 1, 6)
    shifts = rng.uniform((-0.2, -0.15, 0.3), (0.2, 0.15, 0.5))
    return dict(zip("abcxyz", (*turns.tolist(), *shifts.tolist()), strict=True))


def session(folder: Path, part: Part, mesh: Mesh, camera: Camera, count: int, error: Pose, seed: int = 0) -> Dataset:
    """A raw session; ``error`` is the true optical frame in the calibrated one."""
    raw = Dataset.create(folder / "raw", (part.name,))
    rng = np.random.default_rng(seed)
    for i in range(count):
        joints = some_joints(rng)
        pose = (BASE_FROM_CAMERA @ error).inverse() @ base_from_tool(joints) @ MOUNT
        record = {
            "session": "drawn",
            "seed": seed,
            "joints": joints,
            "base_from_camera": BASE_FROM_CAMERA.to_json(),
            "base_from_tool": base_from_tool(joints).to_json(),
        }
        raw.append(
            Sample(f"{i:06d}", Path(), camera.size, camera, record=record), draw(mesh, pose, camera, seed=seed + i)
        )
    return raw
