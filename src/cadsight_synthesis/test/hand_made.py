"""Scenes made by hand for tests: a bracket, a box and a table under a lamp."""

from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.geometry import Pose, unit
from cadsight_core.parts.mesh import Mesh
from cadsight_core.parts.part import Part, load_part, load_part_mesh
from cadsight_core.running.parallel import threads_each
from cadsight_synthesis.datasets.rendered import images_of, write_set
from cadsight_synthesis.recipes.base import Recipe
from cadsight_synthesis.rendering.engines import EngineName
from cadsight_synthesis.rendering.scene import Body, Environment, Lamp, Material, Scene, View

CAMERA = Camera(ImageSize(640, 480), 600.0, 600.0, 319.5, 239.5)
BENT = Camera(ImageSize(640, 480), 612.0, 600.0, 322.3, 237.1, (0.08, -0.05, 0.001, -0.0008, 0.0))
BRACKET = Path(__file__).parents[3] / "config/parts/bracket.yaml"
CARDBOARD = Material((0.35, 0.22, 0.1), roughness=0.9)


def bracket() -> Part:
    return load_part(BRACKET)


def rendered_set(
    recipe: Recipe, engine: EngineName, count: int, out: Path, *, workers: int = 1, cluster: str | None = None,
    progress: Any = None,
) -> Dataset:  # fmt: skip
    """The set as `cadsight synthesize` makes it."""
    images = images_of(recipe, engine, 0 if cluster else threads_each(workers))
    return write_set(images, count, out, workers=workers, cluster=cluster, progress=progress)


def ply(folder: Path, name: str, mesh: trimesh.Trimesh) -> Path:
    path = folder / f"{name}.ply"
    mesh.export(path)
    return path


def bracket_ply(folder: Path) -> Path:
    mesh = load_part_mesh(bracket())
    return ply(folder, "bracket", trimesh.Trimesh(mesh.vertices, mesh.faces, process=False))


def box_ply(folder: Path, name: str, *extents: float) -> Path:
    return ply(folder, name, trimesh.creation.box(extents))


def painted_plate() -> Mesh:
    """A plate of 0.2 x 0.1 m whose left half is red and whose right half is blue, in colours of its own."""
    plate = trimesh.creation.box((0.2, 0.1, 0.01)).subdivide().subdivide()
    left = np.repeat(plate.vertices[plate.faces].mean(axis=1)[:, 0] < 0, 3)
    colours = np.where(left[:, None], (255, 0, 0), (0, 0, 255)).astype(np.uint8)
    return Mesh(plate.vertices[plate.faces].reshape(-1, 3), np.arange(len(left)).reshape(-1, 3), colours=colours)


def looking(position: tuple[float, float, float], target: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Pose:
    """world_from_camera of a camera whose image's upper side is up."""
    ahead = unit(np.subtract(target, position))
    right = unit(np.cross(ahead, [0.0, 0.0, 1.0] if abs(ahead[2]) < 0.99 else [0.0, 1.0, 0.0]))
    return Pose(np.column_stack([right, np.cross(ahead, right), ahead]), np.asarray(position, float))


def table_scene(folder: Path, seed: int = 0, views: int = 1, camera: Camera = CAMERA, count: int = 3) -> Scene:
    """Brackets scattered over a table, with a cardboard block among them."""
    rng = np.random.default_rng(seed)
    part = bracket_ply(folder)
    bodies = [
        Body("table", box_ply(folder, "table", 1.6, 1.6, 0.02), Pose(np.eye(3), np.array([0.0, 0.0, -0.01])),
             Material((0.6, 0.6, 0.58))),
        Body("block", box_ply(folder, "block", 0.05, 0.05, 0.08), Pose(np.eye(3), np.array([0.06, 0.02, 0.04])),
             CARDBOARD),
    ]  # fmt: skip
    for i in range(count):
        turn = Pose.from_rotvec([0, 0, float(rng.uniform(-np.pi, np.pi))])
        position = np.array([0.11 * (i - (count - 1) / 2), float(rng.uniform(-0.05, 0.0)), 0.0])
        material = Material((0.85, 0.28, 0.03), roughness=0.4)
        bodies.append(Body(f"bracket {i}", part, Pose(turn.rotation, position), material, class_id=0))
    shots = []
    for _ in range(views):
        azimuth = rng.uniform(0, 2 * np.pi)
        eye = (0.3 * np.cos(azimuth), 0.3 * np.sin(azimuth), float(rng.uniform(0.3, 0.5)))
        shots.append(View(camera, looking(eye), backdrop_colour=(0.2, 0.3, 0.4)))
    lamp = Lamp("area", (0.4, -0.3, 0.9), 12.0, (1.0, 0.95, 0.88), 0.25, (0.0, 0.0, 0.0))
    return Scene(tuple(bodies), tuple(shots), (lamp,), Environment(0.25), seed=seed, record={"seed": seed})
