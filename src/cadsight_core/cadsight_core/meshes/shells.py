"""Triangles joined into shells: parts of a surface that can be turned as one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from cadsight_core.geometry import Array

# Where more edges than this have more than two triangles, none of those joins any.
_MOST_CROWDED = 20_000
_SAME_ANGLE = 1e-6


@dataclass(frozen=True, eq=False)
class Shells:
    """Of each triangle what it is part of.

    Attributes:
        of: (F,) number of the shell.
        reverse: (F,) whether it is to be turned so that its shell is all of one side; which side is not known.
        orientable: (S,) whether a shell has two sides at all.
        closed: (S,) whether a shell has no border.
    """

    of: NDArray[np.int64]
    reverse: NDArray[np.bool_]
    orientable: NDArray[np.bool_]
    closed: NDArray[np.bool_]


def shells_of(vertices: Array, faces: NDArray[np.int64]) -> Shells:
    """Join triangles (F, 3) over their edges; where more than two meet, as they lie around the edge."""
    first, second, same = _joints(vertices, faces)
    count = len(faces)
    graph = coo_matrix((np.ones(len(first), bool), (first, second)), shape=(count, count))
    shells, of = connected_components(graph, directed=False)
    # Each triangle twice, as it is and turned: what is joined to its own turned self has one side only.
    starts = np.concatenate([first, first + count])
    ends = np.concatenate([np.where(same, second + count, second), np.where(same, second, second + count)])
    doubled = coo_matrix((np.ones(len(starts), bool), (starts, ends)), shape=(2 * count, 2 * count))
    _, side = connected_components(doubled, directed=False)
    leader = np.full(shells, count)
    np.minimum.at(leader, of, np.arange(count))
    orientable = side[leader] != side[leader + count]
    reverse = (side[:count] != side[leader][of]) & orientable[of]
    joined = np.bincount(np.concatenate([first, second]), minlength=count)
    closed = np.ones(shells, bool)
    closed[of[joined < 3]] = False
    return Shells(of.astype(np.int64), reverse, orientable, closed)


def _joints(
    vertices: Array, faces: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Pairs of triangles that go on in each other, and whether both run along the edge the same way."""
    edges = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    ahead = edges[:, 0] < edges[:, 1]
    low, high = np.sort(edges, axis=1).T
    key = low * (int(faces.max(initial=0)) + 1) + high
    order = np.argsort(key, kind="stable")
    starts = (
        np.flatnonzero(np.concatenate([[True], key[order[1:]] != key[order[:-1]]])) if len(key) else np.empty(0, int)
    )
    many = np.diff(np.append(starts, len(key)))
    pairs = [np.stack([order[starts[many == 2]], order[starts[many == 2] + 1]], axis=1)]
    crowded = np.flatnonzero((many > 2) & (many % 2 == 0))
    if len(crowded) <= _MOST_CROWDED:
        for start, size in zip(starts[crowded], many[crowded], strict=True):
            pairs.append(_around(vertices, faces, ahead, order[start : start + size]))
    halves = np.concatenate(pairs)
    return halves[:, 0] // 3, halves[:, 1] // 3, ahead[halves[:, 0]] == ahead[halves[:, 1]]


def _around(
    vertices: Array, faces: NDArray[np.int64], ahead: NDArray[np.bool_], halves: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The half-edges (K,) of one edge in pairs (K / 2, 2) of neighbours around it, the matter between them."""
    face, corner = halves // 3, halves % 3
    start, end, opposite = (faces[face, (corner + i) % 3] for i in range(3))
    along = vertices[end[0]] - vertices[start[0]]
    along = along / np.linalg.norm(along) * (1 if ahead[halves[0]] else -1)
    out = vertices[opposite] - vertices[start]
    out = out - (out @ along)[:, None] * along
    u = out[0] / np.linalg.norm(out[0])
    angle = np.arctan2(out @ np.cross(along, u), out @ u) % (2 * np.pi)
    angle = np.where(angle > 2 * np.pi - _SAME_ANGLE, 0.0, angle)
    step = np.round(angle / _SAME_ANGLE)
    forward = ahead[halves]
    choices: list[tuple[bool, bool, float, int, NDArray[np.int64]]] = []
    for first in (~forward, forward):  # of triangles that lie on each other, which comes first
        turn = np.lexsort([first, step])
        for shift in (0, 1):
            pair = np.roll(turn, -shift).reshape(-1, 2)
            opposed = bool((forward[pair[:, 0]] != forward[pair[:, 1]]).all())
            # Outward triangles have matter before one that runs ahead and behind one that runs back.
            matter = opposed and not forward[pair[:, 0]].any()
            wedge = float(((angle[pair[:, 1]] - angle[pair[:, 0]]) % (2 * np.pi)).sum())
            choices.append((not matter, not opposed, round(wedge, 6), len(choices), pair))
    return halves[min(choices, key=lambda c: c[:4])[4]]
