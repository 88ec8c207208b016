"""Samples made of the entries of COCO's files, one by one when they are taken out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.formats.coco.description import Raw
from cadsight_core.formats.reading.columns import Columns, Row, reach, rows
from cadsight_core.formats.reading.notes import Notes
from cadsight_core.imaging.images import image_size
from cadsight_core.running.progress import with_progress_if_many
from cadsight_core.sample import Instance, Sample, Split, decode_mask, read_source
from cadsight_core.shapes import bounds, given_polygons, instance_mask, is_crowd, run_lengths

_ANNOTATION_KEYS = ("image_id", "category_id", "bbox", "score", "cadsight")
_IMAGE_KEYS = ("file_name", "width", "height", "cadsight")


@dataclass(frozen=True)
class Entry:
    """An image as one file lists it, with its annotations and their classes.

    Attributes:
        plain: whether no entry of the image has to be checked, and of its labels only the boxes.
    """

    file: Path
    split: Split
    raw: Raw
    annotations: list[tuple[int, Raw]]
    classes: Mapping[Any, int]
    plain: bool = False


class CocoSamples:
    """Samples made one by one of the entries of the files.

    A reader that refuses the first fault looks at an image's header when its sample is taken out; one that collects
    faults looks at all of them at once, so that it knows which images can be used.
    """

    def __init__(
        self,
        images: Sequence[tuple[Split, Path]],
        names: Sequence[str],
        groups: Sequence[Sequence[Entry]],
        notes: Notes,
    ) -> None:
        self._images, self._names, self._groups, self._notes = images, names, groups, notes
        self._sizes: dict[int, ImageSize] = {}
        self._noted: set[int] = set()
        # A strict reader does not open the images here.
        checked = (
            range(len(images))
            if notes.strict
            else with_progress_if_many(range(len(images)), len(images), "images found")
        )
        self.usable = [n for n in checked if self._is_usable(n)]

    def _is_usable(self, number: int) -> bool:
        self._notes.label_file(self._names[number], self._groups[number][0].file)
        if self._notes.strict:
            return True
        try:
            self._size(number)
        except CadsightError as error:
            self._notes.problem("unreadable image", self._images[number][1], str(error), loses="images")
            return False
        return True

    def _size(self, number: int) -> ImageSize:
        if number not in self._sizes:
            size = image_size(self._images[number][1])
            for entry in self._groups[number]:
                stated = (entry.raw.get("width"), entry.raw.get("height"))
                if None not in stated and stated != (size.width, size.height):
                    self._notes.problem(
                        "wrong image size",
                        entry.file,
                        f"{entry.raw['file_name']!r} is said to be {stated[0]} x {stated[1]} pixels, expected "
                        f"{size.width} x {size.height} as in the image",
                    )
            self._sizes[number] = size
        return self._sizes[number]

    def make(self, number: int) -> Sample:
        size, entries = self._size(number), self._groups[number]
        split, image = self._images[number]
        sample = _sample(entries[0].raw, image, self._names[number], split, size)
        instances = []
        first_time = number not in self._noted
        self._noted.add(number)
        for file, index, annotation, class_id in _together(entries):
            try:
                instances.append(_instance(annotation, class_id, size))
            except CadsightError as error:
                if first_time:
                    text = f"annotation {annotation.get('id', index)!r}: {error}"
                    self._notes.problem("odd label", file, text, loses="labels")
        return replace(sample, instances=tuple(instances))

    def columns(self) -> Columns:
        """The labels of the samples that can be used; of plain ones none is made."""
        heads: list[Sample] = []
        counts: list[int] = []
        classes: list[int] = []
        boxes: list[Sequence[float]] = []
        reaches: dict[int, Row] = {}
        normals: list[int] = []
        crowds: list[int] = []
        for number in self.usable:
            entries, row = self._groups[number], len(classes)
            if len(entries) == 1 and (entries[0].plain or _is_direct(entries[0])):
                entry = entries[0]
                split, image = self._images[number]
                heads.append(_sample(entry.raw, image, self._names[number], split, self._size(number)))
                labels = entry.annotations
                classes += [entry.classes[a["category_id"]] for _, a in labels]
                boxes += [a["bbox"] for _, a in labels]
                crowds += [row + n for n, (_, a) in enumerate(labels) if a.get("iscrowd")]
                if not entry.plain:
                    reaches |= {row + n: _reach(a) for n, (_, a) in enumerate(labels) if a.get("segmentation")}
                counts.append(len(labels))
                continue
            sample = self.make(number)
            heads.append(replace(sample, instances=()))
            counts.append(len(sample.instances))
            for index, instance in enumerate(sample.instances, row):
                box = instance.box
                classes.append(instance.class_id)
                boxes.append((box.x0, box.y0, box.width, box.height))
                reached = reach(instance)
                if reached is not None:
                    reaches[index] = reached
                if instance.normal is not None:
                    normals.append(index)
                if is_crowd(instance):
                    crowds.append(index)
        corners = rows(boxes)
        corners[:, 2:] += corners[:, :2]
        outlines = corners.copy()
        outlines[list(reaches)] = rows(list(reaches.values()))
        return Columns(
            heads,
            np.array(counts, np.intp),
            np.array(classes, np.int64),
            corners,
            outlines,
            _flags(normals, len(classes)),
            _flags(crowds, len(classes)),
            lambda sample, label: self.make(self.usable[sample]).instances[label],
        )


def _is_direct(entry: Entry) -> bool:
    """Whether the labels are boxes and polygons only, so that no label has to be made to know where it lies."""
    return "cadsight" not in entry.raw and all(
        a.get("bbox") is not None and "cadsight" not in a and not isinstance(a.get("segmentation"), dict)
        for _, a in entry.annotations
    )


def _reach(annotation: Raw) -> Row:
    """The box around the polygons of an annotation."""
    xs = [x for polygon in annotation["segmentation"] for x in polygon[::2]]
    ys = [y for polygon in annotation["segmentation"] for y in polygon[1::2]]
    return min(xs), min(ys), max(xs), max(ys)


def _flags(indices: Sequence[int], count: int) -> NDArray[np.bool_]:
    flags = np.zeros(count, bool)
    flags[list(indices)] = True
    return flags


def _together(entries: Sequence[Entry]) -> Iterable[tuple[Path, int, Raw, int]]:
    """File, number, annotation and class of each object; several entries for one object are one annotation."""
    if len(entries) == 1:
        entry = entries[0]
        return [(entry.file, n, a, entry.classes[a["category_id"]]) for n, a in entry.annotations]
    objects: dict[Any, tuple[Path, int, Raw, int]] = {}
    for position, entry in enumerate(entries):
        for number, annotation in entry.annotations:
            class_id = entry.classes[annotation["category_id"]]
            key: Any = (class_id, tuple(annotation.get("bbox") or ()))
            if key in objects and objects[key][0] != entry.file and key[1]:
                first = objects[key]
                objects[key] = (first[0], first[1], {**annotation, **first[2]}, class_id)
            elif key in objects:
                objects[position, number] = (entry.file, number, annotation, class_id)
            else:
                objects[key] = (entry.file, number, annotation, class_id)
    return list(objects.values())


def _sample(entry: Raw, image: Path, name: str, split: Split, size: ImageSize) -> Sample:
    own = dict(entry.get("cadsight") or {})
    record = dict(own.pop("record", {})) if own else {}
    rest = {k: v for k, v in entry.items() if k not in _IMAGE_KEYS}
    if rest:
        record["coco"] = rest
    if not own:
        return Sample(name, image, size, split=split, record=record)
    base = {"name": name, "image": "", "width": size.width, "height": size.height, "origin": "real", "split": split}
    sample = Sample.from_json({**base, **own, "instances": [], "record": record})
    return replace(sample, image=image)


def _instance(annotation: Raw, class_id: int, size: ImageSize) -> Instance:
    attributes = {k: v for k, v in annotation.items() if k not in _ANNOTATION_KEYS}
    segmentation = attributes.get("segmentation")
    own = dict(annotation.get("cadsight") or {})
    code = own.pop("mask", None)
    mask = None
    if code:
        # Files of older versions have the code a second time.
        segmentation = attributes.pop("segmentation", None)
        code = segmentation if code is True else code
        if not isinstance(code, dict):
            raise CadsightError("its mask has no run-length code, expected one as its segmentation")
        mask = decode_mask(code, size)
    elif isinstance(segmentation, dict):
        _check_code(segmentation, size)
    box = _box(annotation.get("bbox"), attributes, class_id, size)
    score = annotation.get("score")
    if not own:
        return Instance(class_id, box, mask=mask, score=score, attributes=attributes, source=read_source(score))
    data = {"source": read_source(score), **own, "class_id": class_id, "box": box.as_tuple(), "attributes": attributes}
    if score is not None:
        data["score"] = score
    return replace(Instance.from_json(data), mask=mask)


def _check_code(code: Raw, size: ImageSize) -> None:
    """Raises where a run-length code cannot be decoded or is of another image; its mask is made later."""
    counts = run_lengths(code)["counts"]
    height, width = code["size"]
    if (height, width) != (size.height, size.width):
        raise CadsightError(
            f"its run-length code is of an image of {width} x {height} pixels, expected {size.width} x {size.height}"
        )
    if sum(counts) != width * height or min(counts, default=0) < 0:
        raise CadsightError(f"its runs add up to {sum(counts)} pixels, expected {width} x {height}")


def _box(bbox: Any, attributes: Raw, class_id: int, size: ImageSize) -> Box:
    if bbox is None:
        probe = Instance(class_id, Box(0.0, 0.0, 0.0, 0.0), attributes=attributes, source="human")
        polygons, mask = given_polygons(probe), instance_mask(probe, size)
        box = bounds(polygons) if polygons else Box.from_mask(mask) if mask is not None else None
        if box is None:
            raise CadsightError("it has no bbox and no segmentation, expected one of them")
        return box
    x, y, width, height = map(float, bbox)
    return Box(x, y, x + width, y + height)
