"""What the arm holds and what stands around it, as files and parameters tell."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from cadsight_core.parts.part import load_part, load_part_mesh

from cadsight_cell.arm import Arm
from cadsight_cell.motion.collision import BoxBody, CollisionModel, HeldPart, load_bodies


def mount_parameter() -> Any:
    """The dataclass field of a part's pose at the tool."""
    return parameter(
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
        "tool0_from_part: x, y, z in metres and the quaternion x, y, z, w of the part in the tool's frame",
        minimum=-10.0,
        maximum=10.0,
        length=7,
    )


@dataclass(frozen=True)
class HolderParameters:
    """What the arm holds, and what stands around it; shared by the nodes that must know."""

    part: str = parameter("", "YAML of the part at the tool (a path or package://); empty when the arm holds none")
    mount: tuple[float, ...] = mount_parameter()
    bodies: str = parameter("", "YAML of the boxes that the arm must not touch (a path or package://); empty for none")

    def __post_init__(self) -> None:
        check(self)
        pose_from_list(self.mount, "mount")


def pose_from_list(values: tuple[float, ...], name: str) -> Pose:
    """A pose from x, y, z in metres and the quaternion x, y, z, w.

    Raises:
        CadsightError: for another number of values, or a quaternion without direction.
    """
    if len(values) != 7:
        raise CadsightError(f"{name} is {list(values)}, expected x, y, z and a quaternion x, y, z, w: seven values")
    # Written so that NaN, which compares false with everything, is refused too.
    if not sum(v * v for v in values[3:]) >= 1e-6:
        raise CadsightError(
            f"{name} is {list(values)}, expected a quaternion x, y, z, w that is not zero as the last four values"
        )
    return Pose.from_quaternion(values[3:], values[:3])


def collision_model(parameters: HolderParameters, arm: Arm, resolve: Callable[[str], Path] = Path) -> CollisionModel:
    """What the arm can bump into, by the parameters' files.

    Args:
        resolve: makes a path of a file's name.

    Raises:
        CadsightError: for a file that cannot be read.
    """
    part = held_part(parameters, resolve)
    return CollisionModel(arm, cell_bodies(parameters, resolve), part)


def cell_bodies(parameters: HolderParameters, resolve: Callable[[str], Path] = Path) -> tuple[BoxBody, ...]:
    """The boxes of the parameters' file.

    Raises:
        CadsightError: for a file that cannot be read.
    """
    return load_bodies(resolve(parameters.bodies)) if parameters.bodies else ()


def held_part(parameters: HolderParameters, resolve: Callable[[str], Path] = Path) -> HeldPart | None:
    """The part at the tool, where there is one."""
    if not parameters.part:
        return None
    mesh = load_part_mesh(load_part(resolve(parameters.part)))
    return HeldPart(mesh, pose_from_list(parameters.mount, "mount"))
