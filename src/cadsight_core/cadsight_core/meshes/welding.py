"""Vertices that lie together made one, so that triangles know their neighbours."""

import numpy as np
from numpy.typing import NDArray

from cadsight_core.geometry import Array
from cadsight_core.meshes.triangles import Triangles

# Nearer than this fraction of the surface's extent is the same point.
_SAME = 1e-8


def welded(found: Triangles) -> Triangles:
    """The same triangles between vertices that are all apart and all used; colours of one point are averaged.

    Triangles with a corner that is not finite are left out, with a note.
    """
    finite = np.isfinite(found.vertices[found.faces]).all(axis=(1, 2))
    faces, notes = found.faces[finite], found.notes
    if not finite.all():
        notes = (*notes, f"{(~finite).sum()} triangles with corners that are no numbers were left out")
    used, faces = np.unique(faces, return_inverse=True)
    vertices = found.vertices[used]
    group = _groups(vertices)
    count = int(group.max(initial=-1)) + 1
    first = np.full(count, len(vertices))
    np.minimum.at(first, group, np.arange(len(vertices)))
    # In the order of the file.
    order = np.argsort(first)
    rank = np.empty(count, np.int64)
    rank[order] = np.arange(count)
    colours = None
    if found.colours is not None:
        many = np.bincount(group, minlength=count)
        sums = [np.bincount(group, found.colours[used, i].astype(float), count) for i in range(3)]
        colours = np.round(np.stack(sums, axis=1)[order] / many[order, None]).astype(np.uint8)
    return Triangles(vertices[first[order]], rank[group[faces.reshape(-1, 3)]], colours, notes)


def _groups(vertices: Array) -> NDArray[np.int64]:
    """The number of the group of equal vertices of each vertex (V,)."""
    if not len(vertices):
        return np.empty(0, np.int64)
    step = _SAME * float(np.ptp(vertices, axis=0).max()) or 1.0
    keys = np.round((vertices - vertices.min(axis=0)) / step).astype(np.int64)
    order = np.lexsort(keys.T)
    new = np.any(keys[order[1:]] != keys[order[:-1]], axis=1)
    group = np.empty(len(vertices), np.int64)
    group[order] = np.concatenate([[0], np.cumsum(new)])
    return group
