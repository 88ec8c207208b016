"""What a capture node is set up with."""

from dataclasses import dataclass

from cadsight_cell.arm import UR3E_LIMITS, ArmParameters, joints_parameter
from cadsight_cell.holder import HolderParameters
from cadsight_core.errors import CadsightError
from cadsight_core.parameters import parameter

from cadsight_capture.ros_cell import RosCellParameters
from cadsight_capture.session import SessionParameters
from cadsight_capture.view import ViewParameters


@dataclass(frozen=True)
class CaptureParameters(HolderParameters, ArmParameters, RosCellParameters, SessionParameters, ViewParameters):
    """Parameters of the capture node."""

    part: str = parameter("", "YAML of the part that the arm holds (a path or package://); needed")
    output_folder: str = parameter("runs/capture", "folder that the sessions are written to", kind="text")
    home_joints: tuple[float, ...] = joints_parameter(
        (0.0, -1.57, 1.57, -1.57, -1.57, 0.0), "middle of the random poses, rad"
    )
    spread_joints: tuple[float, ...] = joints_parameter(
        (0.2, 0.0, 0.0, 0.3, 0.3, 1.0), "how far each joint goes to either side of home, rad; 0 stays", minimum=0.0
    )
    background_joints: tuple[float, ...] = joints_parameter(
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
            raise CadsightError("parameter part is empty, expected the YAML of the part that the arm holds")
