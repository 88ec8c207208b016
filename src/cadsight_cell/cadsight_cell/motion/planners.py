"""The planners by their names; another one is a row here that makes what :class:`Planner` describes."""

from collections.abc import Callable, Mapping

from cadsight_cell.arm import JointLimits
from cadsight_cell.motion.collision import CollisionModel
from cadsight_cell.motion.planner import Planner, RrtPlanner

PLANNERS: Mapping[str, Callable[[CollisionModel, JointLimits], Planner]] = {
    # OMPL's RRT-Connect around the file's bodies.
    "rrt_connect": RrtPlanner,
}
