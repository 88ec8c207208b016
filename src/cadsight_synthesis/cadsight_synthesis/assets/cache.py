"""Files that are made once and kept: meshes for the engines, textures, convex pieces. Named by what they hold."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from cadsight_core.parts.mesh import Mesh
from cadsight_core.storage.cache import cache_folder
from cadsight_core.storage.files import write_atomically


def kept(path: Path, make: Callable[[], bytes]) -> Path:
    """``path``, written with what ``make`` returns when it is not there yet."""
    if not path.exists():
        write_atomically(path, make())
    return path


def mesh_key(mesh: Mesh) -> str:
    """Name of a mesh by its triangles, to a micrometre of their corners, and its colours."""
    digest = hashlib.sha256(np.ascontiguousarray(np.round(mesh.vertices * 1e6).astype("<i8")).tobytes())
    digest.update(np.ascontiguousarray(mesh.faces.astype("<i8")).tobytes())
    if mesh.colours is not None:
        digest.update(mesh.colours.tobytes())
    return digest.hexdigest()[:24]


def ply_of(mesh: Mesh, scale: float = 1.0) -> Path:
    """Binary PLY of ``mesh`` in metres times ``scale``, in the cache."""
    scaled = mesh.scaled(scale)
    return kept(cache_folder("meshes") / f"{mesh_key(scaled)}.ply", lambda: ply_bytes(scaled))


def ply_bytes(mesh: Mesh) -> bytes:
    """``mesh`` as binary PLY in metres, with the colours of its vertices where it has any.

    Written here and not by trimesh, whose header and added alpha may change with its version: a set that is continued
    must find the same bytes beside it (``write_same``).
    """
    colours = "" if mesh.colours is None else "".join(f"property uchar {c}\n" for c in ("red", "green", "blue"))
    header = (
        "ply\nformat binary_little_endian 1.0\n"
        f"element vertex {len(mesh.vertices)}\nproperty float x\nproperty float y\nproperty float z\n{colours}"
        f"element face {len(mesh.faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    faces = np.empty(len(mesh.faces), np.dtype([("n", "u1"), ("v", "<i4", 3)]))
    faces["n"], faces["v"] = 3, mesh.faces
    vertices = np.empty(len(mesh.vertices), np.dtype([("place", "<f4", 3), ("colour", "u1", 3 if colours else 0)]))
    vertices["place"] = mesh.vertices
    if mesh.colours is not None:
        vertices["colour"] = mesh.colours
    return header.encode() + vertices.tobytes() + faces.tobytes()
