"""The regressor's file (Comillas, section 3.2, figure 6): crops and one line a crop.

    Name, width, height, u, v, w
    000000.png 0.585378 0.629539 -0.150000 0.010000 0.990000

``width`` and ``height`` place the point of interest relative to the crop. (u, v, w) is the normal with u to the
right, v up and w towards the camera (figure 5), where the optical frame has x right, y down and z away.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.formats.files.text_files import read_text
from cadsight_core.formats.reading.finding import Claim, Loaded
from cadsight_core.formats.reading.folders import split_of, whole_export
from cadsight_core.formats.reading.merging import merged
from cadsight_core.formats.reading.notes import Notes
from cadsight_core.formats.reading.where import Where
from cadsight_core.geometry import Array
from cadsight_core.imaging.crop_size import CROP_SIZE
from cadsight_core.imaging.crops import crop, crop_box
from cadsight_core.imaging.images import image_size, read_image, write_image
from cadsight_core.running.progress import with_progress_if_many
from cadsight_core.sample import Instance, Sample
from cadsight_core.storage.files import inside, write_atomically

HEADER = "Name, width, height, u, v, w"
FILE = "labels.txt"
CLASSES = ("part",)

_AXES = np.array([1.0, -1.0, -1.0])


def normal_to_file(normal: ArrayLike) -> Array:
    """(..., 3) normals of the optical frame as the file's u, v, w."""
    return np.asarray(normal, float) * _AXES


def normal_from_file(uvw: ArrayLike) -> Array:
    """The file's u, v, w (..., 3) as normals of the optical frame."""
    return np.asarray(uvw, float) * _AXES


def format_line(name: str, point: ArrayLike, normal: ArrayLike) -> str:
    """One line: ``point`` (2,) relative to the crop, ``normal`` (3,) in the optical frame."""
    return " ".join([name, *(f"{float(v):.6f}" for v in (*np.asarray(point, float), *normal_to_file(normal)))])


def read_regression(path: str | Path, notes: Notes | None = None) -> tuple[list[Sample], tuple[str, ...]]:
    """Samples of a labels file (or the folder that holds it as ``labels.txt``), one instance each.

    The box is the whole crop; the normal is as written, so the paper's two decimals are not quite a unit vector.

    Raises:
        CadsightError: unless ``notes`` collects them, for another header, a line with other than a name and five
            finite numbers, a name outside the folder, or an unreadable image.
    """
    path = Path(path).resolve()
    return _read(path / FILE if path.is_dir() else path, notes or Notes(strict=True)), CLASSES


def claim_regression(where: Where) -> Claim | None:
    """The claim on the labels files of the folder and the folders in it, such as one a split."""
    tree, only = where.tree, where.only
    files = [only] if only is not None else [f for f in tree.ending(".txt") if f.name == FILE and _has_header(f)]
    if not files:
        return None
    folders = {f.parent for f in files}
    images = tuple(image for image in tree.images if image.parent in folders)

    def read(notes: Notes) -> Loaded:
        parts = []
        for file in files:
            split = split_of(file.parent.name) if file.parent != tree.folder else ""
            samples = [replace(sample, split=split) for sample in _read(file, notes)]
            parts.append(Loaded(samples, CLASSES, "regression"))
        return parts[0] if len(parts) == 1 else merged(parts, tree.folder, notes)

    return Claim("regression", f"the header {HEADER!r}", tuple(files), images, read)


def _has_header(file: Path) -> bool:
    try:
        return read_text(file).splitlines()[:1] == [HEADER]
    except CadsightError:
        return False


def _read(file: Path, notes: Notes) -> list[Sample]:
    lines = read_text(file).splitlines()
    if not lines or lines[0].split(",") != HEADER.split(","):
        raise CadsightError(f"{file} begins with {lines[0] if lines else ''!r}, expected the header {HEADER!r}")
    samples: list[Sample] = []
    seen: set[str] = set()
    for number, line in with_progress_if_many(enumerate(lines[1:], 2), len(lines) - 1, "labels read"):
        if not line.strip():
            continue
        try:
            sample = _parse(line, file.parent)
        except CadsightError as error:
            notes.problem("odd label", file, str(error), number, loses="labels")
            continue
        if sample.name in seen:
            notes.problem(
                "label given twice", file, f"{sample.image.name!r} is there a second time", number, loses="labels"
            )
            continue
        seen.add(sample.name)
        notes.label_file(sample.name, file)
        notes.set_location(sample.name, 0, file, number)
        samples.append(sample)
    return samples


def write_regression(
    samples: Iterable[Sample], folder: str | Path, *, size: int = CROP_SIZE, square: bool = True
) -> Path:
    """Write a crop (size, size) and a line for each instance with a normal; returns the labels file.

    An image with one such instance keeps its name, several are numbered NAME_0, NAME_1. Where the point of
    interest is not known, the middle of the box stands for it. The folder appears when it is whole; an earlier
    export there is replaced.

    Raises:
        CadsightError: for an image that is missing, a name that is there twice, or a full disk.
    """
    folder = Path(folder).resolve()
    with whole_export(folder) as work:
        lines = [HEADER]
        group = samples if isinstance(samples, Sequence) else list(samples)
        for sample in with_progress_if_many(group, len(group), "images written"):
            instances = [i for i in sample.instances if i.normal is not None]
            image = read_image(sample.image) if instances else None
            for index, instance in enumerate(instances):
                if image is None or instance.normal is None:
                    continue
                name = f"{sample.name}.png" if len(instances) == 1 else f"{sample.name}_{index}.png"
                target = inside(work, name)
                if target.exists():
                    raise CadsightError(f"two samples are called {sample.name!r}, expected each name once")
                write_image(target, crop(image, instance.box, size, square=square))
                lines.append(format_line(name, _relative_point(instance, sample.size, square), instance.normal))
        write_atomically(work / FILE, "\n".join(lines) + "\n")
    return folder / FILE


def _relative_point(instance: Instance, size: ImageSize, square: bool) -> tuple[float, float]:
    box = crop_box(instance.box, size, square=square)
    # The point counts from the centre of the first pixel, the box from its corner.
    x, y = instance.box.centre if instance.point is None else (float(v) + 0.5 for v in instance.point)
    return (x - box.x0) / box.width, (y - box.y0) / box.height


def _parse(line: str, folder: Path) -> Sample:
    name, *fields = line.strip().rsplit(maxsplit=5)  # the name may hold blanks
    try:
        numbers = [float(f) for f in fields]
    except ValueError as error:
        raise CadsightError(f"{error}, expected name width height u v w") from error
    if len(numbers) < 5 or not all(map(math.isfinite, numbers)):
        raise CadsightError(f"{' '.join(fields)!r} follows the name, expected five finite numbers: width height u v w")
    image = inside(folder, name)
    size = image_size(image)
    x, y = numbers[0] * size.width - 0.5, numbers[1] * size.height - 0.5
    box = Box(0.0, 0.0, float(size.width), float(size.height))
    instance = Instance(0, box, normal=normal_from_file(numbers[2:]), point=np.array([x, y]), source="human")
    return Sample(Path(name).stem, image, size, instances=(instance,))
