"""Faults of a surface, and the repair of those that can be mended."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from cadsight_core.geometry import Array
from cadsight_core.meshes.orientation import oriented
from cadsight_core.meshes.triangles import Triangles
from cadsight_core.meshes.welding import welded

# A triangle lower than this fraction of the surface's extent has no area.
_FLAT = 1e-9


def mended(found: Triangles) -> Triangles:
    """The surface welded, without triangles that have no area or are there twice, the others facing outwards.

    Repairs and other faults are listed in its notes, a clause each; no face is left of a surface without an area.
    """
    surface = welded(found)
    notes = list(surface.notes)
    faces = surface.faces
    if not len(faces):
        return surface
    solid = _heights(surface.vertices[faces]) > _FLAT * float(np.ptp(surface.vertices, axis=0).max())
    if not solid.all():
        notes.append(f"{(~solid).sum()} triangles without area were left out")
        faces = faces[solid]
    single = _single(faces)
    if not single.all():
        notes.append(f"{(~single).sum()} triangles that were there twice were left out")
        faces = faces[single]
    if not len(faces):
        return Triangles(surface.vertices, faces, surface.colours, tuple(notes))
    turned = oriented(surface.vertices, faces)
    if turned.turned:
        notes.append(f"{turned.turned} triangles faced inwards and were turned")
    if turned.undecided:
        notes.append(
            f"it cannot be told which side of {turned.undecided} triangles is outside: they are as the file has them"
        )
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    _, times = np.unique(edges[:, 0] * (int(faces.max()) + 1) + edges[:, 1], return_counts=True)
    if (times == 1).any():
        notes.append(f"it has holes: {(times == 1).sum()} of its edges belong to one triangle alone")
    body = _bodies(faces, len(surface.vertices))
    cavities = len(np.unique(body[turned.cavity]))
    bodies = len(np.unique(body)) - cavities
    if cavities:
        notes.append(f"it has {cavities} {'cavity' if cavities == 1 else 'cavities'} inside")
    if bodies > 1:
        notes.append(f"it has {bodies} bodies that do not touch, which are taken as one part")
    used, places = np.unique(turned.faces, return_inverse=True)
    colours = None if surface.colours is None else surface.colours[used]
    return Triangles(surface.vertices[used], places.reshape(-1, 3), colours, tuple(notes))


def _heights(corners: Array) -> Array:
    """(F,) smallest heights of triangles (F, 3, 3)."""
    sides = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=2).max(axis=1)
    double = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    return np.divide(double, sides, out=np.zeros_like(double), where=sides > 0)


def _single(faces: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(F,) whether a triangle is not there before, turned the same way; the other way where all are there both ways."""
    lowest = faces.argmin(axis=1)[:, None]
    ways = np.take_along_axis(faces, (lowest + np.arange(3)) % 3, axis=1)
    keep = _first_of_each(ways)
    ordered = np.sort(faces[keep], axis=1)
    one = _first_of_each(ordered)
    if 2 * one.sum() == len(one):  # drawn from both sides, as some programs export sheets
        keep[np.flatnonzero(keep)[~one]] = False
    return keep


def _first_of_each(rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    order = np.lexsort(rows.T)  # stable: the first of the same comes first
    new = np.ones(len(rows), bool)
    new[order[1:]] = np.any(rows[order[1:]] != rows[order[:-1]], axis=1)
    return new


def _bodies(faces: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Of each triangle (F,) the number of what it touches, directly or through others."""
    start, end = faces[:, [0, 1]].ravel(), faces[:, [1, 2]].ravel()
    graph = coo_matrix((np.ones(len(start), bool), (start, end)), shape=(count, count))
    _, label = connected_components(graph, directed=False)
    return np.asarray(label[faces[:, 0]], np.int64)
