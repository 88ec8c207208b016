"""VGG Image Annotator 2.x: rectangles, polygons, circles, ellipses, polylines and points, and their attributes.

A region becomes an instance with the box around its shape. Polygons also become
``attributes["segmentation"]``. Region attributes are kept in ``attributes["region_attributes"]``, a shape that is
neither box nor polygon in ``attributes["via_shape"]``, an image's own in ``Sample.record["via"]``.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.files import inside
from cadsight_core.formats.coco import read_json
from cadsight_core.formats.folders import sample_names, split_of, write_splits
from cadsight_core.formats.json_stream import Elements, Members, plain
from cadsight_core.formats.notes import Notes
from cadsight_core.images import image_size
from cadsight_core.sample import Instance, Sample
from cadsight_core.shapes import bounds, instance_contour

FILE = "via_region_data.json"
CLASS_ATTRIBUTES = ("class", "label", "name", "type", "category")

_METADATA = "_via_img_metadata"
_PROJECT_KEYS = (_METADATA, "_via_image_id_list")


def is_via(data: Any) -> bool:
    """Whether parsed JSON looks like VIA's regions or a VIA project."""
    images = data.get(_METADATA, data) if isinstance(data, dict) else None
    if not isinstance(images, dict) or (not images and _METADATA not in data):
        return False
    return all(isinstance(v, dict) and "filename" in v and "regions" in v for v in images.values())


def read_via(
    path: str | Path, notes: Notes | None = None, class_attribute: str | None = None
) -> tuple[list[Sample], tuple[str, ...], dict[str, Any]]:
    """Samples, classes and the rest (a project's settings and attributes) of one VIA file.

    The class is the region attribute ``class_attribute``; without it, the first of ``CLASS_ATTRIBUTES`` that the
    regions have, else their only attribute. Classes come in the order of the project's options, others behind
    them by name. The pictures lie beside the file, in images/, or in the project's default path.

    Raises:
        CadsightError: for JSON that does not parse or is not VIA's; and unless ``notes`` collects them, for the
            first region or picture that cannot be used.
    """
    notes = notes or Notes(strict=True)
    path = Path(path).resolve()
    data = read_json(path)
    if not is_via(data):
        raise CadsightError(f"{path} is not VIA's JSON, expected images with filename and regions")
    entries = list(data.get(_METADATA, data).values())
    project = {k: v for k, v in data.items() if k not in _PROJECT_KEYS} if _METADATA in data else {}
    places = _image_folders(path, project)
    images = [_find(str(e["filename"]), places, path, notes) for e in entries]
    split = split_of(path.parent.name)
    pictures = [(split, i or path.parent / str(e["filename"])) for e, i in zip(entries, images, strict=True)]
    names = sample_names(pictures, path.parent)
    key = class_attribute or _class_attribute(entries)
    classes = _classes(entries, key, project)
    samples = []
    for entry, image, name in zip(entries, images, names, strict=True):
        if image is None:
            continue
        try:
            size = image_size(image)
        except CadsightError as error:
            if notes.strict:
                raise
            notes.problem("unreadable picture", image, str(error))
            continue
        notes.label_file(name, path)
        instances: list[Instance] = []
        for number, region in enumerate(_regions(entry)):
            try:
                instance = _instance(region, key, classes)
            except CadsightError as error:
                notes.problem("odd label", path, f"region {number} of {entry['filename']!r}: {error}")
                continue
            notes.place(name, len(instances), path)
            instances.append(instance)
        rest = {k: v for k, v in entry.items() if k not in ("filename", "size", "regions")}
        record = {"via": rest} if rest else {}
        samples.append(Sample(name, image, size, instances=tuple(instances), split=split, record=record))
    extra = {"via": {**project, "class_attribute": key}} if project or key != CLASS_ATTRIBUTES[0] else {}
    return samples, classes, extra


def to_via(
    samples: Iterable[Sample],
    classes: Sequence[str],
    extra: Mapping[str, Any] | None = None,
    *,
    square: bool = False,
) -> dict[str, Any]:
    """VIA's JSON of samples with absolute images: a project where one was read, else the regions alone."""
    found: dict[str, Any] = plain(_via(samples, classes, extra, square))
    return found


def via_entry(
    sample: Sample, classes: Sequence[str], key: str, file: Path, *, square: bool = False
) -> tuple[str, dict[str, Any]]:
    """Key and entry of one picture, whose bytes ``file`` has; ``key`` is the attribute that tells the class."""
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
    """Write SPLIT/via_region_data.json with the pictures beside it (no folder for no split); returns the files.

    Raises:
        CadsightError: as :func:`cadsight_core.formats.folders.write_splits`.
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
    except (KeyError, TypeError, ValueError) as error:
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
    shape = region.get("shape_attributes") if isinstance(region, dict) else None
    if not isinstance(shape, dict):
        raise CadsightError("it has no shape_attributes, expected a shape")
    box = shape_box(shape)
    region_attributes = region.get("region_attributes") or {}
    name = _class_of(region_attributes, key)
    if name is None:
        raise CadsightError(f"its attributes are {region_attributes}, expected a class in {key or 'class'!r}")
    attributes = {k: v for k, v in region.items() if k not in ("shape_attributes", "region_attributes")}
    others = {k: v for k, v in region_attributes.items() if k != key or not isinstance(v, str)}
    if others:
        attributes["region_attributes"] = others
    if shape["name"] == "polygon" and len(_points(shape)) > 2:
        attributes["segmentation"] = [_points(shape).ravel().tolist()]
    elif shape["name"] != "rect":
        attributes["via_shape"] = dict(shape)
    return Instance(classes.index(name), box, attributes=attributes)


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
    return {"shape_attributes": shape, "region_attributes": attributes}


def _regions(entry: Mapping[str, Any]) -> list[Any]:
    regions = entry["regions"]
    return list(regions.values()) if isinstance(regions, dict) else list(regions or [])


def _class_attribute(entries: Iterable[Mapping[str, Any]]) -> str | None:
    keys: dict[str, None] = {}
    for entry in entries:
        for region in _regions(entry):
            keys.update(dict.fromkeys((region.get("region_attributes") or {}) if isinstance(region, dict) else {}))
    if not keys:
        return CLASS_ATTRIBUTES[0]
    return next((k for k in CLASS_ATTRIBUTES if k in keys), next(iter(keys)) if len(keys) == 1 else None)


def _class_of(attributes: Mapping[str, Any], key: str | None) -> str | None:
    """A text or radio button's value; of check boxes the one that is set."""
    value = attributes.get(key) if key is not None else None
    if isinstance(value, dict):
        chosen = [name for name, on in value.items() if on]
        return chosen[0] if len(chosen) == 1 else None
    return str(value) if value not in (None, "") else None


def _classes(entries: Iterable[Mapping[str, Any]], key: str | None, project: Mapping[str, Any]) -> tuple[str, ...]:
    declared = project.get("_via_attributes", {}).get("region", {}).get(key, {})
    options = declared.get("options", {}) if isinstance(declared, dict) else {}
    used = {
        _class_of(region.get("region_attributes") or {}, key)
        for entry in entries
        for region in _regions(entry)
        if isinstance(region, dict)
    }
    return tuple(dict.fromkeys([*options, *sorted(name for name in used if name)]))


def _image_folders(path: Path, project: Mapping[str, Any]) -> list[Path]:
    told = project.get("_via_settings", {}).get("core", {}).get("default_filepath", "")
    places = [path.parent, path.parent / "images"]
    return [*places, inside(path.parent, told)] if told and not Path(told).is_absolute() else places


def _find(name: str, places: Sequence[Path], path: Path, notes: Notes) -> Path | None:
    for place in places:
        image = inside(place, name)
        if image.is_file():
            return image
    notes.problem("missing picture", path, f"the picture {name!r} does not exist, expected a file")
    return None
