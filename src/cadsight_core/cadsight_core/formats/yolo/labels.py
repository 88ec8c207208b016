"""YOLO labels (Comillas, section 3.1): one text file an image, one line an instance, all relative to the image.

A line is ``class xc yc w h``, or ``class x1 y1 x2 y2 x3 y3 ...`` for an outline, or ``class xc yc w h score`` as
detectors save it. Where data.yaml has ``kpt_shape`` a line is ``class xc yc w h`` and the key points, which come as
``attributes["keypoints"]`` in COCO's words: x, y in pixels and 0 not labelled, 1 hidden or 2 seen.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.config.yaml_file import dump_yaml
from cadsight_core.errors import CadsightError
from cadsight_core.formats.files.text_files import read_text
from cadsight_core.formats.reading.finding import Claim, Loaded
from cadsight_core.formats.reading.folders import copy_image, sample_names, whole_export
from cadsight_core.formats.reading.key_points import for_yolo
from cadsight_core.formats.reading.listed import readable_size
from cadsight_core.formats.reading.notes import Notes
from cadsight_core.formats.reading.where import Where
from cadsight_core.formats.yolo.layout import MOST_CLASSES, UNSPLIT, Layout, find_layout, label_path
from cadsight_core.running.progress import with_progress_if_many
from cadsight_core.sample import Instance, Sample, read_source
from cadsight_core.shapes import bounds, cut, given_polygons, has_shape, instance_contour, is_crowd, joined

__all__ = ["claim_yolo", "format_line", "label_path", "parse_line", "write_yolo"]

Shapes = Literal["as_given", "boxes", "polygons", "keypoints"]

# Labels are often written with six decimals.
_TOLERANCE = 1e-6
_YOLO_SPLIT = {"train": "train", "valid": "val", "test": "test", "": ""}


def claim_yolo(where: Where) -> Claim | None:
    """The claim on the YOLO set of the folder, or on that of the data.yaml that is meant; None where there is none.

    Raises:
        CadsightError: for a data.yaml or class list that cannot be used.
    """
    notes = Notes()
    layout = find_layout(where.tree, notes, where.only)
    if layout is None:
        return None
    labels = tuple(dict.fromkeys([*layout.settings, *layout.labels.values(), *layout.lone]))
    images = tuple(image for _, image in layout.images)
    return Claim("yolo", layout.why, labels, images, lambda later: _loaded(layout, notes, later))


def _loaded(layout: Layout, found: Notes, notes: Notes) -> Loaded:
    notes.take(found)
    samples = []
    largest = -1
    classes = layout.classes
    named = zip(layout.images, sample_names(layout.images, layout.folder), strict=True)
    for (split, image), name in with_progress_if_many(named, len(layout.images), "label files read"):
        size = readable_size(image, notes)
        if size is None:
            continue
        labels = layout.labels.get(image)
        instances: list[Instance] = []
        if labels is not None:
            notes.label_file(name, labels)
            for line, instance in _read_labels(labels, size, len(classes) or None, layout.points, notes):
                notes.set_location(name, len(instances), labels, line)
                instances.append(instance)
                largest = max(largest, instance.class_id)
        samples.append(Sample(name, image, size, instances=tuple(instances), split=split))
    for file in layout.lone:
        text = "it has no image, expected one of the same name"
        notes.remark("label file without image", file, text, loses="label files")
    extra = {"categories": list(layout.categories)} if layout.categories else {}
    return Loaded(samples, classes or tuple(str(i) for i in range(largest + 1)), "yolo", extra)


def parse_line(
    line: str, size: ImageSize, classes: int | None = None, points: tuple[int, int] | None = None
) -> Instance:
    """The instance that one line describes in an image of ``size``; ``classes`` is their number, where known.

    Args:
        points: of ``kpt_shape``: key points of a line, and numbers of each (2, or 3 with the visibility).

    Raises:
        CadsightError: for too few or odd many numbers, text, values outside 0 to 1, or an unknown class.
    """
    fields = line.split()
    try:
        values = [float(f) for f in fields]
    except ValueError:
        word = next(f for f in fields if not _is_number(f))
        raise CadsightError(f"{word!r} is no number, expected class xc yc w h") from None
    if points is not None:
        expected = 5 + points[0] * points[1]
        if len(values) != expected:
            raise CadsightError(
                f"{len(values)} numbers, expected {expected}: class xc yc w h and {points[0]} key points of {points[1]}"
            )
    elif len(values) < 5 or (len(values) > 6 and len(values) % 2 == 0):
        raise CadsightError(f"{len(values)} numbers, expected class xc yc w h or class and three corners or more")
    class_id, numbers = values[0], values[1:]
    if not math.isfinite(class_id) or class_id != int(class_id):
        raise CadsightError(f"the class is {fields[0]}, expected a whole number")
    limit = classes if classes is not None else MOST_CLASSES
    if not 0 <= class_id < limit:
        raise CadsightError(f"the class is {int(class_id)}, expected 0 to {limit - 1}")
    keypoints = _keypoints(numbers[4:], points[1], size) if points is not None else None
    if keypoints is not None:
        numbers = numbers[:4]
    for field, value in zip(fields[1:], numbers, strict=False):
        if not -_TOLERANCE <= value <= 1 + _TOLERANCE:
            raise CadsightError(f"the value {field} lies outside 0 to 1, expected it relative to the image")
    if keypoints is not None:
        box = Box.from_yolo(numbers[0], numbers[1], numbers[2], numbers[3], size)
        visible = sum(v > 0 for v in keypoints[2::3])
        return Instance(
            int(class_id), box, attributes={"keypoints": keypoints, "num_keypoints": visible}, source="human"
        )
    if len(numbers) > 5:
        corners = np.reshape(numbers, (-1, 2)) * (size.width, size.height)
        return Instance(
            int(class_id), bounds([corners]), attributes={"segmentation": [corners.ravel().tolist()]}, source="human"
        )
    score = numbers[4] if len(numbers) == 5 else None
    x, y, w, h = numbers[:4]
    return Instance(int(class_id), Box.from_yolo(x, y, w, h, size), score=score, source=read_source(score))


def format_line(instance: Instance, size: ImageSize, *, square: bool = False, shapes: Shapes = "as_given") -> str:
    """The line of an instance in an image of ``size``.

    A box that reaches out of the image stays as it is where its centre and size can be written, as in the paper's
    figure 3, and is else cut at the border. An outline is cut at the border.

    ``shapes`` writes outlines where the instance came with polygons (``as_given``), never (``boxes``), or from
    masks too (``polygons``), holes and parts included. ``square`` writes the box made 1:1 (Comillas, section 3.3).
    """
    kind: RowKind = "boxes"
    if not square and shapes in ("as_given", "polygons") and (shapes == "polygons" or given_polygons(instance)):
        kind = "polygons" if has_shape(instance) else "boxes"
    return _row(instance, size, kind, square=square)


RowKind = Literal["boxes", "polygons", "keypoints"]


def row_kind(instances: Sequence[Instance], shapes: Shapes, *, square: bool = False) -> RowKind:
    """What all rows of one label file show: Ultralytics leaves out an image whose rows are of two kinds.

    ``as_given`` shows outlines where each instance came with polygons; ``polygons`` shows the four corners of the box
    of an instance without a shape among others that have one.
    """
    if square or shapes in ("boxes", "keypoints") or not instances:
        return "boxes"
    if shapes == "polygons":
        return "polygons" if any(has_shape(i) for i in instances) else "boxes"
    return "polygons" if all(given_polygons(i) for i in instances) else "boxes"


def key_points_of(datasets: Mapping[str, Iterable[Sample]], shapes: Shapes) -> int:
    """How many key points the rows of a set have: 0 where it has none, different numbers, or shows outlines instead."""
    if shapes in ("boxes", "polygons"):
        return 0
    counts: set[int] = set()
    for samples in datasets.values():
        for sample in samples:
            for instance in sample.instances:
                keypoints = instance.attributes.get("keypoints")
                if keypoints:
                    counts.add(len(keypoints) // 3)
                if shapes == "as_given" and given_polygons(instance):
                    return 0
    return counts.pop() if len(counts) == 1 else 0


def _row(instance: Instance, size: ImageSize, kind: RowKind, *, square: bool = False, key_points: int = 0) -> str:
    values: list[float] = []
    if kind == "polygons":
        values = _outline(instance, size)
    if not values:
        box = instance.box.squared(size) if square else instance.box
        values = list(box.to_yolo(size))
        if not all(0 <= v <= 1 for v in values):
            values = list(box.clipped(size).to_yolo(size))
        if kind == "polygons":
            x0, y0, x1, y1 = instance.box.clipped(size).as_tuple()
            corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]) / (size.width, size.height)
            values = corners.ravel().tolist()
    if key_points:
        given = instance.attributes.get("keypoints") or [0] * 3 * key_points
        points = np.reshape(np.asarray(given, float), (-1, 3)) / (size.width, size.height, 1)
        # Ultralytics refuses a file with a point beyond the border.
        out = ((points[:, :2] < 0) | (points[:, :2] > 1)).any(axis=1)
        points[out] = 0
        values += points.ravel().tolist()
    return " ".join([str(instance.class_id), *map(_text, values)])


def _outline(instance: Instance, size: ImageSize) -> list[float]:
    """The corners of one polygon relative to the image, cut at its border; none where nothing is inside."""
    polygon = instance_contour(instance, size)
    if polygon is None:
        return []
    relative = polygon / (size.width, size.height)
    if relative.min() < 0 or relative.max() > 1:
        parts = cut([polygon], size)
        if not parts:
            return []
        relative = (joined(parts) / (size.width, size.height)).clip(0, 1)
    return relative.ravel().tolist()


def is_in_view(instance: Instance, size: ImageSize) -> bool:
    """Whether a row can describe an instance in an image of ``size``: something of its box lies in it."""
    return instance.box.clipped(size).area > 0


def write_yolo(
    datasets: Mapping[str, Iterable[Sample]],
    classes: Iterable[str],
    folder: str | Path,
    *,
    square: bool = False,
    shapes: Shapes = "as_given",
    extra: Mapping[str, Any] | None = None,
) -> Path:
    """Write images/SPLIT, labels/SPLIT, classes.txt and data.yaml as Ultralytics reads them; returns data.yaml.

    ``datasets`` maps train, valid, test or '' (no split) to samples with absolute images, which are copied as
    they are. Images without a split lie in images/ itself, or beside others in images/unsplit, which Ultralytics
    passes over. ``extra`` names key points and those that are exchanged in a mirror (see
    :mod:`cadsight_core.formats.reading.key_points`). Crowds are no objects and are left out, and so is what lies
    outside its image. The folder appears when it is whole; an earlier export there is replaced.

    Raises:
        CadsightError: for an image that is missing, a name that is there twice, or a full disk.
    """
    folder = Path(folder).resolve()
    mixed = len(datasets) > 1
    count = 0 if square else key_points_of(datasets, shapes)
    with whole_export(folder) as work:
        data: dict[str, Any] = {}
        for split, samples in datasets.items():
            name = _YOLO_SPLIT[split] or (UNSPLIT if mixed else "")
            images, labels = work / "images" / name, work / "labels" / name
            images.mkdir(parents=True, exist_ok=True)
            labels.mkdir(parents=True, exist_ok=True)
            if name:
                data[name] = f"images/{name}"
            group = samples if isinstance(samples, Sequence) else list(samples)
            for sample in with_progress_if_many(group, len(group), "images written"):
                copy_image(sample, images)
                visible = [i for i in sample.instances if not is_crowd(i) and is_in_view(i, sample.size)]
                kind = "boxes" if count else row_kind(visible, shapes, square=square)
                lines = [_row(i, sample.size, kind, square=square, key_points=count) for i in visible]
                text = "".join(f"{line}\n" for line in lines)
                (labels / f"{sample.name}.txt").write_text(text, encoding="utf-8")
        names = list(classes)
        if count:
            data |= {"kpt_shape": [count, 3], **for_yolo(extra or {}, names, count)}
        data["names"] = dict(enumerate(names))
        (work / "classes.txt").write_text("".join(f"{n}\n" for n in names), encoding="utf-8")
        (work / "data.yaml").write_text(dump_yaml(data), encoding="utf-8")
    return folder / "data.yaml"


def _read_labels(
    path: Path, size: ImageSize, classes: int | None, points: tuple[int, int] | None, notes: Notes
) -> Iterator[tuple[int, Instance]]:
    try:
        text = read_text(path)
    except CadsightError as error:
        notes.problem("unreadable label file", path, str(error), loses="label files")
        return
    kinds: dict[bool, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            instance = parse_line(line, size, classes, points)
        except CadsightError as error:
            notes.problem("odd label", path, str(error), number, loses="labels")
            continue
        kinds.setdefault("segmentation" in instance.attributes, number)
        yield number, instance
    if len(kinds) > 1:
        text = (
            f"it has boxes (line {kinds[False]}) and outlines (line {kinds[True]}), expected one kind: trainers drop it"
        )
        notes.remark("mixed rows", path, text)


def _keypoints(values: Sequence[float], each: int, size: ImageSize) -> list[float]:
    """COCO's x, y in pixels and visibility of the points of a line.

    Raises:
        CadsightError: for a number that is not finite, a point outside the image or an unknown visibility.
    """
    keypoints: list[float] = []
    for number in range(0, len(values), each):
        x, y, *rest = values[number : number + each]
        # Without a word on it, a point in the corner is one that was not labelled.
        seen = rest[0] if rest else (2.0 if x or y else 0.0)
        if not all(-_TOLERANCE <= v <= 1 + _TOLERANCE for v in (x, y)) or seen not in (0, 1, 2):
            numbers = " ".join(f"{v:g}" for v in values[number : number + each])
            raise CadsightError(
                f"the key point {number // each} is {numbers}, expected 0 to 1 and a visibility of 0, 1 or 2"
            )
        keypoints += [x * size.width, y * size.height, int(seen)] if seen else [0, 0, 0]
    return keypoints


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
