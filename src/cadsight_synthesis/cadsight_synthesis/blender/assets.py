"""Meshes and images, read once and kept for the scenes to come."""

import math
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from cadsight_synthesis.blender.errors import SceneError
from cadsight_synthesis.blender.shim import bproc

# Edges sharper than this are drawn as edges; the facets of a curved face are smoothed into one.
_SHARP_DEG = 30.0
# Pools are larger than memory now and then; what was not used for longest goes first.
_MOST_MESHES, _MOST_IMAGES = 256, 64


class Kept:
    """The most recently used things of one kind, by name."""

    def __init__(self, most: int, drop: Callable[[Any], None]) -> None:
        self._most, self._drop = most, drop
        self._items: OrderedDict[Any, Any] = OrderedDict()

    def get(self, name: Any, make: Callable[[], Any]) -> Any:
        if name not in self._items:
            self._items[name] = make()
        self._items.move_to_end(name)
        return self._items[name]

    def trim(self) -> None:
        """Drop what is too much; only between scenes, when nothing refers to it."""
        while len(self._items) > self._most:
            self._drop(self._items.popitem(last=False)[1])


class Assets:
    """Blender's data of files, known by path and time of change."""

    def __init__(self) -> None:
        self._meshes = Kept(_MOST_MESHES, bpy.data.meshes.remove)
        self._images = Kept(_MOST_IMAGES, bpy.data.images.remove)

    def mesh(self, path: str) -> bpy.types.Mesh:
        """The triangles of a PLY.

        Raises:
            SceneError: for a file that is missing or no mesh.
        """
        return self._meshes.get((path, _changed(path)), lambda: _load_mesh(path))

    def texture(self, path: str) -> bpy.types.Image:
        """An image in sRGB.

        Raises:
            SceneError: for a file that is missing or no image.
        """
        return self._images.get((path, _changed(path)), lambda: _load_image(path, "sRGB"))

    def environment(self, path: str) -> bpy.types.Image:
        """An image of all that is around, linear in the formats that hold light.

        Raises:
            SceneError: for a file that is missing or no image.
        """
        colours = "Linear Rec.709" if path.lower().endswith((".exr", ".hdr")) else "sRGB"
        return self._images.get((path, _changed(path), "around"), lambda: _load_image(path, colours))

    def trim(self) -> None:
        """Keep memory flat over scenes without end."""
        self._meshes.trim()
        self._images.trim()


def _changed(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError as error:
        raise SceneError(f"{path} could not be read: {error.strerror}") from error


def _load_mesh(path: str) -> bpy.types.Mesh:
    try:
        objects = bproc.loader.load_obj(path)
    except (RuntimeError, UnicodeDecodeError) as error:
        raise SceneError(f"the mesh {path} could not be read: {' '.join(str(error).split())}") from error
    if not objects or not objects[0].get_mesh().polygons:
        raise SceneError(f"the mesh {path} has no triangles, expected a surface as PLY")
    mesh = objects[0].get_mesh()
    for each in objects:
        bpy.data.objects.remove(each.blender_obj)
    for material in [slot for slot in mesh.materials if slot]:
        bpy.data.materials.remove(material)
    mesh.materials.clear()
    _lay_texture(mesh)
    mesh.shade_smooth()
    mesh.set_sharp_from_angle(angle=math.radians(_SHARP_DEG))
    mesh.use_fake_user = True
    return mesh


def _positions(mesh: bpy.types.Mesh) -> NDArray[np.float32]:
    """(V, 3) of the vertices."""
    positions = np.empty((len(mesh.vertices), 3), np.float32)
    mesh.vertices.foreach_get("co", positions.ravel())
    return positions


def _lay_texture(mesh: bpy.types.Mesh) -> None:
    """Metres on the texture for each corner: projected along the axis that its face looks at most, from the corner of
    the mesh's box, as the raster engine does it."""
    positions = _positions(mesh)
    positions -= positions.min(axis=0)
    corners, sides = np.empty(len(mesh.loops), np.int32), np.empty(len(mesh.polygons), np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    mesh.polygons.foreach_get("loop_total", sides)
    normals = np.empty(len(mesh.polygons) * 3, np.float32)
    mesh.polygons.foreach_get("normal", normals)
    across = np.array([[1, 2], [0, 2], [0, 1]])[np.abs(normals.reshape(-1, 3)).argmax(axis=1)]
    on_texture = np.take_along_axis(positions[corners], np.repeat(across, sides, axis=0), axis=1)
    layer = mesh.uv_layers.new(name="metres")
    layer.uv.foreach_set("vector", np.ascontiguousarray(on_texture, np.float32).ravel())


def _load_image(path: str, colours: str) -> bpy.types.Image:
    image = bpy.data.images.load(path)
    # Blender opens anything and shows pink where it is no image.
    if not image.size[0] or not image.size[1]:
        bpy.data.images.remove(image)
        raise SceneError(f"{path} is no image that can be read, expected PNG, JPEG, HDR or EXR")
    image.colorspace_settings.name = colours
    image.use_fake_user = True
    return image
