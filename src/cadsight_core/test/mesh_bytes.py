"""Small mesh files, built number by number as their formats say."""

import json
import struct

import numpy as np

# A box of 40 x 30 x 8 about the origin, its six sides counter-clockwise from outside.
BOX = np.array([[x, y, z] for z in (-4, 4) for y in (-15, 15) for x in (-20, 20)], float)
SIDES = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]]
TRIANGLES = np.array([[s[0], *s[i : i + 2]] for s in SIDES for i in (1, 2)])

KINDS = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}
WIDTHS = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}


class Glb:
    """A GLB put together."""

    def __init__(self) -> None:
        self.json = {"asset": {"version": "2.0"}, "bufferViews": [], "accessors": [], "nodes": [{"mesh": 0}]}
        self.json |= {"scenes": [{"nodes": [0]}], "meshes": [{"primitives": []}]}
        self.data = b""

    def view(self, data: bytes, **more) -> int:
        self.data += b"\0" * (-len(self.data) % 4)
        self.json["bufferViews"].append({"buffer": 0, "byteOffset": len(self.data), "byteLength": len(data), **more})
        self.data += data
        return len(self.json["bufferViews"]) - 1

    def accessor(self, values, kind: str, stride: int | None = None, **more) -> int:
        values = np.asarray(values, "<" + kind)
        values = values.reshape(len(values), -1)
        data = values.tobytes()
        if stride is not None:
            data = b"".join(row.tobytes().ljust(stride, b"\xff") for row in values)
            more_view = {"byteStride": stride}
        else:
            more_view = {}
        entry = {"componentType": KINDS[kind], "type": WIDTHS[values.shape[1]], "count": len(values)}
        self.json["accessors"].append({"bufferView": self.view(data, **more_view), **entry, **more})
        return len(self.json["accessors"]) - 1

    def primitive(self, positions: int, indices: int | None = None, **more) -> dict:
        attributes = {"POSITION": positions, **more.pop("attributes", {})}
        primitive = {"attributes": attributes, **more} | ({} if indices is None else {"indices": indices})
        self.json["meshes"][0]["primitives"].append(primitive)
        return primitive

    def box(self, **more) -> dict:
        return self.primitive(
            self.accessor(BOX * 0.001, "f4"), self.accessor(TRIANGLES.ravel(), "u2"), **more
        )  # in metres

    def bytes(self) -> bytes:
        document = {**self.json, "buffers": [{"byteLength": len(self.data)}]} if self.data else self.json
        text = json.dumps(document).encode()
        text += b" " * (-len(text) % 4)
        data = self.data + b"\0" * (-len(self.data) % 4)
        chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(data), 0x004E4942) + data
        return b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks


def binary_stl(corners, count: int | None = None, behind: bytes = b"", header: bytes = b"") -> bytes:
    """Of triangles (F, 3, 3), their count or another one in the header."""
    corners = np.asarray(corners, "<f4")
    rows = b"".join(struct.pack("<3f", 0, 0, 0) + c.tobytes() + b"\0\0" for c in corners)
    return header.ljust(80, b"\0") + struct.pack("<I", len(corners) if count is None else count) + rows + behind


def ascii_stl(polygons, name: str = "box", end: str = "\n") -> bytes:
    """Of polygons (N, M, 3)."""
    lines = [f"solid {name}"]
    for polygon in polygons:
        lines += ["facet normal 0 0 0", "outer loop", *(f"vertex {x:g} {y:g} {z:g}" for x, y, z in polygon)]
        lines += ["endloop", "endfacet"]
    return end.join([*lines, f"endsolid {name}", ""]).encode()
