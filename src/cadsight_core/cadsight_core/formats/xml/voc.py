"""Pascal VOC: one XML an image, of boxes and of polygons as Roboflow adds them.

VOC counts pixels from 1 and names a box by its first and last pixel, so that (11, 11) to (40, 50) is the box from
(10, 10) to (40, 50) here.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from cadsight_core.box import Box
from cadsight_core.errors import CadsightError
from cadsight_core.formats.files.text_files import read_text
from cadsight_core.formats.files.xml_files import number, read_xml, root_of, text
from cadsight_core.formats.reading.finding import Claim, Loaded
from cadsight_core.formats.reading.folders import split_among, split_of
from cadsight_core.formats.reading.listed import Listed, Named, found_image, size_of, together
from cadsight_core.formats.reading.locating import Locator
from cadsight_core.formats.reading.notes import Notes
from cadsight_core.formats.reading.tree import Tree
from cadsight_core.formats.reading.where import Where
from cadsight_core.running.progress import with_progress_if_many
from cadsight_core.sample import Instance, Split

_IMAGES = ("JPEGImages", "images", "Images", "jpegimages")
_FLAGS = ("difficult", "truncated", "occluded")
# What is read apart, and settings of the file that do not describe the object.
_PASSED = (
    *("name", "bndbox", "polygon", "attributes", "pose", "iscrowd", *_FLAGS),
    *("deleted", "verified", "id", "date", "username", "type"),
)


def claim_voc(where: Where) -> Claim | None:
    """The claim on the XML of Pascal VOC, None where there are none."""
    files = [f for f in where.files(".xml") if root_of(f) == "annotation"]
    if not files:
        return None
    quiet = Notes()
    images = []
    for path in with_progress_if_many(files, len(files), "label files read"):
        try:
            filename = text(read_xml(path), "filename")
        except CadsightError:
            filename = ""
        images.append(found_image(_locator(path, where), _names(path, filename, where), path, quiet))
    lists = tuple(_lists(where.tree))
    taken = tuple(dict.fromkeys(image for image in images if image is not None))
    why = f"<annotation> in {files[0].name}"
    return Claim("voc", why, (*files, *lists), taken, lambda notes: _loaded(files, where, notes))


def _lists(tree: Tree) -> dict[Path, Split]:
    """The lists of images of each split, in ImageSets/Main."""
    texts = [f for f in tree.ending(".txt") if f.parent.name == "Main" and f.parent.parent.name == "ImageSets"]
    return {f: split for f in texts if (split := split_of(f.stem))}


def _splits(tree: Tree, notes: Notes) -> dict[str, Split]:
    """The split of each image by its name without suffix; a list of one class has a second column."""
    found: dict[str, Split] = {}
    for file, split in _lists(tree).items():
        for line in read_text(file).splitlines():
            if not line.strip():
                continue
            stem = Path(line.split()[0]).stem
            if found.setdefault(stem, split) != split:
                text = f"{stem!r} stands in {found[stem]} and in {split}, expected one split"
                notes.problem("image in two splits", file, text)
    return found


def _locator(path: Path, where: Where) -> Locator:
    bases = [path.parent, *(path.parent.parent / name for name in _IMAGES), path.parent.parent]
    return where.locator([*bases, where.tree.folder])


def _names(path: Path, image_path: str, where: Where) -> list[str]:
    """By the file's word, else the image of the XML's own name: many tools leave another suffix or an old name."""
    last = image_path.replace("\\", "/").rpartition("/")[2]
    own = sorted(set(where.image_tree.stems.get(path.stem, ())))
    return [image_path, last, *own]


def _loaded(files: Sequence[Path], where: Where, notes: Notes) -> Loaded:
    tree = where.tree
    splits = _splits(tree, notes)
    listed = []
    for path in files:
        try:
            root = read_xml(path)
            stated = _size(root)
        except CadsightError as error:
            notes.problem("unreadable label file", path, str(error), loses="label files")
            continue
        names = _names(path, text(root, "filename"), where)
        image = found_image(_locator(path, where), names, path, notes)
        size = None if image is None else size_of(image, stated, path, notes)
        if image is None or size is None:
            continue
        parts = path.relative_to(tree.folder).parts[:-1] if path.is_relative_to(tree.folder) else ()
        split = splits.get(path.stem) or split_among(parts)
        objects = []
        for index, element in enumerate(root.iter("object")):
            try:
                objects.append(_object(element))
            except CadsightError as error:
                notes.problem("odd label", path, f"object {index}: {error}", loses="labels")
        listed.append(Listed(path, image, size, split, tuple(objects)))
    return together(listed, (), "voc", tree.folder, notes)


def _size(root: ElementTree.Element) -> tuple[float, float] | None:
    width, height = text(root, "size/width"), text(root, "size/height")
    if not width or not height:
        return None
    return number(width, "the width"), number(height, "the height")


def _object(element: ElementTree.Element) -> Named:
    name = text(element, "name")
    if not name:
        raise CadsightError("it has no name, expected a class")
    attributes: dict[str, Any] = {}
    extras: dict[str, Any] = {flag: 1 for flag in _FLAGS if text(element, flag, "0").lower() in ("1", "true", "yes")}
    if text(element, "iscrowd", "0") == "1":
        attributes["iscrowd"] = 1
    pose = text(element, "pose")
    if pose and pose.lower() != "unspecified":
        extras["pose"] = pose
    extras |= _others(element)
    if extras:
        attributes["voc"] = extras
    polygons = [p for p in map(_polygon, element.findall("polygon")) if len(p)]
    if polygons:
        attributes["segmentation"] = [p.ravel().tolist() for p in polygons]
    edges = element.find("bndbox")
    if edges is None and not polygons:
        kinds = ", ".join(child.tag for child in element if child.tag not in _PASSED)
        raise CadsightError(f"it has no bndbox{f' but {kinds}' if kinds else ''}, expected one")
    if edges is None:
        corners = np.concatenate(polygons)
        return Named(
            name,
            Instance(
                0, Box(*map(float, (*corners.min(axis=0), *corners.max(axis=0)))), attributes=attributes, source="human"
            ),
        )
    x0, y0, x1, y1 = (number(text(edges, side), side) for side in ("xmin", "ymin", "xmax", "ymax"))
    if x1 < x0 or y1 < y0:
        raise CadsightError(f"the bndbox is ({x0:g}, {y0:g}) to ({x1:g}, {y1:g}), expected the smaller ones first")
    return Named(name, Instance(0, Box(x0 - 1, y0 - 1, x1, y1), attributes=attributes, source="human"))


def _others(element: ElementTree.Element) -> dict[str, Any]:
    """Further entries of an object: CVAT's attributes by name, parts of a person, fields of other tools."""
    others = _contents([child for child in element if child.tag not in _PASSED])
    for one in element.iterfind("attributes/attribute"):
        name, value = text(one, "name"), text(one, "value")
        # CVAT writes for every box that it is not turned.
        if name and value and not (name == "rotation" and value in ("0", "0.0")):
            others[name] = value
    return others


def _contents(children: Iterable[ElementTree.Element], levels: int = 3) -> dict[str, Any]:
    """The text in each of some elements, or what its own hold, several of one name as a list."""
    found: dict[str, list[Any]] = {}
    for child in children:
        content = _contents(child, levels - 1) if len(child) and levels else " ".join("".join(child.itertext()).split())
        if content:
            found.setdefault(child.tag, []).append(content)
    return {tag: contents if len(contents) > 1 else contents[0] for tag, contents in found.items()}


def _polygon(element: ElementTree.Element) -> np.ndarray:
    """Corners as x1, y1, x2, ... or as pt with x and y, in pixels from the image's corner."""
    points = [(text(p, "x"), text(p, "y")) for p in element.findall("pt")]
    if not points:
        count = sum(child.tag.startswith("x") for child in element)
        points = [(text(element, f"x{n}"), text(element, f"y{n}")) for n in range(1, count + 1)]
    corners = np.array([[number(v, "a corner") for v in point] for point in points], float).reshape(-1, 2)
    if len(corners) < 3:
        raise CadsightError(f"a polygon has {len(corners)} corners, expected three or more")
    return corners
