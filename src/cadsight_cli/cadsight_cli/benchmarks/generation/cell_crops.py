"""Crops of a simulated cell: the part in the arm's hand, wherever it is, with what stands behind it."""

from pathlib import Path

import numpy as np
from cadsight_core.imaging.images import Rgb, write_image
from cadsight_core.running.progress import with_progress

from cadsight_cli.yaml_file import read_mapping

_WIDTH, _HEIGHT, _SIDE = 320, 240, 112
# Pixels by which the part may lie beside the middle of its crop.
_OFF = 16


def write_cell_crops(folder: Path, count: int, seed: int, light_of: int | None = None) -> None:
    """Write ``count`` crops 112 x 112 of the cell of ``seed``, the arm at a random pose in each.

    Args:
        light_of: the seed of the cell whose lamp it has, instead of its own.
    """
    from cadsight_cell.arm import JOINT_NAMES
    from cadsight_cell.simulation.renderer import CellRenderer
    from cadsight_cell.simulation.world import WorldParameters, make_world
    from cadsight_core.box import Box
    from cadsight_core.geometry import Pose
    from cadsight_core.parts.part import load_part, load_part_mesh
    from cadsight_ros.resources import resolve

    part = load_part(resolve("package://cadsight/config/parts/bracket.yaml"))
    config = read_mapping(resolve("package://cadsight/config/workcell.yaml"))
    capture = config["cadsight"]["capture"]["ros__parameters"]
    home, spread = np.array(capture["home_joints"]), np.array(capture["spread_joints"])
    mount = Pose(np.eye(3), np.array([0.0, 0.0, 0.06]))

    world, other = (
        make_world(WorldParameters(seed=one, width=_WIDTH, height=_HEIGHT))
        for one in (seed, seed if light_of is None else light_of)
    )
    rng = np.random.default_rng([seed, 0 if light_of is None else 1, 0xC209])
    renderer = CellRenderer(world, part, load_part_mesh(part), mount)
    renderer.relight(other.light)
    try:
        for number in with_progress(range(count), count, "crops of the cell"):
            box = None
            while box is None:
                joints = dict(zip(JOINT_NAMES, (home + rng.uniform(-spread, spread)).tolist(), strict=True))
                box = Box.from_mask(renderer.mask(joints))
            image = renderer.colour(joints, number)
            write_image(folder / f"crop_{number:04d}.png", _cropped(image, box.centre, rng))
    finally:
        renderer.close()


def _cropped(image: Rgb, centre: tuple[float, float], rng: np.random.Generator) -> Rgb:
    """A square about ``centre``, moved at random and into the image."""
    height, width = image.shape[:2]
    left, top = (round(c) + int(rng.integers(-_OFF, _OFF + 1)) - _SIDE // 2 for c in centre)
    left, top = min(max(left, 0), width - _SIDE), min(max(top, 0), height - _SIDE)
    return image[top : top + _SIDE, left : left + _SIDE]
