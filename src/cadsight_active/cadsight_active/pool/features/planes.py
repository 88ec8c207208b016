"""Codes of features, alike where the features are: on which side of random planes they lie."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

# Tables, and bits of a code in each: with a million rows some 15 have the same code.
TABLES, BITS = 16, 16
CODES = 2**BITS
_FEW = 128


@dataclass(frozen=True, eq=False)
class Planes:
    """16 tables of 16 planes each.

    Attributes:
        normals: (D, 256) of the planes.
        offsets: (256,) along the normals; half of the rows that the planes were made for lie beyond each.
        made_for: how many rows there were when the planes were made.
    """

    normals: NDArray[np.float32]
    offsets: NDArray[np.float32]
    made_for: int

    @staticmethod
    def of(unit: Floats, made_for: int, seed: int) -> "Planes":
        """Planes in random directions for rows (N, D), where these are many.

        Features of one network lie in a narrow cone, and vary in few directions. Planes stand across these more often
        than across those in which noise alone varies, and halve the rows, so that codes are about equally often taken.
        """
        unit = np.asarray(unit, np.float32)
        centred = unit - unit.mean(axis=0)
        values, axes = np.linalg.eigh(centred.T @ centred / len(unit))
        scale = np.maximum(values, 0.0) ** 0.25
        rng = np.random.default_rng(seed)
        drawn = rng.standard_normal((unit.shape[1], TABLES * BITS), np.float32)
        normals = (axes @ (scale[:, None] * drawn)).astype(np.float32)
        return Planes(normals, np.median(unit @ normals, axis=0).astype(np.float32), made_for)

    def codes(self, unit: Floats) -> NDArray[np.uint16]:
        """(N, 16) of rows (N, D) of length 1."""
        unit = np.asarray(unit, np.float32)
        # A few without BLAS, whose threads wait for each other.
        along = np.einsum("nd,dp->np", unit, self.normals) if len(unit) <= _FEW else unit @ self.normals
        beyond = along > self.offsets
        packed = np.packbits(beyond.reshape(-1, TABLES, BITS), axis=2)
        return packed.view(">u2")[..., 0].astype(np.uint16)
