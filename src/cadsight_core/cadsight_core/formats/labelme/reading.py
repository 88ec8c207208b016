"""LabelMe: one JSON an image, of polygons, rectangles, circles and masks.

Shapes of one label and one ``group_id`` are the parts of one object, as LabelMe's own export to COCO takes them.
"""

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from PIL import Image

from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.formats.files.json_files import checked, head_of, json_bytes, parse_json
from cadsight_core.formats.reading.finding import Claim, Loaded
from cadsight_core.formats.reading.folders import split_among
from cadsight_core.formats.reading.listed import Listed, Named, found_image, size_of, together
from cadsight_core.formats.reading.locating import Locator
from cadsight_core.formats.reading.notes import Notes
from cadsight_core.formats.reading.where import Where
from cadsight_core.imaging.images import pillow_reads
from cadsight_core.running.progress import with_progress_if_many
from cadsight_core.sample import Instance, encode_mask
from cadsight_core.shapes import Polygon, bounds, fill

# Corners of the polygon that stands for a circle: it is within 0.1 % of its area.
_CIRCLE = 90


class _Head(msgspec.Struct):
    shapes: list[msgspec.Raw]
    imagePath: str  # noqa: N815 (the file's word)


class _Shape(msgspec.Struct):
    label: str
    points: list[tuple[float, float]]
    shape_type: str = "polygon"
    group_id: int | str | None = None
    flags: dict[str, Any] | None = None
    description: str | None = None
    mask: str | None = None


class _File(msgspec.Struct):
    shapes: list[Any]
    imagePath: str  # noqa: N815
    imageWidth: int | float | None = None  # noqa: N815
    imageHeight: int | float | None = None  # noqa: N815
    flags: dict[str, Any] | None = None


@dataclass(frozen=True)
class _Covered:
    """One shape, with the polygon or mask that it covers."""

    shape: _Shape
    polygon: Polygon | None
    mask: Any
    box: Box


def claim_labelme(where: Where) -> Claim | None:
    """The claim on LabelMe's files, None where there are none."""
    heads: dict[Path, _Head] = {}
    for path in where.files(".json"):
        head = head_of(json_bytes(path), _Head)
        if head is not None:
            heads[path] = head
    if not heads:
        return None
    quiet = Notes()
    images = [found_image(_locator(path, where), _names(path, h.imagePath), path, quiet) for path, h in heads.items()]
    taken = tuple(dict.fromkeys(image for image in images if image is not None))
    why = f"shapes and imagePath in {next(iter(heads)).name}"
    return Claim("labelme", why, tuple(heads), taken, lambda notes: _loaded(list(heads), where, notes))


def _locator(path: Path, where: Where) -> Locator:
    parent = path.parent.parent
    return where.locator([path.parent, path.parent / "images", parent / "images", parent / "JPEGImages"])


def _names(path: Path, image_path: str) -> list[str]:
    """LabelMe names an image by its path from the JSON, which is lost in a moved file; its name is the JSON's own."""
    last = image_path.replace("\\", "/").rpartition("/")[2]
    return [image_path, last, path.stem + Path(last).suffix]


def _loaded(files: Sequence[Path], where: Where, notes: Notes) -> Loaded:
    tree = where.tree
    listed = []
    for path in with_progress_if_many(files, len(files), "label files read"):
        try:
            content = checked(parse_json(json_bytes(path), path), _File)
        except CadsightError as error:
            notes.problem("unreadable label file", path, str(error), loses="label files")
            continue
        image = found_image(_locator(path, where), _names(path, content.imagePath), path, notes)
        size = None if image is None else size_of(image, _stated_size(content), path, notes)
        if image is None or size is None:
            continue
        parts = path.relative_to(tree.folder).parts[:-1] if path.is_relative_to(tree.folder) else ()
        split = split_among(parts)
        listed.append(Listed(path, image, size, split, tuple(_objects(content, size, path, notes))))
    return together(listed, (), "labelme", tree.folder, notes)


def _stated_size(file: _File) -> tuple[float, float] | None:
    return (file.imageWidth, file.imageHeight) if file.imageWidth and file.imageHeight else None


def _objects(file: _File, size: ImageSize, path: Path, notes: Notes) -> list[Named]:
    groups: dict[Any, list[_Covered]] = {}
    for number, raw in enumerate(file.shapes):
        try:
            covered = _covered_at(f"shapes[{number}]", raw, size)
        except CadsightError as error:
            notes.problem("odd label", path, str(error), loses="labels")
            continue
        shape = covered.shape
        key = number if shape.group_id is None else (shape.label, shape.group_id)
        groups.setdefault(key, []).append(covered)
    return [_object(covered, size) for covered in groups.values()]


def _object(parts: Sequence[_Covered], size: ImageSize) -> Named:
    boxes = np.array([part.box.as_tuple() for part in parts])
    box = Box(*map(float, (*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0))))
    attributes: dict[str, Any] = {}
    first = parts[0].shape
    flags = {key: value for part in parts for key, value in (part.shape.flags or {}).items() if value}
    if flags.pop("iscrowd", False):
        attributes["iscrowd"] = 1
    if flags or first.description:
        attributes["labelme"] = {**({"flags": flags} if flags else {})}
        if first.description:
            attributes["labelme"]["description"] = first.description
    if any(part.mask is not None for part in parts):
        whole = np.zeros((size.height, size.width), bool)
        for part in parts:
            whole |= part.mask if part.mask is not None else fill([_corners(part)], size)
        attributes["segmentation"] = encode_mask(whole)
    elif any(part.polygon is not None for part in parts):
        attributes["segmentation"] = [_corners(part).ravel().tolist() for part in parts]
    return Named(first.label, Instance(0, box, attributes=attributes, source="human"))


def _corners(part: _Covered) -> Polygon:
    if part.polygon is not None:
        return part.polygon
    x0, y0, x1, y1 = part.box.as_tuple()
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])


def _covered_at(where: str, raw: Any, size: ImageSize) -> _Covered:
    shape = checked(raw, _Shape, where)
    try:
        return _covered(shape, size)
    except CadsightError as error:
        raise error.at(where) from error


def _covered(shape: _Shape, size: ImageSize) -> _Covered:
    points = np.array(shape.points, float).reshape(-1, 2)
    kind = shape.shape_type
    if not shape.label:
        raise CadsightError("the label is '', expected the name of a class")
    if kind == "mask" and shape.mask and len(points) == 2:
        mask = _mask(shape.mask, points, size)
        box = Box.from_mask(mask)
        if box is None:
            raise CadsightError("the mask is empty, expected pixels in it")
        return _Covered(shape, None, mask, box)
    if kind == "polygon" and len(points) >= 3:
        return _Covered(shape, points, None, bounds([points]))
    if kind == "rectangle" and len(points) in (2, 4):
        return _Covered(shape, None, None, bounds([points]))
    if kind == "circle" and len(points) == 2:
        radius = math.dist(points[0], points[1])
        angles = np.linspace(0, 2 * np.pi, _CIRCLE, endpoint=False)
        x, y = points[0]
        around = np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1)
        return _Covered(shape, around, None, Box(x - radius, y - radius, x + radius, y + radius))
    raise CadsightError(
        f"the shape is a {kind} of {len(points)} points, expected what covers something: a polygon, rectangle, circle "
        "or mask"
    )


def _mask(text: str, points: Polygon, size: ImageSize) -> Any:
    """The whole image's mask of the PNG of the mask's box, whose corners are its outermost pixels."""
    x, y = (int(v) for v in points.min(axis=0))
    with (
        pillow_reads(lambda error: CadsightError(f"the mask is no PNG in base64 ({error})")),
        Image.open(io.BytesIO(base64.b64decode(text, validate=True))) as image,
    ):
        if x < 0 or y < 0 or x + image.width > size.width or y + image.height > size.height:
            raise CadsightError(f"the mask of {image.width} x {image.height} pixels reaches out of the image")
        part = np.asarray(image.convert("L")) > 0
    mask = np.zeros((size.height, size.width), bool)
    mask[y : y + part.shape[0], x : x + part.shape[1]] = part
    return mask
