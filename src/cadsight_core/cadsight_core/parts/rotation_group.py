"""Rotations that were measured, made the exact group that they come from."""

from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from cadsight_core.geometry import Array

# The rotations of an icosahedron are 60, those of a prism of 12 sides 24.
_MOST = 60
_SAME_RAD = float(np.deg2rad(4.0))
_ROUNDS = 10


def exact_group(rotations: Sequence[Array]) -> Array | None:
    """All rotations (G, 3, 3) that some (3, 3) each, right to a degree or so, generate: the first is none.

    None where they come from no finite group of up to 60.
    """
    elements = [np.eye(3)]
    for element in elements:  # grows while it is gone through
        for turn in rotations:
            product = turn @ element
            if np.einsum("gab,ab->g", elements, product).max() < 1 + 2 * np.cos(_SAME_RAD):
                elements.append(product)
        if len(elements) > _MOST:
            return None
    group = np.array(elements)
    products = np.einsum("iab,jbc->ijac", group, group)
    table = np.einsum("ijab,gab->ijg", products, group).argmax(axis=2)
    if any(len(set(row)) != len(group) for row in table.tolist()):
        return None
    # Each becomes the mean of what all others say that it should be; what is left of the errors is squared each time.
    for _ in range(_ROUNDS):
        u, _, v = np.linalg.svd(np.einsum("iba,ijbc->jac", group, group[table]))
        better = u @ v
        moved = np.abs(better - group).max()
        group = better
        if moved < 1e-14:
            break
    return np.asarray(group)


def axes_of(group: Array) -> tuple[tuple[Array, int], ...]:
    """Axes (3,) of the rotations of an exact group, of each the number of positions in a turn."""
    axes: list[Array] = []
    orders: list[int] = []
    for vector in Rotation.from_matrix(group[1:]).as_rotvec():
        axis = vector / np.linalg.norm(vector)
        same = next((i for i, known in enumerate(axes) if abs(float(known @ axis)) > 1 - 1e-6), None)
        if same is None:
            axes.append(axis)
            orders.append(2)
        else:
            orders[same] += 1
    return tuple(zip(axes, orders, strict=True))
