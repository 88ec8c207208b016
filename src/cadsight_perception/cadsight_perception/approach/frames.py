"""Frames along a direction, and how surely they are turned."""

import numpy as np
from cadsight_core.geometry import Array, unit

# Of a turn about the direction nothing is known: the variance of angles that are uniform over a whole turn.
_ANY_TURN = np.pi**2 / 3


def frame_along(direction: Array) -> Array:
    """(3, 3) rotation whose z axis is ``direction`` (3,) and whose x axis is as near to x as it can be."""
    near = np.array([1.0, 0.0, 0.0]) if abs(direction[0]) < 0.9 else np.array([0.0, 1.0, 0.0])
    x = unit(near - (near @ direction) * direction)
    return np.column_stack([x, np.cross(direction, x), direction])


def turns_of(normal: Array, covariance: Array) -> Array:
    """(3, 3) covariance of a frame's small turns, of whose z axis ``normal`` the ``covariance`` (3, 3) is known.

    A turn ``t`` moves the normal by ``t x n``, so that ``t = n x dn`` across it.
    """
    cross = cross_matrix(normal)
    return cross @ covariance @ cross.T + _ANY_TURN * np.outer(normal, normal)


def cross_matrix(vector: Array) -> Array:
    """(3, 3) matrix ``C`` with ``C @ u = vector x u``."""
    x, y, z = vector
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
