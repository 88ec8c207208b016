"""Run by the Python of datumaro's environment, which has nothing of ours: a data set as datumaro reads it, as COCO's.

    python datumaro_program.py detect SOURCE --answer FILE
    python datumaro_program.py read SOURCE --format NAME --out DIR --answer FILE

FILE gets JSON: what was read and left out, or ``error``. Images are linked where they are files, else written as PNG.
"""

import argparse
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import datumaro
import numpy as np
from datumaro.components.annotation import Annotation, AnnotationType, Points
from datumaro.components.contexts.importer import NullImportContext
from datumaro.components.dataset import Dataset
from datumaro.components.environment import Environment
from datumaro.components.errors import ConflictingCategoriesError, DatasetImportError
from datumaro.components.media import Image

# By kind, what COCO's instances have no word for.
_NOT_HELD = {
    "label": "it is of the whole image, and shows no object",
    "caption": "it is text on the image",
    "polyline": "it covers nothing",
}
_OTHERWISE = "COCO's instances have no such kind"
_OUTLINES = ("polygon", "ellipse", "rotated_bbox")
_VISIBILITY = {Points.Visibility.absent: 0, Points.Visibility.hidden: 1, Points.Visibility.visible: 2}


class _Account:
    """What is read, and what is left out and why."""

    def __init__(self) -> None:
        self.read: Counter[str] = Counter()
        self._left: dict[tuple[str, str], list[Any]] = {}

    def count(self, item: Any) -> None:
        self.read["images"] += 1
        self.read.update(annotation.type.name for annotation in item.annotations)

    def leave(self, what: str, why: str, first: str) -> None:
        self._left.setdefault((what, why), [0, first])[0] += 1

    def to_json(self) -> dict[str, Any]:
        left = [{"what": w, "why": y, "count": n, "first": f} for (w, y), (n, f) in self._left.items()]
        return {"read": dict(self.read), "left_out": left}


def read(source: str, name: str, out: Path) -> dict[str, Any]:
    """Write COCO's JSON of each subset, and its images, into ``out``."""
    parts = _parts(source, name)
    categories = _categories(parts)
    ids = {category["name"]: category["id"] for category in categories}
    account = _Account()
    files: dict[str, dict[str, list[Any]]] = {}
    number = 0
    for part in parts:
        known = [ids[label.name] for label in part.categories().get(AnnotationType.label, ())]
        for item in part:
            number += 1
            account.count(item)
            if not isinstance(item.media, Image):
                account.leave("images", "they have no image", item.id)
                for annotation in item.annotations:
                    account.leave(annotation.type.name, "its item has no image", item.id)
                continue
            subset = re.sub(r"[^\w-]", "_", item.subset or "default")
            entry = {"id": number, "file_name": _put(item, out / "images" / subset)}
            if item.attributes:
                entry["attributes"] = _plain(item.attributes)
            file = files.setdefault(subset, {"images": [], "annotations": []})
            file["images"].append(entry)
            for found in _objects(item, known, account):
                file["annotations"].append({"id": len(file["annotations"]) + 1, "image_id": number, **found})
    (out / "annotations").mkdir(parents=True, exist_ok=True)
    for subset, file in files.items():
        text = json.dumps({**file, "categories": categories}, allow_nan=False)
        (out / "annotations" / f"instances_{subset}.json").write_text(text, encoding="utf-8")
    return account.to_json()


def _parts(source: str, name: str) -> list[Dataset]:
    """The data set in one, or in the parts whose classes differ, as of formats that number them as they come."""
    try:
        return [Dataset.import_from(source, name)]
    except DatasetImportError as error:
        if not isinstance(error.__cause__, ConflictingCategoriesError):
            raise
    environment = Environment()
    found = []
    for part in environment.make_importer(name)(source):
        words = dict(part.get("options", {}))
        try:
            extractor = environment.make_extractor(part["format"], part["url"], **words, ctx=NullImportContext())
        except TypeError:  # which some plugins do not take
            extractor = environment.make_extractor(part["format"], part["url"], **words)
        found.append(Dataset.from_extractors(extractor))
    return found


def _categories(parts: Sequence[Dataset]) -> list[dict[str, Any]]:
    """COCO's, of the classes of all parts by their names."""
    categories: dict[str, dict[str, Any]] = {}
    for part in parts:
        points = getattr(part.categories().get(AnnotationType.points), "items", {})
        for number, label in enumerate(part.categories().get(AnnotationType.label, ())):
            category = categories.setdefault(label.name, {"id": len(categories) + 1, "name": label.name})
            if label.parent:
                category["supercategory"] = label.parent
            if number in points:
                category["keypoints"] = list(points[number].labels)
                category["skeleton"] = sorted(map(sorted, points[number].joints))
    return list(categories.values())


def _put(item: Any, folder: Path) -> str:
    """Link or write the image of an item; its name in ``folder``."""
    path = getattr(item.media, "path", "") or ""
    is_file = bool(path) and os.path.isfile(path)
    stem = "/".join(part for part in item.id.replace("\\", "/").split("/") if part not in ("", ".", ".."))
    suffix = Path(path).suffix if is_file else ".png"
    name, turn = f"{stem}{suffix}", 1
    while os.path.lexists(folder / name):
        turn += 1
        name = f"{stem}-{turn}{suffix}"
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    if is_file:
        os.symlink(os.path.abspath(path), folder / name)
    else:
        item.media.save(str(folder / name))
    return name


def _objects(item: Any, known: Sequence[int], account: _Account) -> Iterator[dict[str, Any]]:
    for group in _groups(item.annotations):
        usable = []
        for annotation in group:
            kind = annotation.type.name
            label = getattr(annotation, "label", None)
            if kind not in ("bbox", "mask", "points", *_OUTLINES):
                account.leave(kind, _NOT_HELD.get(kind, _OTHERWISE), item.id)
            elif label is None or not 0 <= label < len(known):
                account.leave(kind, "it has no class", item.id)
            else:
                usable.append(annotation)
        kinds = {a.type.name for a in usable}
        if kinds == {"points"}:
            for _ in usable:
                account.leave("points", "no box or outline says what they are of", item.id)
        elif usable:
            yield {"category_id": known[usable[0].label], **_object(usable, item.id, account)}


def _groups(annotations: Sequence[Annotation]) -> Iterable[list[Annotation]]:
    """The annotations that are one object: those of a group and a class, of which one box or set of points is held."""
    groups: dict[Any, list[Annotation]] = {}
    for number, annotation in enumerate(annotations):
        key = (annotation.group, getattr(annotation, "label", None)) if annotation.group else number
        groups.setdefault(key, []).append(annotation)
    for group in groups.values():
        kinds = Counter(a.type.name for a in group)
        if kinds["bbox"] > 1 or kinds["points"] > 1:
            yield from ([annotation] for annotation in group)
        else:
            yield group


def _object(group: Sequence[Annotation], first: str, account: _Account) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for annotation in group:
        attributes |= annotation.attributes
    crowd = bool(attributes.pop("is_crowd", False))
    entry: dict[str, Any] = {"iscrowd": int(crowd)}
    outlines = [a for a in group if a.type.name in _OUTLINES]
    masks = [np.asarray(a.image, bool) for a in group if a.type.name == "mask"]
    if outlines:
        entry["segmentation"] = [_polygon(a) for a in outlines]
        for _ in masks:
            account.leave("mask", "an outline of the same object is held", first)
    elif masks:
        entry["segmentation"] = _run_lengths(np.logical_or.reduce(masks))
    for annotation in group:
        if annotation.type.name == "bbox":
            entry["bbox"] = [float(v) for v in annotation.get_bbox()]
        elif annotation.type.name == "points":
            points = zip(*[iter(annotation.points)] * 2, annotation.visibility, strict=True)
            seen = [(float(x), float(y), _VISIBILITY[v]) for x, y, v in points]
            entry["keypoints"] = [value for point in seen for value in point]
            entry["num_keypoints"] = sum(bool(v) for _, _, v in seen)
    if attributes:
        entry["attributes"] = _plain(attributes)
    return entry


def _polygon(annotation: Any) -> list[float]:
    """Corners x0, y0, x1, ...; of a turned box they come in pairs."""
    corners = annotation.points if annotation.type.name == "polygon" else annotation.as_polygon()
    found: list[float] = np.ravel(corners).astype(float).tolist()
    return found


def _run_lengths(mask: Any) -> dict[str, Any]:
    """COCO's uncompressed run-length code: runs down the columns, starting with zeros."""
    flat = mask.ravel(order="F")
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    counts = np.diff(np.concatenate([[0], changes, [flat.size]])).tolist()
    return {"size": list(mask.shape), "counts": [0, *counts] if flat.size and flat[0] else counts}


def _plain(value: Any) -> Any:
    """The same in JSON's types; what JSON has no word for as text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(member) for member in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("detect", "read"))
    parser.add_argument("source")
    parser.add_argument("--answer", type=Path, required=True)
    parser.add_argument("--format")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    environment = Environment()
    known = {"version": datumaro.__version__, "known": sorted(environment.importers)}
    try:
        if args.action == "detect":
            answer = {"formats": environment.detect_dataset(args.source)}
        else:
            answer = read(args.source, args.format, args.out)
    except Exception as error:  # whatever a plugin raises is passed on to the caller
        causes = [error, *filter(None, [error.__cause__])]
        words = " ".join(" ".join(map(str, causes)).split()) or type(error).__name__
        answer = {"error": words[:400]}
    args.answer.write_text(json.dumps({**known, **answer}, allow_nan=False), encoding="utf-8")


if __name__ == "__main__":
    main()
