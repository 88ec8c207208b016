"""CVAT for images 1.1: one XML of all images, of boxes, polygons, ellipses and masks."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.formats.files.xml_files import elements, number, read_xml, root_of, text
from cadsight_core.formats.reading.finding import Claim, Loaded
from cadsight_core.formats.reading.folders import split_of
from cadsight_core.formats.reading.listed import Listed, Named, found_image, size_of, together
from cadsight_core.formats.reading.locating import Locator
from cadsight_core.formats.reading.notes import Notes
from cadsight_core.formats.reading.where import Where
from cadsight_core.running.progress import with_progress_if_many
from cadsight_core.sample import Instance, Source, Split, encode_mask
from cadsight_core.shapes import bounds

SHAPES = ("box", "polygon", "ellipse", "mask", "polyline", "points", "cuboid", "skeleton", "tag")
# Tags of `cadsight labels`, which say of an image that somebody looked at it or put it aside.
CHECKED, SKIPPED = "cadsight-checked", "cadsight-skipped"
_CORNERS = 90
# CVAT's words; "manual" and "file" are of people of whom no more is known.
_SOURCES: dict[str | None, Source] = {"auto": "model", "semi-auto": "human-edited"}


def claim_cvat(where: Where) -> Claim | None:
    """The claim on CVAT's XML, None where there are none."""
    files = [f for f in where.files(".xml") if root_of(f) == "annotations"]
    if not files:
        return None
    quiet = Notes()
    roots = {path: read_xml(path) for path in files}
    images = [
        found_image(_locator(path, where), _names(image), path, quiet)
        for path, root in roots.items()
        for image in root.iter("image")
    ]
    taken = tuple(dict.fromkeys(image for image in images if image is not None))
    why = f"<annotations> in {files[0].name}"
    return Claim("cvat", why, tuple(files), taken, lambda notes: _loaded(files, where, notes))


def _locator(path: Path, where: Where) -> Locator:
    parent = path.parent
    folders = [parent, parent / "images", parent.parent / "images"]
    subsets = sorted(p for p in (parent / "images").glob("*") if p.is_dir())
    return where.locator([*folders, *subsets, where.tree.folder])


def _names(image: ElementTree.Element) -> list[str]:
    """An image lies in the folder of its subset, where it has one."""
    name, subset = image.get("name", ""), image.get("subset", "")
    return [f"images/{subset}/{name}", f"{subset}/{name}", name] if subset else [name]


def _loaded(files: Sequence[Path], where: Where, notes: Notes) -> Loaded:
    listed: list[Listed] = []
    classes: dict[str, None] = {}
    for path in files:
        root = read_xml(path)
        tracks = sum(1 for _ in elements(root, "track"))
        if tracks:
            text_ = f"it has {tracks} tracks of CVAT for video, expected CVAT for images: export it as that"
            notes.problem("odd label", path, text_, loses="labels")
        classes.update(dict.fromkeys(text(label, "name") for label in root.iter("label") if _is_class(label)))
        entries = list(elements(root, "image"))
        for entry in with_progress_if_many(entries, len(entries), "labels read"):
            image = found_image(_locator(path, where), _names(entry), path, notes)
            size = None if image is None else size_of(image, _stated_size(entry), path, notes)
            if image is None or size is None:
                continue
            objects = []
            for index, shape in enumerate(elements(entry, *SHAPES)):
                if shape.tag == "tag" and shape.get("label") in (CHECKED, SKIPPED):
                    continue
                try:
                    objects.append(_object(shape, size))
                except CadsightError as error:
                    which = f"shape {index} of {entry.get('name', '')!r}"
                    notes.problem("odd label", path, f"{which}: {error}", loses="labels")
            listed.append(Listed(path, image, size, _split(entry, path, where), tuple(objects)))
    return together(listed, list(classes), "cvat", where.tree.folder, notes)


def _is_class(label: ElementTree.Element) -> bool:
    return text(label, "name") not in ("", CHECKED, SKIPPED)


def _split(entry: ElementTree.Element, path: Path, where: Where) -> Split:
    split = split_of(entry.get("subset", ""))
    return split or (split_of(path.parent.name) if path.parent != where.tree.folder else "")


def _stated_size(entry: ElementTree.Element) -> tuple[float, float] | None:
    width, height = entry.get("width"), entry.get("height")
    if not width or not height:
        return None
    return number(width, "the width"), number(height, "the height")


def _object(shape: ElementTree.Element, size: ImageSize) -> Named:
    name = shape.get("label", "")
    if not name:
        raise CadsightError("it has no label, expected a class")
    source = _SOURCES.get(shape.get("source"), "human")
    attributes: dict[str, Any] = {}
    extras: dict[str, Any] = {a.get("name", ""): (a.text or "").strip() for a in shape.findall("attribute")}
    if extras.pop("iscrowd", "") in ("1", "true"):
        attributes["iscrowd"] = 1
    if shape.get("occluded") == "1":
        extras["occluded"] = 1
    if extras:
        attributes["cvat"] = extras
    if shape.tag == "box":
        box, corners = _box(shape)
        if corners is not None:
            attributes["segmentation"] = [corners.ravel().tolist()]
        return Named(name, Instance(0, box, attributes=attributes, source=source))
    if shape.tag == "polygon":
        corners = _points(shape)
        if len(corners) < 3:
            raise CadsightError(f"the polygon has {len(corners)} corners, expected three or more")
        attributes["segmentation"] = [corners.ravel().tolist()]
        return Named(name, Instance(0, bounds([corners]), attributes=attributes, source=source))
    if shape.tag == "ellipse":
        corners = _ellipse(shape)
        attributes["segmentation"] = [corners.ravel().tolist()]
        return Named(name, Instance(0, bounds([corners]), attributes=attributes, source=source))
    if shape.tag == "mask":
        mask = _mask(shape, size)
        around = Box.from_mask(mask)
        if around is None:
            raise CadsightError("the mask is empty, expected pixels in it")
        attributes["segmentation"] = encode_mask(mask)
        return Named(name, Instance(0, around, attributes=attributes, source=source))
    raise CadsightError(f"the shape is a {shape.tag}, expected a box, polygon, ellipse or mask, which cover something")


def _value(shape: ElementTree.Element, key: str) -> float:
    return number(shape.get(key, ""), key)


def _box(shape: ElementTree.Element) -> tuple[Box, np.ndarray | None]:
    """The box, and the corners of one that was turned."""
    x0, y0, x1, y1 = (_value(shape, key) for key in ("xtl", "ytl", "xbr", "ybr"))
    if x1 < x0 or y1 < y0:
        raise CadsightError(f"the box is ({x0:g}, {y0:g}) to ({x1:g}, {y1:g}), expected the smaller ones first")
    turn = number(shape.get("rotation", "0"), "rotation")
    if not turn % 360:
        return Box(x0, y0, x1, y1), None
    corners = _turned(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]), turn, ((x0 + x1) / 2, (y0 + y1) / 2))
    return bounds([corners]), corners


def _turned(points: np.ndarray, degrees: float, centre: tuple[float, float]) -> np.ndarray:
    """Points turned clockwise, as the image is seen."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.asarray((points - centre) @ np.array([[c, s], [-s, c]]) + centre)


def _points(shape: ElementTree.Element) -> np.ndarray:
    pairs = [pair.split(",") for pair in shape.get("points", "").split(";") if pair]
    if not all(len(pair) == 2 for pair in pairs):
        raise CadsightError(f"the points are {shape.get('points')!r}, expected x,y;x,y;...")
    return np.array([[number(v, "a corner") for v in pair] for pair in pairs], float).reshape(-1, 2)


def _ellipse(shape: ElementTree.Element) -> np.ndarray:
    cx, cy, rx, ry = (_value(shape, key) for key in ("cx", "cy", "rx", "ry"))
    angles = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    around = np.stack([cx + rx * np.cos(angles), cy + ry * np.sin(angles)], axis=1)
    return _turned(around, number(shape.get("rotation", "0"), "rotation"), (cx, cy))


def _mask(shape: ElementTree.Element, size: ImageSize) -> np.ndarray:
    """The whole image's mask of run lengths along the rows of the mask's box, zeros first."""
    left, top, width, height = (int(_value(shape, key)) for key in ("left", "top", "width", "height"))
    counts = [number(v, "a run") for v in shape.get("rle", "").split(",") if v.strip()]
    if left < 0 or top < 0 or left + width > size.width or top + height > size.height:
        raise CadsightError(f"the mask of {width} x {height} pixels reaches out of the image")
    if any(c < 0 or c != int(c) for c in counts) or sum(counts) != width * height:
        raise CadsightError(f"the mask's runs add up to {sum(counts):g} pixels, expected {width} x {height}")
    runs = np.repeat(np.arange(len(counts)) % 2 == 1, np.array(counts, int)).reshape(height, width)
    mask = np.zeros((size.height, size.width), bool)
    mask[top : top + height, left : left + width] = runs
    return mask
