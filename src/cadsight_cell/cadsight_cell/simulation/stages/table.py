"""The scene ``table``."""

import numpy as np
from cadsight_core.geometry import Array
from numpy.typing import NDArray

from cadsight_cell.simulation.parameters import SimulatedCellParameters
from cadsight_cell.simulation.renderer import SceneRenderer
from cadsight_cell.simulation.stages.drawing import TableRenderer
from cadsight_cell.simulation.stages.dropping import TableTop
from cadsight_cell.simulation.stages.stage import Resolve
from cadsight_cell.simulation.stages.table_truth import TableTruthRecorder
from cadsight_cell.simulation.world import World


class TableStage:
    """A set a drop."""

    changes = True

    def __init__(self, parameters: SimulatedCellParameters, world: World, resolve: Resolve) -> None:
        """Raises CadsightError for a recipe that cannot be used, or a folder that cannot take the truth."""
        p, self._world = parameters, world
        self._top = TableTop(resolve(p.table), p.seed, p.table_centre)
        self._truth = TableTruthRecorder(p.truth_folder, world, self._top.parts) if p.truth_folder else None
        self.name, self.number = p.table, 0

    def prepare(self, number: int) -> None:
        self._drop = self._top.drop(number)
        self.number = number
        if self._truth is not None:
            self._truth.drop(self._drop)

    def open(self) -> SceneRenderer:
        return TableRenderer(self._world, self._drop)

    def shiny(self, renderer: SceneRenderer, joints: Array) -> NDArray[np.bool_]:
        assert isinstance(renderer, TableRenderer)
        return renderer.parts(joints)

    def note(self, stamp_ns: int, joints: Array) -> None:
        if self._truth is not None:
            self._truth.frame(stamp_ns, joints, self.number)
