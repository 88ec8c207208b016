"""What a motion node is set up with."""

from dataclasses import dataclass

from cadsight_core.config.parameters import parameter
from cadsight_core.errors import ParameterError

from cadsight_cell.arm import ArmParameters
from cadsight_cell.holder import HolderParameters
from cadsight_cell.motion.bounds import BoundParameters
from cadsight_cell.motion.planner import PLANNERS

# Slower, the noise of the joints' readings hides whether the arm comes on.
SLOWEST_SCALING = 0.01


@dataclass(frozen=True)
class MotionParameters(HolderParameters, ArmParameters, BoundParameters):
    """Parameters of the motion node."""

    controller: str = parameter(
        "scaled_joint_trajectory_controller",
        "controller whose follow_joint_trajectory action moves the arm",
        kind="name",
    )
    velocity_scaling: float = parameter(
        0.0,
        "fraction of the joints' velocity limits; 0: 1 in the simulated cell and 0.1 of any other arm",
        minimum=0.0,
        maximum=1.0,
    )
    dry_run: bool = parameter(False, "plan and publish every motion, and move nothing")
    planner: str = parameter("rrt_connect", "what finds the way around obstacles", choices=tuple(PLANNERS))
    planning_timeout_s: float = parameter(2.0, "longest search for a way around obstacles", minimum=0.01, maximum=60.0)
    joint_state_timeout_s: float = parameter(
        1.0, "oldest joint state that a motion starts from", minimum=0.05, maximum=60.0
    )
    driver_timeout_s: float = parameter(
        10.0, "longest wait for the first joint state of all", minimum=0.05, maximum=3600.0
    )
    accept_timeout_s: float = parameter(
        3.0, "longest wait for the controller to accept a trajectory", minimum=0.1, maximum=3600.0
    )
    stall_s: float = parameter(
        5.0,
        "a motion ends when the arm does not come on for so long, by the joint states' stamps; a slow one goes on",
        minimum=0.1,
        maximum=3600.0,
    )
    seed: int = parameter(1, "seed of the search for a way around obstacles", minimum=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        BoundParameters.__post_init__(self)
        if 0 < self.velocity_scaling < SLOWEST_SCALING:
            raise ParameterError(
                "velocity_scaling", f"is {self.velocity_scaling:g}, expected 0 or at least {SLOWEST_SCALING:g}"
            )
