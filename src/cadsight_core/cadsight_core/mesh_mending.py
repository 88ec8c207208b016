"""What is odd in a mesh, and what of it can be set right."""

import numpy as np
import trimesh
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components


def mend(mesh: trimesh.Trimesh) -> tuple[str, ...]:
    """Leave out triangles without area and turn flipped ones, in place; what was done and is odd, a clause each."""
    notes = []
    # Corners that are not finite have no area either.
    with np.errstate(invalid="ignore"):
        solid = mesh.nondegenerate_faces(height=1e-9 * float(np.ptp(mesh.vertices[mesh.faces].reshape(-1, 3))))
    if not solid.all() and np.isfinite(mesh.vertices[mesh.faces]).all():
        notes.append(f"{(~solid).sum()} triangles without area were left out")
        mesh.update_faces(solid)
        mesh.remove_unreferenced_vertices()
    if not len(mesh.faces):
        return tuple(notes)
    turned = _turn(mesh)
    if turned:
        notes.append(f"{turned} triangles faced inwards and were turned")
    edges = np.sort(mesh.edges, axis=1)
    _, times = np.unique(edges, axis=0, return_counts=True)
    if (times == 1).any():
        notes.append(f"it has holes: {(times == 1).sum()} of its edges belong to one triangle alone")
    bodies = _bodies(mesh)
    if bodies > 1:
        notes.append(f"it has {bodies} bodies that do not touch, which are taken as one part")
    return tuple(notes)


def _turn(mesh: trimesh.Trimesh) -> int:
    """Make all triangles face outwards where that can be told; how many were turned."""
    if mesh.is_winding_consistent and not (mesh.is_watertight and mesh.volume < 0):
        return 0
    before = mesh.faces.copy()
    trimesh.repair.fix_normals(mesh, multibody=True)
    # A triangle is turned when its corners no longer follow each other as they did.
    same = np.zeros(len(before), bool)
    for shift in range(3):
        same |= (mesh.faces == np.roll(before, shift, axis=1)).all(axis=1)
    return int((~same).sum())


def _bodies(mesh: trimesh.Trimesh) -> int:
    count = len(mesh.vertices)
    edges = mesh.edges_unique
    graph = coo_matrix((np.ones(len(edges), bool), (edges[:, 0], edges[:, 1])), shape=(count, count))
    _, label = connected_components(graph, directed=False)
    return len(np.unique(label[mesh.faces[:, 0]]))
