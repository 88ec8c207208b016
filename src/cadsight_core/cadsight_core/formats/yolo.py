"""YOLO labels (Comillas, section 3.1): one text file a picture, one line an instance, all relative to the picture.

A line is ``class xc yc w h``, or ``class x1 y1 x2 y2 x3 y3 ...`` for an outline, or ``class xc yc w h score`` as
detectors save it.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml

from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.formats.folders import Picture, copy_picture, pictures_in, sample_names, split_of, whole_export
from cadsight_core.formats.notes import Notes
from cadsight_core.images import SUFFIXES, image_size
from cadsight_core.sample import Instance, Sample
from cadsight_core.shapes import bounds, given_polygons, instance_contour
from cadsight_core.yaml_file import read_yaml

Shapes = Literal["as_given", "boxes", "polygons"]

# Labels are often written with six decimals.
_TOLERANCE = 1e-6
_YOLO_SPLIT = {"train": "train", "valid": "val", "test": "test", "": ""}


def read_yolo(path: str | Path, notes: Notes | None = None) -> tuple[list[Sample], tuple[str, ...]]:
    """Samples and classes of a folder with ``data.yaml``, or with images/, labels/ and ``classes.txt``.

    ``path`` is the folder or its data.yaml. A picture without a label file has no instances. Boxes and outlines
    come in pixels; outlines as ``attributes["segmentation"]`` (see :mod:`cadsight_core.shapes`). Of the pictures
    only the headers are read.

    Raises:
        CadsightError: unless ``notes`` collects them, for the first unreadable picture or label.
    """
    notes = notes or Notes(strict=True)
    path = Path(path).resolve()
    folder = path if path.is_dir() else path.parent
    pictures, classes = _layout(path, notes)
    samples = []
    largest = -1
    for (split, image), name in zip(pictures, sample_names(pictures, folder), strict=True):
        try:
            size = image_size(image)
        except CadsightError as error:
            if notes.strict:
                raise
            notes.problem("unreadable picture", image, str(error))
            continue
        labels = label_path(image)
        instances: list[Instance] = []
        if labels.is_file():
            notes.label_file(name, labels)
            for line, instance in _read_labels(labels, size, len(classes) if classes else None, notes):
                notes.place(name, len(instances), labels, line)
                instances.append(instance)
                largest = max(largest, instance.class_id)
        samples.append(Sample(name, image, size, instances=tuple(instances), split=split))
    return samples, classes or tuple(str(i) for i in range(largest + 1))


def parse_line(line: str, size: ImageSize, classes: int | None = None) -> Instance:
    """The instance that one line tells of in a picture of ``size``; ``classes`` is their number, where known.

    Raises:
        CadsightError: for too few or odd many numbers, text, values outside 0 to 1, or an unknown class.
    """
    fields = line.split()
    try:
        values = [float(f) for f in fields]
    except ValueError:
        word = next(f for f in fields if not _is_number(f))
        raise CadsightError(f"{word!r} is no number, expected class xc yc w h") from None
    if len(values) < 5 or (len(values) > 6 and len(values) % 2 == 0):
        raise CadsightError(f"{len(values)} numbers, expected class xc yc w h or class and three corners or more")
    class_id, places = values[0], values[1:]
    if not math.isfinite(class_id) or class_id != int(class_id):
        raise CadsightError(f"the class is {fields[0]}, expected a whole number")
    if class_id < 0 or (classes is not None and class_id >= classes):
        limit = f"0 to {classes - 1}" if classes is not None else "0 or more"
        raise CadsightError(f"the class is {int(class_id)}, expected {limit}")
    for field, value in zip(fields[1:], places, strict=True):
        if not -_TOLERANCE <= value <= 1 + _TOLERANCE:
            raise CadsightError(f"the value {field} lies outside 0 to 1, expected it relative to the picture")
    if len(places) > 5:
        corners = np.reshape(places, (-1, 2)) * (size.width, size.height)
        return Instance(int(class_id), bounds([corners]), attributes={"segmentation": [corners.ravel().tolist()]})
    score = places[4] if len(places) == 5 else None
    x, y, w, h = places[:4]
    return Instance(int(class_id), Box.from_yolo(x, y, w, h, size), score=score)


def format_line(instance: Instance, size: ImageSize, *, square: bool = False, shapes: Shapes = "as_given") -> str:
    """The line of an instance in a picture of ``size``.

    A box that reaches out of the picture stays as it is where its centre and size can be told, as in the paper's
    figure 3, and is else cut at the border.

    ``shapes`` writes outlines where the instance came with polygons (``as_given``), never (``boxes``), or from
    masks too (``polygons``), holes and pieces included. ``square`` writes the box made 1:1 (Comillas, section 3.3).
    """
    polygon = None
    if not square and shapes != "boxes" and (shapes == "polygons" or given_polygons(instance)):
        polygon = instance_contour(instance, size)
    if polygon is not None:
        values = (polygon / (size.width, size.height)).clip(0, 1).ravel().tolist()
    else:
        box = instance.box.squared(size) if square else instance.box
        values = list(box.to_yolo(size))
        if not all(0 <= v <= 1 for v in values):
            values = list(box.clipped(size).to_yolo(size))
    return " ".join([str(instance.class_id), *map(_text, values)])


def write_yolo(
    datasets: Mapping[str, Iterable[Sample]],
    classes: Iterable[str],
    folder: str | Path,
    *,
    square: bool = False,
    shapes: Shapes = "as_given",
) -> Path:
    """Write images/SPLIT, labels/SPLIT, classes.txt and data.yaml as Ultralytics reads them; returns data.yaml.

    ``datasets`` maps train, valid, test or '' (no split) to samples with absolute images, which are copied as
    they are. Pictures without a split lie in images/ itself, where data.yaml does not name them. The folder
    appears when it is whole; an earlier export there is replaced.

    Raises:
        CadsightError: for a picture that is missing, a name that is there twice, or a full disk.
    """
    folder = Path(folder).resolve()
    with whole_export(folder) as work:
        data: dict[str, Any] = {}
        for split, samples in datasets.items():
            name = _YOLO_SPLIT[split]
            images, labels = work / "images" / name, work / "labels" / name
            images.mkdir(parents=True, exist_ok=True)
            labels.mkdir(parents=True, exist_ok=True)
            if name:
                data[name] = f"images/{name}"
            for sample in samples:
                copy_picture(sample, images)
                lines = [format_line(i, sample.size, square=square, shapes=shapes) for i in sample.instances]
                (labels / f"{sample.name}.txt").write_text("".join(f"{line}\n" for line in lines))
        names = list(classes)
        data["names"] = dict(enumerate(names))
        (work / "classes.txt").write_text("".join(f"{n}\n" for n in names))
        (work / "data.yaml").write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True))
    return folder / "data.yaml"


def label_path(image: Path) -> Path:
    """Where the labels of ``image`` stand: the last ``images`` of its path becomes ``labels``."""
    parts = list(image.parts)
    for i in range(len(parts) - 2, -1, -1):
        if parts[i] == "images":
            parts[i] = "labels"
            break
    return Path(*parts).with_suffix(".txt")


def find_yaml(folder: Path) -> Path | None:
    """The data.yaml of a folder, None where there is none."""
    for name in ("data.yaml", "data.yml", "dataset.yaml"):
        if (folder / name).is_file():
            return folder / name
    return None


def find_classes(folder: Path) -> Path | None:
    """The class list of a folder with images/ and labels/: there, in labels/, or one folder up."""
    for candidate in (folder / "classes.txt", folder / "labels" / "classes.txt", folder.parent / "classes.txt"):
        if candidate.is_file():
            return candidate
    return None


def label_files(folder: Path) -> list[Path]:
    """All label files of a YOLO folder, sorted."""
    found = (p for p in folder.rglob("*.txt") if "labels" in p.relative_to(folder).parts[:-1])
    return sorted(p for p in found if p.name != "classes.txt")


def _layout(path: Path, notes: Notes) -> tuple[list[Picture], tuple[str, ...]]:
    config = path if path.is_file() else find_yaml(path)
    if config is not None:
        data = _read_config(config)
        classes = _class_names(data, config)
        pictures = list(_configured(data, config, notes))
        return pictures or _found(config.parent), classes
    if not path.is_dir():
        raise CadsightError(f"{path} does not exist, expected a folder with YOLO labels or its data.yaml")
    listed = find_classes(path)
    if listed is None:
        notes.problem("no class list", path, "it has no class list, expected classes.txt or data.yaml")
    classes = tuple(n.strip() for n in listed.read_text().splitlines() if n.strip()) if listed else ()
    return _found(path), classes


def _found(folder: Path) -> list[Picture]:
    """The pictures of images/, images/SPLIT/ and SPLIT/images/."""
    pictures: list[Picture] = []
    images = folder / "images"
    if images.is_dir():
        for image in pictures_in(images):
            relative = image.relative_to(images)
            pictures.append((split_of(relative.parts[0]) if len(relative.parts) > 1 else "", image))
    for part in sorted(folder.iterdir()):
        if split_of(part.name) and (part / "images").is_dir():
            pictures += [(split_of(part.name), image) for image in pictures_in(part / "images")]
    return pictures


def _read_config(path: Path) -> dict[str, Any]:
    data = read_yaml(path, "")
    if not isinstance(data, dict) or not ("names" in data or "nc" in data):
        raise CadsightError(f"{path} has no key 'names', expected the names of the classes")
    return data


def _class_names(data: dict[str, Any], path: Path) -> tuple[str, ...]:
    names = data.get("names", data.get("nc"))
    if isinstance(names, int):
        return tuple(str(i) for i in range(names))
    if isinstance(names, dict):
        if sorted(names, key=str) != sorted(range(len(names)), key=str):
            raise CadsightError(f"{path} names the classes {list(names)}, expected the ids 0 to {len(names) - 1}")
        names = [names[i] for i in range(len(names))]
    if not isinstance(names, list):
        raise CadsightError(f"{path} has the names {names!r}, expected a list, or a mapping of ids to names")
    return tuple(map(str, names))


def _configured(data: dict[str, Any], config: Path, notes: Notes) -> Iterator[Picture]:
    root = config.parent / str(data.get("path") or "")
    if not root.is_dir():
        # Ultralytics looks under its own data sets folder; a set that was moved still lies beside its file.
        root = config.parent
    root = root.resolve()
    seen: set[Path] = set()
    for key, value in data.items():
        split = split_of(str(key))
        if not split or not value:
            continue
        for entry in value if isinstance(value, list) else [value]:
            place = _place(root, str(entry))
            if place is None:
                notes.problem(
                    "missing folder", config, f"{key} is {entry!r}, expected a folder or list of pictures in {root}"
                )
                continue
            for image in _listed(place, root, notes) if place.suffix == ".txt" else pictures_in(place):
                if image not in seen:
                    seen.add(image)
                    yield split, image


def _place(root: Path, entry: str) -> Path | None:
    """The folder or list ``entry`` in ``root``; Roboflow writes ``../train/images`` for ``train/images``."""
    for candidate in (root / entry, root / entry.removeprefix("../")):
        resolved = candidate.resolve()
        if resolved.exists() and (resolved == root or root in resolved.parents):
            return resolved
    return None


def _listed(path: Path, root: Path, notes: Notes) -> Iterator[Path]:
    for number, line in enumerate(path.read_text().splitlines(), 1):
        entry = line.strip()
        if not entry:
            continue
        image = next((c.resolve() for c in (path.parent / entry, root / entry) if c.is_file()), None)
        if image is None or root not in image.parents or image.suffix.lower() not in SUFFIXES:
            notes.problem("missing picture", path, f"{entry!r} is no picture in {root}, expected one", number)
            continue
        yield image


def _read_labels(path: Path, size: ImageSize, classes: int | None, notes: Notes) -> Iterator[tuple[int, Instance]]:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        notes.problem("unreadable label file", path, f"it could not be read ({error}), expected text")
        return
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield number, parse_line(line, size, classes)
        except CadsightError as error:
            notes.problem("odd label", path, str(error), number)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _text(value: float) -> str:
    """``value`` with 16 digits, or fewer where only rounding speaks against it."""
    short = round(value, 12)
    return f"{short if abs(short - value) < 1e-14 else value:.16g}"
