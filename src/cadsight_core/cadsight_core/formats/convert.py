"""From any known format to any other."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

from cadsight_core.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.formats.anything import Loaded, read
from cadsight_core.formats.coco import write_coco
from cadsight_core.formats.folders import by_split, whole_export
from cadsight_core.formats.regression import write_regression
from cadsight_core.formats.via import write_via
from cadsight_core.formats.yolo import Shapes, write_yolo
from cadsight_core.output_folder import whole_folder
from cadsight_core.sample import Sample

Target = Literal["cadsight", "yolo", "coco", "via", "regression"]
TARGETS: tuple[Target, ...] = get_args(Target)

Arrange = Callable[[Sequence[Sample]], Sequence[Sample]]


def convert(
    source: str | Path,
    target: str | Path,
    to: Target,
    *,
    square: bool = False,
    shapes: Shapes = "as_given",
    arrange: Arrange | None = None,
) -> Path:
    """Write the data set ``source`` as a new folder ``target`` in the format ``to``; returns what a trainer opens.

    Args:
        square: make boxes 1:1 (Comillas, section 3.3).
        shapes: which outlines YOLO's lines show (see :func:`cadsight_core.formats.yolo.format_line`).
        arrange: gives the samples to write, each with its split; without it all are written as they are.

    Raises:
        CadsightError: when a picture or label of the source cannot be used, ``target`` holds other files, or the
            disk refuses the bytes. ``target`` is whole or not there.
    """
    if to not in TARGETS:
        raise CadsightError(f"the format is {to!r}, expected one of {', '.join(TARGETS)}")
    loaded = read(source)
    samples = arrange(loaded.samples) if arrange else loaded.samples
    if to == "cadsight":
        return _write_dataset(samples, loaded, target, square)
    if to == "yolo":
        return write_yolo(by_split(samples), loaded.classes, target, square=square, shapes=shapes)
    if to == "regression":
        return _write_regression(samples, target)
    write: Any = write_coco if to == "coco" else write_via
    write(samples, loaded.classes, target, loaded.extra, square=square)
    return Path(target).resolve()


def _write_dataset(samples: Iterable[Sample], loaded: Loaded, target: str | Path, square: bool) -> Path:
    with whole_folder(target, replace=False) as work:
        dataset = Dataset.create(work, loaded.classes, extra=loaded.extra)
        for sample in samples:
            if square:
                boxes = tuple(replace(i, box=i.box.squared(sample.size)) for i in sample.instances)
                sample = replace(sample, instances=boxes)
            dataset.append_file(sample)
    return Path(target).resolve()


def _write_regression(samples: Sequence[Sample], target: str | Path) -> Path:
    if not any(i.normal is not None for s in samples for i in s.instances):
        raise CadsightError("no label of the data set has a normal, expected normals for the regression file")
    groups = by_split(samples)
    if list(groups) == [""]:
        return write_regression(samples, target).parent
    with whole_export(target) as work:
        for split, group in groups.items():
            write_regression(group, work / (split or "none"))
    return Path(target).resolve()
