"""The scene ``held``."""

import numpy as np
from cadsight_core.geometry import Array
from cadsight_core.parts.part import load_part, load_part_mesh
from numpy.typing import NDArray

from cadsight_cell.holder import pose_from_list
from cadsight_cell.simulation.parameters import SimulatedCellParameters
from cadsight_cell.simulation.renderer import CellRenderer, SceneRenderer
from cadsight_cell.simulation.stages.stage import Resolve
from cadsight_cell.simulation.truth import TruthRecorder
from cadsight_cell.simulation.world import World


class HeldStage:
    """One set: the part at the tool."""

    changes = False

    def __init__(self, parameters: SimulatedCellParameters, world: World, resolve: Resolve) -> None:
        """Raises CadsightError for a part that cannot be read, or a folder that cannot take the truth."""
        p, self._world = parameters, world
        self._part = load_part(resolve(p.part))
        self._mesh, self._mount = load_part_mesh(self._part), pose_from_list(p.mount, "mount")
        self._truth = TruthRecorder(p.truth_folder, world, self._part, self._mount) if p.truth_folder else None
        self.name, self.number = self._part.mesh, 1

    def prepare(self, number: int) -> None:
        self.number = number

    def open(self) -> SceneRenderer:
        return CellRenderer(self._world, self._part, self._mesh, self._mount)

    def shiny(self, renderer: SceneRenderer, joints: Array) -> NDArray[np.bool_]:
        size = self._world.camera.size
        return np.zeros((size.height, size.width), bool)

    def note(self, stamp_ns: int, joints: Array) -> None:
        if self._truth is not None:
            self._truth.frame(stamp_ns, joints)
