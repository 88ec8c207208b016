"""Convex pieces of parts, which is what rigid-body physics lets collide."""

import io
from functools import lru_cache
from typing import Any

import numpy as np
from cadsight_core.geometry import Array
from cadsight_core.parts.mesh import Mesh
from cadsight_core.storage.cache import cache_folder
from scipy.spatial import ConvexHull, QhullError

from cadsight_synthesis.assets.cache import kept, mesh_key

try:
    import coacd
except ImportError:  # no wheel for this machine: parts collide with their hulls
    coacd = None

# Concavity that a piece may keep, as a fraction of the part's size, and the most pieces that a part falls into.
_CONCAVITY = 0.06
_MOST_PIECES = 16
# Counts up when these numbers or those below change, so that pieces of before are not taken for theirs.
_VERSION = 3


def convex_pieces(mesh: Mesh) -> tuple[Array, ...]:
    """Corners (N, 3) of convex bodies that together fill the mesh, found once and kept by the mesh's content.

    Finding them takes some ten seconds for a part of ten thousand triangles. They are those
    of CoACD (Wei et al., Approximate Convex Decomposition for 3D Meshes with Collision-Aware Concavity and Tree Search,
    2022), or the convex hull where CoACD is not installed or cannot close the mesh.
    """
    method = "coacd" if coacd is not None else "hull"
    return _read(
        str(kept(cache_folder("convex") / f"{mesh_key(mesh)}-{method}{_VERSION}.npz", lambda: _pack(_pieces(mesh))))
    )


def _pieces(mesh: Mesh) -> list[Array]:
    if coacd is None or _is_convex(mesh):
        return [mesh.hull_vertices]
    coacd.set_log_level("off")
    scale = 1.0 / mesh.diameter
    try:
        pieces: Any = coacd.run_coacd(
            coacd.Mesh(mesh.vertices * scale, mesh.faces),
            threshold=_CONCAVITY,
            max_convex_hull=_MOST_PIECES,
            preprocess_resolution=30,
            mcts_iterations=25,
            mcts_nodes=10,
            resolution=500,
            seed=0,
        )
    except RuntimeError:
        return [mesh.hull_vertices]
    solid = [Mesh(np.asarray(v, float) / scale, np.asarray(f, np.int64)) for v, f in pieces if len(v) >= 4]
    return [piece.hull_vertices for piece in solid] or [mesh.hull_vertices]


def _is_convex(mesh: Mesh) -> bool:
    """It fills its hull but for 2 % of the volume."""
    corners = mesh.vertices[mesh.faces]
    volume = float(np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum()) / 6
    try:
        return mesh.is_closed and volume > 0.98 * float(ConvexHull(mesh.vertices).volume)
    except QhullError:
        return True


def _pack(pieces: list[Array]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, *[np.asarray(p, np.float64) for p in pieces])
    return buffer.getvalue()


@lru_cache(maxsize=64)
def _read(path: str) -> tuple[Array, ...]:
    with np.load(path) as file:
        return tuple(file[name] for name in file.files)
