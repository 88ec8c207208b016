"""VGG Image Annotator: rectangles, polygons, circles, ellipses, polylines and points, and their attributes.

Read are the JSON of regions of VIA 2, whole projects, and the table (CSV) that VIA 1 and 2 export.

A region becomes an instance with the box around its shape. Polygons also become
``attributes["segmentation"]``. Region attributes are kept in ``attributes["region_attributes"]``, a shape that is
neither box nor polygon in ``attributes["via_shape"]``, an image's own in ``Sample.record["via"]``.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.formats.files.json_files import checked, head_of, json_bytes, parse_json, read_json
from cadsight_core.formats.files.json_stream import Elements, Members
from cadsight_core.formats.reading.finding import Claim, Loaded
from cadsight_core.formats.reading.folders import sample_names, split_of, write_splits
from cadsight_core.formats.reading.listed import readable_size
from cadsight_core.formats.reading.locating import Locator, lexically_inside
from cadsight_core.formats.reading.merging import merged
from cadsight_core.formats.reading.notes import Notes
from cadsight_core.formats.reading.where import Where
from cadsight_core.formats.via.table import SUFFIX, entries_of, is_via_table, names_in
from cadsight_core.running.progress import with_progress_if_many
from cadsight_core.sample import Instance, Sample
from cadsight_core.shapes import bounds, instance_contour, is_crowd

FILE = "via_region_data.json"
CLASS_ATTRIBUTES = ("class", "label", "name", "type", "category")

_METADATA = "_via_img_metadata"
# A word of ours in a region's attributes, as COCO has it, for regions of many objects.
_CROWD = "iscrowd"
_UNDEFINED = "not_defined"
_PROJECT_KEYS = (_METADATA, "_via_image_id_list")


class _Region(msgspec.Struct):
    """The numbers of a shape are checked one by one."""

    shape_attributes: dict[str, Any]
    region_attributes: dict[str, Any] | None = None


class _Head(msgspec.Struct):
    """The keys that an image of VIA is recognised by."""

    filename: str
    regions: list[msgspec.Raw] | dict[str, msgspec.Raw] | None


class _Project(msgspec.Struct):
    """A whole project of VIA."""

    images: dict[str, _Head] = msgspec.field(name=_METADATA)


def claim_via(where: Where) -> Claim | None:
    """The claim on VIA's files, None where there are none.

    Where the user does not name the region attribute that holds the class, it is the first of ``CLASS_ATTRIBUTES`` that
    the regions have, else their only one. Classes come in the order of the project's options, others behind by name.
    """
    files: dict[Path, list[str]] = {}
    for path in where.files(".json", SUFFIX):
        names = _names_of(path)
        if names is not None:
            files[path] = names
    if not files:
        return None
    locators = {path: _locator(path, where, _project_of(path)) for path in files}
    images = dict.fromkeys(
        image for path, names in files.items() for name in names if (image := _image(locators[path], name)) is not None
    )

    def read(notes: Notes) -> Loaded:
        parts = [_loaded(path, where, locator, notes) for path, locator in locators.items()]
        return merged(parts, where.tree.folder, notes)

    why = f"images with regions in {next(iter(files)).name}"
    return Claim("via", why, tuple(files), tuple(images), read)


def _names_of(path: Path) -> list[str] | None:
    """The names of the images in VIA's JSON or table, None where it is something else."""
    if _is_table(path):
        return names_in(path) if is_via_table(path) else None
    data = json_bytes(path)
    project = head_of(data, _Project)
    if project is not None:
        return [image.filename for image in project.images.values()]
    images = head_of(data, dict[str, _Head])
    return [image.filename for image in images.values()] if images else None


def is_via(data: Any) -> bool:
    """Whether parsed JSON looks like VIA's regions or a VIA project."""
    images = data.get(_METADATA, data) if isinstance(data, dict) else None
    if not isinstance(images, dict) or (not images and _METADATA not in data):
        return False
    return all(isinstance(v, dict) and "filename" in v and "regions" in v for v in images.values())


def _loaded(path: Path, where: Where, locator: Locator, notes: Notes) -> Loaded:
    data = entries_of(path, notes) if _is_table(path) else read_json(path)
    if not _is_table(path) and not is_via(data):
        raise CadsightError(f"{path} is not VIA's JSON, expected images with filename and regions")
    entries = list(data.get(_METADATA, data).values())
    project = {k: v for k, v in data.items() if k not in _PROJECT_KEYS} if _METADATA in data else {}
    located = [(entry, _find(entry["filename"], locator, path, notes)) for entry in entries]
    found = [(entry, image) for entry, image in located if image is not None]
    split = split_of(path.parent.name) if path.parent != where.tree.folder else ""
    names = sample_names([(split, image) for _, image in found], path.parent)
    key = where.class_attribute or _class_attribute(entries)
    classes = _classes(entries, key, project)
    samples = []
    for (entry, image), name in with_progress_if_many(zip(found, names, strict=True), len(found), "labels read"):
        size = readable_size(image, notes)
        if size is None:
            continue
        notes.label_file(name, path)
        instances: list[Instance] = []
        for number, region in enumerate(_regions(entry)):
            try:
                instance = _instance(region, key, classes)
            except CadsightError as error:
                text = f"region {number} of {entry['filename']!r}: {error}"
                notes.problem("odd label", path, text, loses="labels")
                continue
            notes.set_location(name, len(instances), path)
            instances.append(instance)
        rest = {k: v for k, v in entry.items() if k not in ("filename", "size", "regions")}
        record = {"via": rest} if rest else {}
        samples.append(Sample(name, image, size, instances=tuple(instances), split=split, record=record))
    extra = {"via": {**project, "class_attribute": key}} if project or key != CLASS_ATTRIBUTES[0] else {}
    return Loaded(samples, classes, "via", extra)


def via_entry(
    sample: Sample, classes: Sequence[str], key: str, file: Path, *, square: bool = False
) -> tuple[str, dict[str, Any]]:
    """Key and entry of one image, whose bytes ``file`` has; ``key`` is the attribute that holds the class."""
    name = sample.name + file.suffix.lower()
    size = file.stat().st_size
    regions = [_region(i, sample.size, key, classes, square) for i in sample.instances]
    rest = {"file_attributes": {}, **sample.record.get("via", {})}
    return f"{name}{size}", {"filename": name, "size": size, "regions": regions, **rest}


def write_via(
    samples: Iterable[Sample],
    classes: Sequence[str],
    folder: str | Path,
    extra: Mapping[str, Any] | None = None,
    *,
    square: bool = False,
) -> list[Path]:
    """Write SPLIT/via_region_data.json with the images beside it (no folder for no split); returns the files.

    Raises:
        CadsightError: as :func:`cadsight_core.formats.reading.folders.write_splits`.
    """

    def layout(split: str) -> tuple[Path, Path]:
        return Path(split), Path(split) / FILE

    return write_splits(samples, folder, layout, lambda group: _via(group, classes, extra, square))


def shape_box(shape: Mapping[str, Any]) -> Box:
    """The box around VIA's ``shape_attributes``.

    Raises:
        CadsightError: for an unknown shape or numbers that are missing, odd or negative where they are lengths.
    """
    kind = shape.get("name")
    try:
        if kind == "rect":
            x, y, width, height = _numbers(shape, "x", "y", "width", "height")
            return Box(x, y, x + width, y + height)
        if kind in ("polygon", "polyline"):
            return bounds([_points(shape)])
        if kind == "circle":
            x, y, r = _numbers(shape, "cx", "cy", "r")
            return Box(x - r, y - r, x + r, y + r)
        if kind == "ellipse":
            x, y, rx, ry = _numbers(shape, "cx", "cy", "rx", "ry")
            theta = float(shape.get("theta", 0.0))
            half_width = math.hypot(rx * math.cos(theta), ry * math.sin(theta))
            half_height = math.hypot(rx * math.sin(theta), ry * math.cos(theta))
            return Box(x - half_width, y - half_height, x + half_width, y + half_height)
        if kind == "point":
            x, y = _numbers(shape, "cx", "cy")
            return Box(x, y, x, y)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise CadsightError(f"the {kind} is {dict(shape)}, expected its numbers in pixels ({error})") from error
    raise CadsightError(f"the shape is {kind!r}, expected rect, polygon, polyline, circle, ellipse or point")


def _via(samples: Iterable[Sample], classes: Sequence[str], extra: Mapping[str, Any] | None, square: bool) -> Members:
    project = dict((extra or {}).get("via", {}))
    key = project.pop("class_attribute", CLASS_ATTRIBUTES[0]) or CLASS_ATTRIBUTES[0]
    names: list[str] = []

    def entries() -> Iterator[tuple[str, dict[str, Any]]]:
        for sample in samples:
            name, entry = via_entry(sample, classes, key, sample.image, square=square)
            names.append(name)
            yield name, entry

    if not project:
        return Members(entries())
    # The list stands behind the entries, so by then all names are known.
    return Members([*project.items(), (_METADATA, Members(entries())), ("_via_image_id_list", Elements(names))])


def _numbers(shape: Mapping[str, Any], *keys: str) -> list[float]:
    values = [float(shape[k]) for k in keys]
    if not all(map(math.isfinite, values)):
        raise ValueError("not finite")
    return values


def _points(shape: Mapping[str, Any]) -> np.ndarray:
    xs, ys = shape["all_points_x"], shape["all_points_y"]
    points = np.array([xs, ys], float).T
    if len(points) < 2 or not np.isfinite(points).all():
        raise ValueError("too few points")
    return points


def _instance(region: Any, key: str | None, classes: Sequence[str]) -> Instance:
    described = checked(region, _Region)
    shape = described.shape_attributes
    box = shape_box(shape)
    region_attributes = described.region_attributes or {}
    name = _class_of(region_attributes, key)
    if name is None:
        expected = repr(key) if key else "an attribute that --class-attribute names"
        raise CadsightError(f"its attributes are {region_attributes}, expected a class in {expected}")
    crowd = region_attributes.get(_CROWD)
    if crowd is not None:
        region_attributes = {k: v for k, v in region_attributes.items() if k != _CROWD}
    attributes = {k: v for k, v in region.items() if k not in ("shape_attributes", "region_attributes")}
    others = {k: v for k, v in region_attributes.items() if k != key or not isinstance(v, str)}
    if others:
        attributes["region_attributes"] = others
    if crowd not in (None, "", "0", 0, False):
        attributes[_CROWD] = 1
    if shape["name"] == "polygon" and len(_points(shape)) > 2:
        attributes["segmentation"] = [_points(shape).ravel().tolist()]
    elif shape["name"] != "rect":
        attributes["via_shape"] = dict(shape)
    return Instance(classes.index(name), box, attributes=attributes, source="human")


def _region(instance: Instance, size: ImageSize, key: str, classes: Sequence[str], square: bool) -> dict[str, Any]:
    box = instance.box.squared(size) if square else instance.box
    # A region is one polygon.
    polygon = None if square else instance_contour(instance, size)
    shape: dict[str, Any] = {"name": "rect", "x": box.x0, "y": box.y0, "width": box.width, "height": box.height}
    if "via_shape" in instance.attributes and not square:
        shape = instance.attributes["via_shape"]
    elif polygon is not None:
        corners = polygon.astype(int) if np.array_equal(polygon, np.round(polygon)) else polygon
        x, y = corners.T.tolist()
        shape = {"name": "polygon", "all_points_x": x, "all_points_y": y}
    attributes = {key: classes[instance.class_id], **instance.attributes.get("region_attributes", {})}
    if is_crowd(instance):
        attributes[_CROWD] = "1"
    return {"shape_attributes": shape, "region_attributes": attributes}


def _regions(entry: Mapping[str, Any]) -> list[Any]:
    regions = entry["regions"]
    if isinstance(regions, dict):
        return list(regions.values())
    return regions if isinstance(regions, list) else [regions] if regions else []


def _class_attribute(entries: Iterable[Mapping[str, Any]]) -> str | None:
    """The attribute that holds the class: it has a value on most regions, and of those a name of a class.

    ``not_defined`` is what VIA's own sample attributes are before anybody filled them in. None where several attributes
    tell something and none is called like a class.
    """
    filled: dict[str, int] = {}
    filled_regions = 0
    for entry in entries:
        for region in _regions(entry):
            attributes = region.get("region_attributes") if isinstance(region, dict) else None
            if not isinstance(attributes, dict):
                continue
            filled_regions += bool(attributes)
            for key in attributes:
                filled[key] = filled.get(key, 0) + (_class_of(attributes, key) not in (None, _UNDEFINED))
    filled.pop(_CROWD, None)
    if not filled_regions:
        return CLASS_ATTRIBUTES[0]
    most = max(filled.values(), default=0)
    full = [key for key, count in filled.items() if count == most and most]
    return next((k for k in CLASS_ATTRIBUTES if k in full), _named_like_a_class(full) or None)


def _named_like_a_class(keys: Sequence[str]) -> str | None:
    """Of ``keys`` the only one, else the only one with a class's word in its name, such as ``object_name``."""
    if len(keys) == 1:
        return keys[0]
    words = [k for k in keys if any(word in re.split(r"[^a-z]+", k.lower()) for word in CLASS_ATTRIBUTES)]
    return words[0] if len(words) == 1 else None


def _class_of(attributes: Any, key: str | None) -> str | None:
    """A text or radio button's value; of check boxes the one that is set."""
    value = attributes.get(key) if key is not None and isinstance(attributes, Mapping) else None
    if isinstance(value, dict):
        chosen = [name for name, on in value.items() if on]
        return chosen[0] if len(chosen) == 1 else None
    return str(value) if isinstance(value, str | int | float) and value != "" else None


def _classes(entries: Iterable[Mapping[str, Any]], key: str | None, project: Mapping[str, Any]) -> tuple[str, ...]:
    listed = _within(project, "_via_attributes", "region", key or "", "options")
    options = [str(name) for name in listed] if isinstance(listed, dict) else []
    used = {
        _class_of(region.get("region_attributes") or {}, key)
        for entry in entries
        for region in _regions(entry)
        if isinstance(region, dict)
    }
    return tuple(dict.fromkeys([*options, *sorted(name for name in used if name)]))


def _is_table(path: Path) -> bool:
    return path.suffix.lower() == SUFFIX


def _within(value: Any, *keys: str) -> Any:
    """What stands under ``keys``, an empty mapping where nothing does."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if value is not None else {}


def _project_of(path: Path) -> dict[str, Any]:
    """A project's settings, empty where the file has none or is none."""
    if _is_table(path):
        return {}
    found = head_of(json_bytes(path), dict[str, msgspec.Raw]) or {}
    settings = found.get("_via_settings")
    return {"_via_settings": parse_json(bytes(settings), path)} if settings is not None else {}


def _locator(path: Path, where: Where, project: Mapping[str, Any]) -> Locator:
    """Finds the images beside the file, in images/, or in the project's default path."""
    folders = [path.parent, path.parent / "images"]
    stated = _within(project, "_via_settings", "core", "default_filepath")
    default = lexically_inside(path.parent, stated.replace("\\", "/")) if isinstance(stated, str) and stated else None
    return where.locator([*folders, *([default] if default is not None else [])])


def _image(locator: Locator, name: str) -> Path | None:
    try:
        return locator.find(name)
    except CadsightError:
        return None


def _find(name: Any, locator: Locator, path: Path, notes: Notes) -> Path | None:
    try:
        image = locator.find(name) if isinstance(name, str) else None
    except CadsightError as error:
        notes.problem("missing image", path, str(error), loses="images")
        return None
    if image is None:
        notes.problem("missing image", path, f"the image {name!r} does not exist, expected a file", loses="images")
    return image
