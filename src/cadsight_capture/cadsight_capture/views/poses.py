"""The random poses of a session, from the parameters for where the arm goes and what the camera must see."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from cadsight_cell.arm import UR3E_LIMITS, ArmParameters, joints_parameter
from cadsight_cell.holder import HolderParameters, collision_model, held_part
from cadsight_cell.motion.planner import RrtPlanner
from cadsight_cell.motion.poses import PoseSampler
from cadsight_core.camera import Camera
from cadsight_core.config.parameters import parameter
from cadsight_core.errors import ParameterError
from cadsight_core.geometry import Pose
from cadsight_core.parts.part import Part

from cadsight_capture.views.view import ViewCheck, ViewParameters

_Six = tuple[float, ...]


@dataclass(frozen=True)
class PoseParameters(HolderParameters, ArmParameters, ViewParameters):
    """Where the arm goes for images."""

    part: str = parameter("", "YAML of the part that the arm holds (a path or package://); needed")
    home_joints: _Six = joints_parameter((0.0, -1.57, 1.57, -1.57, -1.57, 0.0), "middle of the random poses, rad")
    spread_joints: _Six = joints_parameter(
        (0.2, 0.0, 0.0, 0.3, 0.3, 1.0), "how far each joint goes to either side of home, rad; 0 stays", minimum=0.0
    )
    background_joints: _Six = joints_parameter(
        (1.57, -1.57, 1.57, -1.57, -1.57, 0.0), "pose for the background, the part out of view, rad"
    )
    draws: int = parameter(
        200, "draws for one pose that may be refused before it is given up", minimum=1, maximum=1_000_000
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("home_joints", "background_joints"):
            UR3E_LIMITS.check(getattr(self, name), f"parameter {name}")
        if not self.part:
            raise ParameterError("part", "is empty, expected the YAML of the part that the arm holds")


class Poses:
    """Samples poses in which the camera sees the part."""

    def __init__(self, parameters: PoseParameters, part: Part, resolve: Callable[[str], Path] = Path) -> None:
        """Read the parameters' files; ``resolve`` makes a path of a file's name.

        Raises:
            CadsightError: for a file that cannot be used.
        """
        self._parameters, self._part = parameters, part
        self._arm = parameters.arm(resolve)
        self._planner = RrtPlanner(collision_model(parameters, self._arm, resolve), UR3E_LIMITS)
        self._held = held_part(parameters, resolve)

    def sampler(self, seed: int, camera: Camera, base_from_camera: Pose) -> PoseSampler:
        """The poses of a session of ``seed`` for a camera at ``base_from_camera`` (base_link_from_optical).

        Raises:
            CadsightError: when the part turns its point of interest away whatever the pose.
        """
        parameters = self._parameters
        assert self._held is not None
        refuse = ViewCheck(
            self._arm, self._planner, self._part, self._held, camera, base_from_camera, only(ViewParameters, parameters)
        )
        refuse.check_axis(parameters.home_joints, parameters.spread_joints)
        return PoseSampler(parameters.home_joints, parameters.spread_joints, seed, refuse, parameters.draws)


def only(cls: type, settings: Any) -> Any:
    """The fields of ``cls`` out of settings that have more."""
    return cls(**{f.name: getattr(settings, f.name) for f in fields(cls)})
