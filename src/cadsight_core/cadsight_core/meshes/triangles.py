"""What a reader makes of a file, before anything is set right."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cadsight_core.geometry import Array


@dataclass(frozen=True, eq=False)
class Triangles:
    """Triangles as a file has them.

    Attributes:
        vertices: (V, 3) in the unit of the file; points that lie together may be several vertices.
        faces: (F, 3) of vertex indices, counter-clockwise as seen from the side that the file calls outside.
        colours: (V, 3) red, green, blue as an image has them (sRGB), None where the file has none.
        notes: what was left out or is odd in the file, a clause each.
    """

    vertices: Array
    faces: NDArray[np.int64]
    colours: NDArray[np.uint8] | None = None
    notes: tuple[str, ...] = ()
