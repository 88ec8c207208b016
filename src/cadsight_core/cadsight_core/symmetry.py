"""Directions on a part that its symmetry makes the same: nothing in a picture tells them apart."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation

from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, Pose, unit
from cadsight_core.part import Symmetry

_SAME = 1e-6
# A prism of 360 sides has 720 directions that look alike; what goes on without end never comes back to itself.
_MOST = 1000


def equal_normal(normal: ArrayLike, seen: ArrayLike, camera_from_part: Pose, symmetry: Sequence[Symmetry]) -> Array:
    """Of the directions (3,) that the part's symmetry makes the same as ``normal``, the one nearest to ``seen``.

    All of them are unit vectors in the camera's frame. The angle between the result and ``seen`` is the smallest over
    the symmetry, which is how the poses of symmetric parts are compared (BOP challenge, symmetry-aware errors).

    Raises:
        CadsightError: when the symmetries are none of a body: their turns never come back to where they began.
    """
    part_from_camera = camera_from_part.rotation.T
    direction, wanted = (unit(part_from_camera @ np.asarray(v, float)) for v in (normal, seen))
    return camera_from_part.rotation @ _nearest(direction, wanted, symmetry)


def _nearest(direction: Array, wanted: Array, symmetry: Sequence[Symmetry]) -> Array:
    turns = [Rotation.from_rotvec(2 * np.pi / s.order * unit(s.axis)).as_matrix() for s in symmetry if s.order]
    around = _turned([unit(s.axis) for s in symmetry if not s.order], turns)
    if not around:
        return max(_turned([direction], turns), key=lambda d: float(d @ wanted))
    axis = around[0]
    if any(np.linalg.norm(np.cross(axis, other)) > _SAME for other in around):
        return wanted  # a ball looks the same from everywhere
    same = [_on_circle(d, axis, wanted) for d in _turned([direction], turns)]
    return max(same, key=lambda d: float(d @ wanted))


def _on_circle(direction: Array, axis: Array, wanted: Array) -> Array:
    """``direction`` turned about ``axis`` as near to ``wanted`` as it comes."""
    across = wanted - (wanted @ axis) * axis
    if np.linalg.norm(across) < _SAME:
        return direction
    along = float(direction @ axis)
    return along * axis + np.sqrt(max(1 - along**2, 0.0)) * unit(across)


def _turned(directions: Iterable[Array], turns: Sequence[Array]) -> list[Array]:
    """``directions`` and all that ``turns``, one after the other, make of them."""
    found = list(directions)
    for one in found:  # grows while it is gone through
        for turn in turns:
            other = turn @ one
            if all(np.linalg.norm(other - known) > _SAME for known in found):
                found.append(other)
        if len(found) > _MOST:
            raise CadsightError(
                f"the symmetry makes more than {_MOST} directions of one, expected axes and orders of one body"
            )
    return found
