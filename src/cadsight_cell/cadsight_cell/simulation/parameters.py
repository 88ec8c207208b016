"""What a simulated cell is set up with."""

from dataclasses import dataclass

from cadsight_core.config.parameters import parameter
from cadsight_core.errors import ParameterError

from cadsight_cell.arm import UR3E_LIMITS, joints_parameter
from cadsight_cell.holder import HolderParameters
from cadsight_cell.simulation.world import WorldParameters

FAULTS = (
    "none",
    "protective_stop",
    "emergency_stop",
    "lost_connection",
    "program_stopped",
    "slider",
    "payload_error",
    "joint_jump",
)


@dataclass(frozen=True)
class SimulatedCellParameters(HolderParameters, WorldParameters):
    """Parameters of the simulated cell."""

    part: str = parameter("", "YAML of the part at the tool (a path or package://); needed with scene held, else none")
    scene: str = parameter(
        "held", "held: the arm holds the part; table: parts and clutter lie on the table and the arm holds nothing",
        choices=("held", "table"),
    )  # fmt: skip
    table: str = parameter(
        "package://cadsight/config/table/dropped.yaml",
        "with scene table: recipe of kind box that says what falls on it (a path or package://)",
    )
    table_centre: tuple[float, ...] = parameter(
        (0.33, 0.0), "with scene table: middle of the recipe's box in base_link, metres", minimum=-2.0, maximum=2.0,
        length=2,
    )  # fmt: skip
    fps: float = parameter(30.0, "colour images a second", minimum=0.5, maximum=90.0)
    align_depth: bool = parameter(False, "publish depth in the colour camera's pixels, as align_depth.enable does")
    depth_noise_mm: float = parameter(
        0.0, "standard deviation of a depth at 1 m; grows with the square of the distance", minimum=0.0, maximum=100.0
    )
    depth_holes: float = parameter(
        0.0, "with scene table: fraction of the parts' pixels that have no depth, as on shiny ones",
        minimum=0.0, maximum=1.0,
    )  # fmt: skip
    joint_state_rate: float = parameter(125.0, "joint states a second", minimum=1.0, maximum=500.0)
    tf_rate: float = parameter(30.0, "transforms of the arm a second", minimum=1.0, maximum=500.0)
    home_joints: tuple[float, ...] = joints_parameter(
        (-0.4219, -1.2263, 2.1745, -2.519, 1.5708, -1.1489), "where the arm starts, radians"
    )
    controller: str = parameter("scaled_joint_trajectory_controller", "name of the trajectory controller", kind="name")
    hand_eye: bool = parameter(True, "publish where a calibration says that the camera is; false where a file does")
    speed_slider: float = parameter(
        1.0, "where the pendant's speed slider stands at the start, a fraction", minimum=0.01, maximum=1.0
    )
    truth_folder: str = parameter("", "folder for what is really so; empty for none")
    lamp_moves_every: int = parameter(
        0, "somebody moves the lamp after every so-many trajectories; 0: nobody does", minimum=0
    )
    fault_camera_silent_after_s: float = parameter(-1.0, "the camera falls silent after so long; below 0 never")
    fault_camera_silent_s: float = parameter(5.0, "how long it stays silent", minimum=0.0)
    fault_abort_every: int = parameter(0, "abort every so-manieth trajectory half-way; 0 for none", minimum=0)
    fault_kind: str = parameter("none", "what happens half-way in every fault_every-th trajectory", choices=FAULTS)
    fault_every: int = parameter(0, "in every so-manieth trajectory fault_kind happens; 0: in none", minimum=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        WorldParameters.__post_init__(self)
        if self.scene == "held" and not self.part:
            raise ParameterError("part", "is empty, expected the YAML of the part that the arm holds")
        if self.scene == "table" and self.part:
            raise ParameterError("part", f"is {self.part}, expected none with scene table, whose arm holds nothing")
        if self.scene == "held" and self.depth_holes:
            raise ParameterError("depth_holes", f"is {self.depth_holes:g}, expected 0 with scene held")
        UR3E_LIMITS.check(self.home_joints, "parameter home_joints")
