"""The scenes by their names; another one is a row here, and a choice of the parameter ``scene``."""

from collections.abc import Callable, Mapping

from cadsight_cell.simulation.parameters import SimulatedCellParameters
from cadsight_cell.simulation.stages.held import HeldStage
from cadsight_cell.simulation.stages.stage import Resolve, Stage
from cadsight_cell.simulation.stages.table import TableStage
from cadsight_cell.simulation.world import World

STAGES: Mapping[str, Callable[[SimulatedCellParameters, World, Resolve], Stage]] = {
    "held": HeldStage,
    "table": TableStage,
}
