"""Directions on a part that its symmetry makes the same: nothing in an image tells them apart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation

from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, Pose, unit
from cadsight_core.parts.part import Symmetry

_SAME = 1e-6
# A prism of 360 sides has 720 directions that look alike; what goes on without end never comes back to itself.
_MOST = 1000


@dataclass(frozen=True, eq=False)
class EqualNormals:
    """All directions that look the same as one, in one frame.

    Attributes:
        directions: (K, 3) unit vectors, the one itself first.
        axis: (3,) about which each of them may be turned by any angle, or None where they are all.
        every: whether all directions look the same, as on a ball.
    """

    directions: Array
    axis: Array | None = None
    every: bool = False

    @staticmethod
    def of(normal: ArrayLike, part_frame: Array | None = None, symmetry: Sequence[Symmetry] = ()) -> "EqualNormals":
        """What looks the same as ``normal`` (3,) on a part whose frame is turned by ``part_frame`` (3, 3).

        ``v_here = part_frame @ v_part``; the frame does not matter where there is no symmetry.

        Raises:
            CadsightError: when the symmetries are none of a body: their turns never come back to where they began.
        """
        direction = unit(np.asarray(normal, float))
        if not symmetry or part_frame is None:
            return EqualNormals(direction[None])
        turns = [Rotation.from_rotvec(2 * np.pi / s.order * unit(s.axis)).as_matrix() for s in symmetry if s.order]
        around = _turned([unit(s.axis) for s in symmetry if not s.order], turns)
        every = any(np.linalg.norm(np.cross(around[0], other)) > _SAME for other in around)
        found = EqualNormals(np.stack(_turned([part_frame.T @ direction], turns)), around[0] if around else None, every)
        return found.turned(part_frame)

    def turned(self, rotation: Array) -> "EqualNormals":
        """The same directions in the frame that ``rotation`` (3, 3) takes this one to."""
        axis = None if self.axis is None else rotation @ self.axis
        return EqualNormals(self.directions @ rotation.T, axis, self.every)

    def nearest(self, seen: ArrayLike) -> Array:
        """The direction (3,) of them that is nearest to ``seen`` (3,)."""
        target = unit(np.asarray(seen, float))
        if self.every:
            return target
        if self.axis is None:
            return self.directions[int(np.argmax(self.directions @ target))]
        axis = self.axis
        return max((_on_circle(d, axis, target) for d in self.directions), key=lambda d: float(d @ target))


def equal_normal(normal: ArrayLike, seen: ArrayLike, camera_from_part: Pose, symmetry: Sequence[Symmetry]) -> Array:
    """Of the directions (3,) that the part's symmetry makes the same as ``normal``, the one nearest to ``seen``.

    All of them are unit vectors in the camera's frame. The angle between the result and ``seen`` is the smallest over
    the symmetry, which is how the poses of symmetric parts are compared (BOP challenge, symmetry-aware errors).

    Raises:
        CadsightError: as :meth:`EqualNormals.of`.
    """
    return EqualNormals.of(normal, camera_from_part.rotation, symmetry).nearest(seen)


def _on_circle(direction: Array, axis: Array, target: Array) -> Array:
    """``direction`` turned about ``axis`` as near to ``target`` as it comes."""
    across = target - (target @ axis) * axis
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
