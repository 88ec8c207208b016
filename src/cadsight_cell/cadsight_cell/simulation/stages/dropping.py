"""What lies on the table: parts and clutter of a recipe that fell on it, another lot with each drop."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from cadsight_core.parts.part import Part
from cadsight_synthesis.recipes.box import BoxRecipe
from cadsight_synthesis.recipes.reader import read_recipe, scene_of
from cadsight_synthesis.rendering.scene import Material

from cadsight_cell.simulation.scene import TABLE_Z_M

# What the recipe's own scene stands on; the cell has a table already.
_FURNITURE = ("table", "box")


@dataclass(frozen=True, eq=False)
class Lying:
    """A thing on the table.

    Attributes:
        mesh: triangles in metres, as PLY.
        base_from_body: where it is.
        class_id: of a part; None for clutter.
    """

    name: str
    mesh: Path
    base_from_body: Pose
    material: Material
    class_id: int | None = None


@dataclass(frozen=True, eq=False)
class Drop:
    """What fell together, and where it lies."""

    number: int
    bodies: tuple[Lying, ...]

    def to_json(self) -> dict[str, Any]:
        """The parts alone: number, name, class and base_from_part."""
        parts = [
            {"name": b.name, "class_id": b.class_id, "base_from_part": b.base_from_body.to_json()}
            for b in self.bodies
            if b.class_id is not None
        ]
        return {"drop": self.number, "parts": parts}


class TableTop:
    """Drops by number, the same whenever they are asked for."""

    def __init__(self, recipe: str | Path, seed: int, centre: tuple[float, ...]) -> None:
        """``centre`` (2,) is the middle of the recipe's box in base_link, metres.

        Raises:
            CadsightError: for a recipe that cannot be read, or is not of parts that fall.
        """
        found = read_recipe(recipe)
        if not isinstance(found, BoxRecipe):
            raise CadsightError(f"the recipe {recipe} is of kind {found.kind}, expected box: parts fall on a table")
        if found.held.fraction or found.box.height_m or found.from_session is not None:
            raise CadsightError(
                f"the recipe {recipe} has parts that are held, walls or a session, expected a bare table: "
                "held.fraction 0, box.height_m 0 and no from_session"
            )
        self._recipe = replace(found, seed=seed)
        self._base_from_room = Pose(np.eye(3), np.array([*centre, TABLE_Z_M]))

    @property
    def parts(self) -> tuple[Part, ...]:
        return self._recipe.parts

    def drop(self, number: int) -> Drop:
        """What lies there after drop ``number``.

        Raises:
            CadsightError: when the parts do not stay on the table, however often they are dropped.
        """
        scene = scene_of(self._recipe, number)
        floor = Pose(np.eye(3), np.array([0.0, 0.0, -(self._recipe.box.floor_m or 0.0)]))
        bodies = tuple(
            Lying(b.name, b.mesh, self._base_from_room @ floor @ b.world_from_body, b.material, b.class_id)
            for b in scene.bodies
            if b.name not in _FURNITURE
        )
        return Drop(number, bodies)
