"""What a motion node is set up with."""

from dataclasses import dataclass

from cadsight_core.config.parameters import parameter

from cadsight_cell.arm import ArmParameters
from cadsight_cell.holder import HolderParameters


@dataclass(frozen=True)
class MotionParameters(HolderParameters, ArmParameters):
    """Parameters of the motion node."""

    controller: str = parameter(
        "scaled_joint_trajectory_controller",
        "controller whose follow_joint_trajectory action moves the arm",
        kind="name",
    )
    velocity_scaling: float = parameter(1.0, "fraction of the joints' velocity limits", minimum=0.01, maximum=1.0)
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
