"""What every scene of the simulated cell offers to its camera."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
from cadsight_core.geometry import Array
from numpy.typing import NDArray

from cadsight_cell.simulation.renderer import SceneRenderer

Resolve: TypeAlias = Callable[[str], Path]


class Stage(Protocol):
    """Sets by number, of which one stands there; for the thread that draws, after it is made.

    Attributes:
        number: of the set that stands there; the first is 1.
        name: what is drawn, for errors.
        changes: whether there is more than the first set.
    """

    number: int
    name: str
    changes: bool

    def prepare(self, number: int) -> None:
        """Put a set there.

        Raises:
            CadsightError: when that is not possible; what stood there before stays.
        """
        ...

    def open(self) -> SceneRenderer:
        """What draws the set that stands there."""
        ...

    def shiny(self, renderer: SceneRenderer, joints: Array) -> NDArray[np.bool_]:
        """Mask (H, W) of what has holes in its depth."""
        ...

    def note(self, stamp_ns: int, joints: Array) -> None:
        """Write into the truth, where it is wanted, how it really was at a frame."""
        ...
