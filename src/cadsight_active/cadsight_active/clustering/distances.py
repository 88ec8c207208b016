"""Squared distances of many vectors to a few, in memory that does not grow with their number."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

_ROWS = 65_536


def unit(points: Floats) -> NDArray[np.float32]:
    """``points`` (N, D) at a length of 1; those at 0 stay there."""
    found = np.empty(points.shape, np.float32)
    first = 0
    for some in chunks(points):
        lengths = np.sqrt(np.einsum("nd,nd->n", some, some))
        np.divide(some, np.maximum(lengths, 1e-12)[:, None], out=found[first : first + len(some)])
        first += len(some)
    return found


def squared_norms(points: Floats) -> NDArray[np.float32]:
    """(N,) of ``points`` (N, D)."""
    return np.concatenate([np.zeros(0, np.float32), *(np.einsum("nd,nd->n", p, p) for p in chunks(points))])


def squared_to(points: Floats, norms: NDArray[np.float32], centres: Floats) -> Iterator[NDArray[np.float32]]:
    """Squared distances (n, K) of some ``points`` (N, D) at a time to all ``centres`` (K, D)."""
    centres = np.asarray(centres, np.float32)
    own = np.einsum("kd,kd->k", centres, centres)
    first = 0
    for some in chunks(points):
        far = some @ centres.T
        far *= -2
        far += norms[first : first + len(some), None]
        far += own
        first += len(some)
        yield np.maximum(far, 0, out=far)


def chunks(points: Floats) -> Iterator[NDArray[np.float32]]:
    """``points`` some at a time as float32, which half precision is not computed in."""
    for first in range(0, len(points), _ROWS):
        yield np.asarray(points[first : first + _ROWS], np.float32)
