"""Binary glTF 2.0 (GLB): what its scene shows, in metres, with colours of vertices and textures."""

import base64
import contextlib
import json
import struct
import urllib.parse
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_core.imaging.images import decode_image
from cadsight_core.meshes.files import textures
from cadsight_core.meshes.source import Source
from cadsight_core.meshes.triangles import Triangles

# What a file may require: quantised numbers are read as any others, and the rest is of looks that are not drawn.
_READ_EXTENSIONS = ("KHR_mesh_quantization", "KHR_texture_transform", "KHR_materials_unlit", "KHR_lights_punctual")
_JSON, _BIN = 0x4E4F534A, 0x004E4942
_COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
_TRIANGLES, _STRIP, _FAN = 4, 5, 6
# A small file can show the same mesh without end.
_MOST_NODES, _MOST_TRIANGLES = 100_000, 20_000_000


class _File:
    """The JSON of a GLB with its buffers."""

    def __init__(self, source: Source) -> None:
        self._source = source
        raw, self._chunk = _chunks(source.data)
        try:
            found = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise CadsightError(f"its JSON could not be read: {error}") from error
        if not isinstance(found, dict):
            raise CadsightError("its JSON is no object, expected asset, scenes and meshes")
        self.json: dict[str, Any] = found
        self._buffers: dict[int, bytes] = {}
        required = found.get("extensionsRequired", [])
        missing = [str(e) for e in required if e not in _READ_EXTENSIONS] if isinstance(required, list) else []
        if missing:
            how = "without compression" if any("compression" in e for e in missing) else "without it"
            raise CadsightError(f"it requires {', '.join(missing)}, which is not read here: export it {how}")

    def get(self, kind: str, number: Any) -> dict[str, Any]:
        """One object of an array at the top of the JSON."""
        array = self.json.get(kind, [])
        if not isinstance(array, list) or not isinstance(number, int) or not 0 <= number < len(array):
            raise CadsightError(f"it names number {number!r} of its {kind}, which is not there")
        found = array[number]
        if not isinstance(found, dict):
            raise CadsightError(f"number {number} of its {kind} is {found!r}, expected an object")
        return found

    def _buffer(self, number: int) -> bytes:
        if number not in self._buffers:
            buffer = self.get("buffers", number)
            uri = buffer.get("uri")
            if uri is None:
                if number or self._chunk is None:
                    raise CadsightError(
                        f"its buffer {number} has no bytes, expected a chunk or a uri: is it compressed?"
                    )
                self._buffers[number] = self._chunk
            else:
                self._buffers[number] = self.resource(uri)
        return self._buffers[number]

    def resource(self, uri: str) -> bytes:
        """The bytes that a uri holds or names, of a file beside this one."""
        if uri.startswith("data:"):
            try:
                return base64.b64decode(uri.partition(",")[2], validate=True)
            except ValueError as error:
                raise CadsightError(f"a uri in it is no base64: {error}") from error
        return self._source.beside(urllib.parse.unquote(uri))

    def view(self, number: Any) -> tuple[bytes, int | None]:
        """The bytes of a buffer view and their stride."""
        view = self.get("bufferViews", number)
        start, length = view.get("byteOffset", 0), view["byteLength"]
        data = self._buffer(view["buffer"])
        if start < 0 or length < 0 or start + length > len(data):
            raise CadsightError(
                f"its buffer view {number} ends at byte {start + length} of {len(data)}, expected a whole file"
            )
        return data[start : start + length], view.get("byteStride")

    def accessor(self, number: Any, *, normalised: bool | None = None) -> NDArray[Any]:
        """(N, width) of an accessor, sparse ones too; whole numbers as fractions of their most where normalised.

        Args:
            normalised: takes precedence over the flag in the file.
        """
        entry = self.get("accessors", number)
        if entry["componentType"] not in _COMPONENTS or entry["type"] not in _WIDTHS:
            raise CadsightError(
                f"its accessor {number} is {entry['type']} of {entry['componentType']}, which is not read"
            )
        kind, width, count = np.dtype(_COMPONENTS[entry["componentType"]]), _WIDTHS[entry["type"]], int(entry["count"])
        if "bufferView" in entry:
            data, stride = self.view(entry["bufferView"])
            values = _strided(data, kind, width, count, entry.get("byteOffset", 0), stride, number)
        else:
            if count * width * kind.itemsize > 64 * len(self._source.data):
                raise CadsightError(f"its accessor {number} counts {count} and has no bytes, expected a whole file")
            values = np.zeros((count, width), kind)
        sparse = entry.get("sparse")
        if sparse is not None:
            values = values.copy()
            here, there, many = sparse["indices"], sparse["values"], int(sparse["count"])
            data, _ = self.view(here["bufferView"])
            which = np.dtype(_COMPONENTS[here["componentType"]])
            index = _strided(data, which, 1, many, here.get("byteOffset", 0), None, number)[:, 0].astype(np.int64)
            data, _ = self.view(there["bufferView"])
            if (index < 0).any() or (index >= count).any():
                raise CadsightError(f"its accessor {number} sets values that it has not, expected 0 to {count - 1}")
            values[index] = _strided(data, kind, width, many, there.get("byteOffset", 0), None, number)
        whole = kind.kind in "iu"
        if whole and (entry.get("normalized", False) if normalised is None else normalised):
            return np.maximum(values.astype(float) / np.iinfo(kind).max, -1.0)
        return values

    @cached_property
    def placed(self) -> list[tuple[dict[str, Any], Array]]:
        """The nodes that the scene shows, each with its pose (4, 4) in the scene."""
        nodes = self.json.get("nodes", [])
        if self.json.get("scenes"):
            roots = self.get("scenes", self.json.get("scene", 0)).get("nodes", [])
        else:
            roots = sorted(set(range(len(nodes))) - {c for n in nodes for c in n.get("children", [])})
        found = []
        waiting = [(number, np.eye(4), frozenset[int]()) for number in reversed(roots)]
        while waiting:
            number, pose, above = waiting.pop()
            node = self.get("nodes", number)
            if number in above:
                raise CadsightError(f"its node {number} stands within itself, expected a tree")
            here = pose @ _node_pose(node)
            found.append((node, here))
            if len(found) > _MOST_NODES:
                raise CadsightError(f"its scene shows more than {_MOST_NODES} nodes, expected one part")
            waiting += [(child, here, above | {number}) for child in reversed(node.get("children", []))]
        return found


def read_glb(source: Source) -> Triangles:
    """All triangles of the file's scene in metres.

    Raises:
        CadsightError: for a file that is cut off, is no GLB of version 2, requires an extension that is not read, or
            lacks a file that it names.
    """
    try:
        return _read(_File(source))
    except CadsightError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        # The JSON is of others: a key that is missing or of another type than glTF says.
        raise CadsightError(f"its JSON is not as glTF has it: {type(error).__name__} {error}") from error


def _read(file: _File) -> Triangles:
    vertices: list[Array] = [np.empty((0, 3))]
    faces: list[NDArray[np.int64]] = [np.empty((0, 3), np.int64)]
    colours: list[NDArray[np.uint8]] = []
    notes: dict[str, None] = {}
    other, count, triangle_count, painted = 0, 0, 0, False
    for node, pose in file.placed:
        if "mesh" not in node:
            continue
        for primitive in file.get("meshes", node["mesh"])["primitives"]:
            if primitive.get("mode", _TRIANGLES) < _TRIANGLES:
                other += 1
                continue
            points, triangles = _shape(file, primitive)
            if np.linalg.det(pose[:3, :3]) < 0:
                triangles = triangles[:, ::-1]
            vertices.append(points @ pose[:3, :3].T + pose[:3, 3])
            faces.append(triangles + count)
            count += len(points)
            triangle_count += len(triangles)
            if triangle_count > _MOST_TRIANGLES:
                raise CadsightError(f"its scene shows more than {_MOST_TRIANGLES} triangles, expected one part")
            colour, has = _colour(file, primitive, len(points), notes)
            colours.append(colour)
            painted |= has
    if other:
        notes[f"{other} pieces of points or lines were left out"] = None
    return Triangles(
        np.concatenate(vertices), np.concatenate(faces), np.concatenate(colours) if painted else None, tuple(notes)
    )


def _chunks(data: bytes) -> tuple[bytes, bytes | None]:
    """The JSON and the binary chunk."""
    if len(data) < 20 or data[:4] != b"glTF":
        raise CadsightError(f"it begins with {data[:4]!r}, expected b'glTF'")
    version, length = struct.unpack_from("<II", data, 4)
    if version != 2:
        raise CadsightError(f"it is glTF {version}, expected glTF 2")
    if length > len(data):
        raise CadsightError(f"it says that it has {length} bytes and has {len(data)}, expected a whole file")
    at = 12
    found: dict[int, bytes] = {}
    while at + 8 <= length:
        size, kind = struct.unpack_from("<II", data, at)
        if at + 8 + size > length:
            raise CadsightError("it ends within a chunk, expected a whole file")
        found.setdefault(kind, data[at + 8 : at + 8 + size])
        at += 8 + size
    if _JSON not in found:
        raise CadsightError("it has no JSON chunk, expected one")
    return found[_JSON], found.get(_BIN)


def _strided(
    data: bytes, kind: np.dtype[Any], width: int, count: int, offset: int, stride: int | None, number: Any
) -> NDArray[Any]:
    row = width * kind.itemsize
    step = stride or row
    if count < 0 or offset < 0 or step < row or (count and offset + (count - 1) * step + row > len(data)):
        raise CadsightError(f"its accessor {number} reaches beyond its {len(data)} bytes, expected a whole file")
    if not count:
        return np.empty((0, width), kind)
    return np.ndarray((count, width), kind, data, offset, (step, kind.itemsize))


def _node_pose(node: dict[str, Any]) -> Array:
    """(4, 4) of a node in its parent."""
    if "matrix" in node:
        return np.array(node["matrix"], float).reshape(4, 4).T
    pose = np.eye(4)
    turn = np.array(node.get("rotation", (0, 0, 0, 1)), float)
    pose[:3, :3] = Rotation.from_quat(turn).as_matrix() * np.array(node.get("scale", (1, 1, 1)), float)
    pose[:3, 3] = node.get("translation", (0, 0, 0))
    return pose


def _shape(file: _File, primitive: dict[str, Any]) -> tuple[Array, NDArray[np.int64]]:
    """Vertices (V, 3) and triangles (F, 3) of a primitive."""
    number = primitive["attributes"]["POSITION"]
    compressed = [e for e in primitive.get("extensions", {}) if "compression" in e]
    if compressed and "bufferView" not in file.get("accessors", number):
        raise CadsightError(f"it holds {compressed[0]} alone, which is not read here: export it without compression")
    points = np.asarray(file.accessor(number), float)
    if points.shape[1] != 3:
        raise CadsightError(f"its positions have {points.shape[1]} numbers, expected 3")
    if "indices" in primitive:
        order = file.accessor(primitive["indices"])[:, 0].astype(np.int64)
    else:
        order = np.arange(len(points), dtype=np.int64)
    if len(order) and (order.min() < 0 or order.max() >= len(points)):
        raise CadsightError(f"a triangle has the vertex {order.max()}, expected 0 to {len(points) - 1}")
    mode = primitive.get("mode", _TRIANGLES)
    if mode == _TRIANGLES:
        return points, order[: len(order) // 3 * 3].reshape(-1, 3)
    count = max(len(order) - 2, 0)
    at = np.arange(count)
    if mode == _FAN:
        return points, np.stack([order[at * 0], order[at + 1], order[at + 2]], axis=1).reshape(-1, 3)
    if mode == _STRIP:
        odd = at % 2
        return points, np.stack([order[at], order[at + 1 + odd], order[at + 2 - odd]], axis=1).reshape(-1, 3)
    raise CadsightError(f"a primitive has the mode {mode}, expected 0 to 6")


def _colour(
    file: _File, primitive: dict[str, Any], count: int, notes: dict[str, None]
) -> tuple[NDArray[np.uint8], bool]:
    """(V, 3) sRGB of a primitive, and whether it comes from vertices or a texture, not from its material alone."""
    material = file.get("materials", primitive["material"]) if "material" in primitive else {}
    surface = material.get("pbrMetallicRoughness", {})
    light: Array = np.tile(np.array(surface.get("baseColorFactor", (1, 1, 1, 1)), float)[:3], (count, 1))
    has = False
    if "COLOR_0" in primitive["attributes"]:
        own = file.accessor(primitive["attributes"]["COLOR_0"], normalised=True)
        if len(own) != count or own.shape[1] not in (3, 4):
            raise CadsightError(f"{own.shape[1]} numbers for {len(own)} of {count} vertices are no colours")
        light, has = light * own[:, :3], True
    image = (
        _texture(file, surface["baseColorTexture"], primitive, count, notes) if "baseColorTexture" in surface else None
    )
    if image is not None:
        light, has = light * _linear(image), True
    return _srgb(light), has


def _texture(
    file: _File, info: dict[str, Any], primitive: dict[str, Any], count: int, notes: dict[str, None]
) -> NDArray[np.uint8] | None:
    moved = info.get("extensions", {}).get("KHR_texture_transform", {})
    name = f"TEXCOORD_{moved.get('texCoord', info.get('texCoord', 0))}"
    if name not in primitive["attributes"]:
        return None
    uv = np.asarray(file.accessor(primitive["attributes"][name]), float)
    if uv.shape != (count, 2):
        raise CadsightError(f"its {name} is {uv.shape}, expected ({count}, 2)")
    turn = float(moved.get("rotation", 0.0))
    uv = uv * np.array(moved.get("scale", (1, 1)), float)
    uv = uv @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    uv = uv + np.array(moved.get("offset", (0, 0)), float)
    texture = file.get("textures", info["index"])
    number = texture.get("source", texture.get("extensions", {}).get("EXT_texture_webp", {}).get("source"))
    decoded = None
    if number is not None:
        image = file.get("images", number)
        with contextlib.suppress(CadsightError):  # colours are not what a part cannot do without
            data = file.resource(image["uri"]) if "uri" in image else file.view(image["bufferView"])[0]
            decoded = decode_image(data, "of a texture")
    if decoded is None:
        notes["a texture of it could not be read"] = None
        return None
    sampler = file.get("samplers", texture["sampler"]) if "sampler" in texture else {}
    wrap = (sampler.get("wrapS", textures.REPEAT), sampler.get("wrapT", textures.REPEAT))
    return textures.sampled(decoded, uv, wrap)


def _linear(colours: NDArray[np.uint8]) -> Array:
    fraction = colours / 255.0
    return np.where(fraction <= 0.04045, fraction / 12.92, ((fraction + 0.055) / 1.055) ** 2.4)


def _srgb(light: Array) -> NDArray[np.uint8]:
    fraction = np.clip(np.nan_to_num(light), 0, 1)
    return np.round(
        255 * np.where(fraction <= 0.0031308, 12.92 * fraction, 1.055 * fraction ** (1 / 2.4) - 0.055)
    ).astype(np.uint8)
