"""Samples written as COCO's instances JSON.

Of an own sample the mask, normal, pose and record go into the key ``cadsight``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.formats.coco.description import FILE_KEYS
from cadsight_core.formats.files.json_stream import Elements, Members
from cadsight_core.formats.reading.folders import write_splits
from cadsight_core.sample import Instance, Sample, encode_mask, read_source
from cadsight_core.shapes import area, given_polygons


def write_coco(
    samples: Iterable[Sample],
    classes: Sequence[str],
    folder: str | Path,
    extra: Mapping[str, Any] | None = None,
    *,
    square: bool = False,
) -> list[Path]:
    """Write annotations/instances_SPLIT.json and images/SPLIT/ (``all`` for no split); returns the JSON files.

    Raises:
        CadsightError: as :func:`cadsight_core.formats.reading.folders.write_splits`.
    """

    def layout(split: str) -> tuple[Path, Path]:
        name = split or "all"
        return Path("images") / name, Path("annotations") / f"instances_{name}.json"

    return write_splits(samples, folder, layout, lambda group: _coco(group, classes, extra, square))


def _coco(samples: Sequence[Sample], classes: Sequence[str], extra: Mapping[str, Any] | None, square: bool) -> Members:
    header = {k: v for k, v in (extra or {}).items() if k not in FILE_KEYS}
    categories = header.pop("categories", None)
    if not categories or [c.get("name") for c in categories] != list(classes):
        categories = [{"id": i + 1, "name": name} for i, name in enumerate(classes)]
    given = [(s.record.get("coco", {}).get("id"), [i.attributes.get("id") for i in s.instances]) for s in samples]
    image_ids = _ids([image for image, _ in given])
    annotation_ids = iter(_ids([number for _, numbers in given for number in numbers]))
    images = (_image_entry(s, i) for s, i in zip(samples, image_ids, strict=True))
    annotations = (
        _annotation(instance, sample.size, next(annotation_ids), image, categories, square)
        for sample, image in zip(samples, image_ids, strict=True)
        for instance in sample.instances
    )
    parts = {"images": Elements(images), "annotations": Elements(annotations), "categories": categories}
    return Members([*header.items(), *parts.items()])


def _image_entry(sample: Sample, number: int) -> dict[str, Any]:
    record = {k: v for k, v in sample.record.items() if k != "coco"}
    fields = replace(sample, instances=()).to_json()
    own = {k: v for k, v in fields.items() if k in ("camera", "origin") and v != "real"}
    if record:
        own["record"] = record
    return {
        **sample.record.get("coco", {}),
        "id": number,
        "file_name": sample.name + sample.image.suffix.lower(),
        "width": sample.size.width,
        "height": sample.size.height,
        **({"cadsight": own} if own else {}),
    }


def _annotation(
    instance: Instance,
    size: ImageSize,
    number: int,
    image: int,
    categories: Sequence[Mapping[str, Any]],
    square: bool,
) -> dict[str, Any]:
    box = instance.box.squared(size) if square else instance.box
    fields = replace(instance, mask=None).to_json()
    own = {k: v for k, v in fields.items() if k in ("camera_from_part", "normal", "point")}
    if instance.source != read_source(instance.score):
        own["source"] = instance.source
    annotation: dict[str, Any] = {"iscrowd": 0, **instance.attributes}
    annotation.update(
        id=number,
        image_id=image,
        category_id=categories[instance.class_id]["id"],
        bbox=[box.x0, box.y0, box.width, box.height],
    )
    if instance.mask is not None:
        annotation["segmentation"] = encode_mask(instance.mask)
        own["mask"] = True
    annotation.setdefault("area", _area(instance, box))
    if instance.score is not None:
        annotation["score"] = instance.score
    if own:
        annotation["cadsight"] = own
    return annotation


def _area(instance: Instance, box: Box) -> float:
    if instance.mask is not None:
        return float(instance.mask.sum())
    polygons = given_polygons(instance)
    return sum(area(p) for p in polygons) if polygons else box.area


def _ids(given: Sequence[Any]) -> list[int]:
    """The given ids where each is there once, else new ones from 1."""
    if all(isinstance(w, int) for w in given) and len(set(given)) == len(given):
        return list(given)
    return list(range(1, len(given) + 1))
