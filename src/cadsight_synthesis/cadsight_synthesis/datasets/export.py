"""A set of images in the formats that others read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.formats.convert import convert

Format: TypeAlias = Literal["yolo", "coco", "via", "regression"]
FORMATS: tuple[Format, ...] = get_args(Format)


def export(dataset: Dataset, formats: Sequence[Format]) -> list[Path]:
    """Write folders in the data set's own, one a format, and return them; earlier ones are replaced.

    ``coco/`` and ``via/`` have the masks' outlines, ``regression/`` a crop of 224 x 224 and a line for each instance
    with a normal; without normals it is left out.

    Raises:
        CadsightError: for an unknown format, or when the disk refuses the bytes.
    """
    written = []
    for kind in formats:
        if kind not in FORMATS:
            raise CadsightError(f"the format is {kind!r}, expected one of {', '.join(FORMATS)}")
        if kind == "regression" and not any(i.normal is not None for s in dataset for i in s.instances):
            continue
        target = dataset.folder / kind
        convert(dataset.folder, target, kind)
        written.append(target)
    return written
