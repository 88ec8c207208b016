"""The formats that are written: one entry each, with what it does not hold."""

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.formats.account import Loses, Lost, contents, extras
from cadsight_core.formats.coco.writing import write_coco
from cadsight_core.formats.reading.finding import Loaded
from cadsight_core.formats.reading.folders import by_split, whole_export
from cadsight_core.formats.regression import CLASSES as REGRESSION_CLASSES
from cadsight_core.formats.regression import write_regression
from cadsight_core.formats.via.project import write_via
from cadsight_core.formats.yolo.labels import Shapes, is_in_view, key_points_of, row_kind, write_yolo
from cadsight_core.running.progress import with_progress_if_many
from cadsight_core.sample import Instance, Sample
from cadsight_core.shapes import has_shape, is_crowd
from cadsight_core.storage.output_folder import whole_folder


@dataclass(frozen=True)
class Writing:
    """How a set is written.

    Attributes:
        square: make boxes 1:1 (Comillas, section 3.3).
        shapes: what YOLO's lines show (see :func:`cadsight_core.formats.yolo.labels.row_kind`).
    """

    square: bool = False
    shapes: Shapes = "as_given"


@dataclass(frozen=True)
class Writer:
    """A format that is written.

    Attributes:
        write: writes samples and what else was read as a new folder, and returns what a trainer opens.
        loses: what of a sample the format does not hold, for a set that is written with given settings.
        loses_classes: the names of the classes that it does not hold, of all and the ids of those that have labels,
            and why.
    """

    name: str
    write: Callable[[Sequence[Sample], Loaded, Path, Writing], Path]
    loses: Callable[[Sequence[Sample], Writing], Loses]
    loses_classes: Callable[[Sequence[str], Set[int]], tuple[list[str], str]] = lambda _classes, _used: ([], "")


def _write_dataset(samples: Sequence[Sample], loaded: Loaded, target: Path, writing: Writing) -> Path:
    with whole_folder(target, replace=False) as work:
        dataset = Dataset.create(work, loaded.classes, extra=loaded.extra)
        for sample in with_progress_if_many(samples, len(samples), "images written"):
            if writing.square:
                boxes = tuple(replace(i, box=i.box.squared(sample.size)) for i in sample.instances)
                sample = replace(sample, instances=boxes)
            dataset.append_file(sample)
    return target.resolve()


def _write_yolo(samples: Sequence[Sample], loaded: Loaded, target: Path, writing: Writing) -> Path:
    groups = by_split(samples)
    return write_yolo(groups, loaded.classes, target, square=writing.square, shapes=writing.shapes, extra=loaded.extra)


def _write_json(write: Any) -> Callable[[Sequence[Sample], Loaded, Path, Writing], Path]:
    def written(samples: Sequence[Sample], loaded: Loaded, target: Path, writing: Writing) -> Path:
        write(samples, loaded.classes, target, loaded.extra, square=writing.square)
        return target.resolve()

    return written


def _write_regression(samples: Sequence[Sample], _loaded: Loaded, target: Path, _writing: Writing) -> Path:
    if not any(i.normal is not None for s in samples for i in s.instances):
        raise CadsightError("no label of the data set has a normal, expected normals for the regression file")
    groups = by_split(samples)
    if list(groups) == [""]:
        return write_regression(samples, target).parent
    with whole_export(target) as work:
        for split, group in groups.items():
            write_regression(group, work / (split or "none"))
    return target.resolve()


def _nothing(_samples: Sequence[Sample], _writing: Writing) -> Loses:
    return lambda _sample: ()


def _all_of(instances: Iterable[Instance], why: str) -> Iterator[Lost]:
    for instance in instances:
        for what, count in contents(instance).items():
            yield what.replace("_", " "), why, count


def _by_yolo(samples: Sequence[Sample], writing: Writing) -> Loses:
    count = 0 if writing.square else key_points_of({"": samples}, writing.shapes)

    def lost(sample: Sample) -> Iterator[Lost]:
        yield from _all_of(filter(is_crowd, sample.instances), "YOLO has no crowds")
        objects = [i for i in sample.instances if not is_crowd(i)]
        visible = [i for i in objects if is_in_view(i, sample.size)]
        away = [i for i in objects if not is_in_view(i, sample.size)]
        yield from _all_of(away, "nothing of their box lies in the image")
        kind = "boxes" if count else row_kind(visible, writing.shapes, square=writing.square)
        shapes = [i for i in visible if has_shape(i)]
        if kind == "boxes":
            why = "its rows show boxes"
            if not writing.square and writing.shapes == "as_given":
                why = "its rows show boxes where not each label has a polygon; --shapes polygons writes outlines"
            yield "outlines", why, len(shapes)
        points = sum(bool(i.attributes.get("keypoints")) for i in visible)
        if not count:
            why = "its rows show outlines or boxes; --shapes keypoints writes key points, where all have as many"
            yield "key points", why, points
        yield "normals", "YOLO has no normals", sum(i.normal is not None for i in visible)
        yield "attributes", "YOLO has no attributes", sum(len(extras(i)) for i in visible)

    return lost


def _by_via(_samples: Sequence[Sample], writing: Writing) -> Loses:
    def lost(sample: Sample) -> Iterator[Lost]:
        if writing.square:
            yield "outlines", "square boxes stand for them", sum(map(has_shape, sample.instances))
        yield "key points", "VIA has none", sum(bool(i.attributes.get("keypoints")) for i in sample.instances)
        yield "normals", "VIA has no normals", sum(i.normal is not None for i in sample.instances)
        others = [name for i in sample.instances for name in extras(i) if name != "region_attributes"]
        yield "attributes", "VIA holds its own regions' attributes alone", len(others)

    return lost


def _by_regression(_samples: Sequence[Sample], _writing: Writing) -> Loses:
    def lost(sample: Sample) -> Iterator[Lost]:
        without = [i for i in sample.instances if i.normal is None]
        if len(without) == len(sample.instances):
            yield "images", "the regression file has crops of labels with a normal", 1
        yield from _all_of(without, "the regression file has labels with a normal alone")
        kept = [i for i in sample.instances if i.normal is not None]
        yield "outlines", "the regression file has normals alone", sum(map(has_shape, kept))
        yield (
            "key points",
            "the regression file has normals alone",
            sum(bool(i.attributes.get("keypoints")) for i in kept),
        )
        names = [name for i in kept for name in extras(i) if name != "point"]
        yield "attributes", "the regression file has normals and points of interest alone", len(names)

    return lost


WRITERS = (
    Writer("yolo", _write_yolo, _by_yolo),
    Writer("coco", _write_json(write_coco), _nothing),
    Writer(
        "via",
        _write_json(write_via),
        _by_via,
        lambda classes, used: (
            [name for number, name in enumerate(classes) if number not in used],
            "VIA names the classes of its regions alone",
        ),
    ),
    Writer(
        "regression",
        _write_regression,
        _by_regression,
        lambda classes, _used: (
            [name for name in classes if (name,) != REGRESSION_CLASSES],
            "the regression file has no names of classes",
        ),
    ),
    Writer("cadsight", _write_dataset, _nothing),
)

TARGETS: tuple[str, ...] = tuple(writer.name for writer in WRITERS)
