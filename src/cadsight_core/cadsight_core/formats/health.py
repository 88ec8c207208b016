"""Is a data set fit to train on? Every fault, in one sentence with its file and line."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.formats.anything import Reading, find, read_found
from cadsight_core.formats.files.json_files import without_collection
from cadsight_core.formats.reading.columns import Columns
from cadsight_core.formats.reading.finding import Found, Loaded
from cadsight_core.formats.reading.notes import KINDS, Notes, Problem
from cadsight_core.formats.yolo.labels import label_path
from cadsight_core.imaging.images import SUFFIXES, UNREAD_SUFFIXES, pixels_digest, read_image
from cadsight_core.running.progress import with_progress_if_many
from cadsight_core.sample import Instance, Sample
from cadsight_core.shapes import given_polygons

__all__ = ["Problem", "Report", "check", "unpaired"]

# A class with fewer labels teaches a detector little, and its average precision hangs on single images.
FEW_LABELS = 10
WHOLE_IMAGE = 0.95
SAME_BOX_IOU = 0.95
# How far a box may reach out of its image: labels are rounded to a pixel.
BORDER_PX = 1.0
SMALLEST_SIDE_PX = 1.0
# So many images are given to a thread together, and so many pairs of boxes compared at once.
_TOGETHER, _PAIRS_AT_ONCE = 32, 1_000_000
# The paper writes normals with two decimals (Comillas, figure 6), which are up to 0.9 % off.
NORMAL_TOLERANCE = 0.01

Progress = Callable[[Iterable[Any], int, str], Iterable[Any]]


def known_kinds(kinds: Iterable[str]) -> tuple[str, ...]:
    """The kinds by today's names: earlier versions called an image a picture.

    Raises:
        CadsightError: for a kind that no problem has, naming it and all that there are.
    """
    now = tuple(kind.replace("picture", "image") for kind in kinds)
    for kind in now:
        if kind not in KINDS:
            raise CadsightError(f"the kind of problem {kind!r} does not exist, expected one of: {', '.join(KINDS)}")
    return now


@dataclass(frozen=True)
class Report:
    """What a data set holds and what is wrong with it.

    Attributes:
        counts: labels a class, in the order of the classes.
        sizes: images by (width, height).
        splits: images by split.
        backgrounds: images that are marked as showing no part.
        crowds: regions of many objects, which are neither learned from nor counted.
        found: which reader claims which files; None where nothing is read.
    """

    folder: Path
    format: str
    images: int
    counts: dict[str, int]
    sizes: dict[tuple[int, int], int]
    splits: dict[str, int]
    problems: tuple[Problem, ...] = field(default=())
    backgrounds: int = 0
    crowds: int = 0
    found: Found | None = None

    @property
    def labels(self) -> int:
        return sum(self.counts.values())

    @property
    def kinds(self) -> dict[str, int]:
        """Number of problems of each kind, most frequent first."""
        return dict(Counter(p.kind for p in self.problems).most_common())

    def without(self, kinds: Iterable[str]) -> "Report":
        """The report without problems of ``kinds``."""
        left = tuple(p for p in self.problems if p.kind not in set(kinds))
        return replace(self, problems=left)

    def to_json(self) -> dict[str, Any]:
        return {
            "folder": str(self.folder),
            "format": self.format,
            "pictures": self.images,
            "labels": self.labels,
            "counts": self.counts,
            "sizes": [{"width": w, "height": h, "pictures": n} for (w, h), n in self.sizes.items()],
            "splits": self.splits,
            "backgrounds": self.backgrounds,
            "crowds": self.crowds,
            "found": _found_json(self.found),
            "problems": [
                {"kind": p.kind, "file": str(p.file), "line": p.line, "sentence": p.sentence} for p in self.problems
            ],
        }


def _found_json(found: Found | None) -> dict[str, Any] | None:
    if found is None:
        return None
    claim = found.claim
    return {
        "place": str(found.folder),
        "reader": claim.format,
        "why": claim.why,
        "label_files": len(claim.labels),
        "images": len(claim.images),
        "unread_label_files": [{"file": str(u.file), "what": u.what} for u in found.labels],
        "unread_images": [{"file": str(u.file), "what": u.what} for u in found.images],
    }


def check(
    path: str | Path,
    *,
    few: int = FEW_LABELS,
    reading: Reading | None = None,
    progress: Progress = lambda items, _total, _what: items,
    whole_images: bool = True,
) -> Report:
    """Check a data set in any known format; every image is read whole.

    Args:
        few: a class with fewer labels is reported.
        reading: how the set is read.
        whole_images: whether the pixels are read too, and not the header alone: takes nearly all of the time.
        progress: wraps the loop over the images, with their number and what is done, as tqdm does.

    Raises:
        CadsightError: when ``path`` does not exist.
    """
    path = Path(path)
    if not path.exists():
        raise CadsightError(f"{path} does not exist, expected a data set")
    path = path.resolve()
    notes = Notes()
    try:
        found = find(path, reading)
        with without_collection():
            samples, report = _labels_checked(path, few, found, notes)
    except CadsightError as error:
        return Report(path, "unknown", 0, {}, {}, {}, (Problem("unreadable data set", path, None, str(error)),))
    if whole_images:
        _check_images(samples, progress, notes)
    return replace(report, problems=tuple(sorted(notes.problems, key=lambda p: (str(p.file), p.line or 0))))


def _labels_checked(path: Path, few: int, found: Found, notes: Notes) -> tuple[Sequence[Sample], Report]:
    """The samples that can be used, and the report of all but their pixels; its problems are in ``notes``."""
    loaded = read_found(found, notes)
    columns = _columns(loaded, path, notes)
    samples = columns.heads
    labels = Counter(columns.classes.tolist())
    counts = {name: labels[class_id] for class_id, name in enumerate(loaded.classes)}
    sizes = dict(Counter((s.size.width, s.size.height) for s in samples).most_common())
    if loaded.format == "cadsight":
        for line, sample in enumerate(samples, 1):
            for index in range(len(sample.instances)):
                notes.set_location(sample.name, index, path / "manifest.jsonl", line)
    _check_classes(loaded, counts, path, few, notes)
    _check_files(loaded, found, samples, notes)
    _check_labels(columns, loaded, notes)
    if len(sizes) > 1:
        listed = ", ".join(f"{n} of {w} x {h}" for (w, h), n in sizes.items())
        notes.problem("mixed sizes", path, f"its images have {len(sizes)} sizes ({listed} pixels), expected one")
    return samples, Report(
        path,
        loaded.format,
        len(samples),
        counts,
        sizes,
        splits=dict(Counter(str(s.split) for s in samples if s.split)),
        backgrounds=sum(_is_background(s, count) for s, count in zip(samples, columns.counts, strict=True)),
        crowds=int(columns.crowds.sum()),
        found=found,
    )


def unpaired(path: str | Path, reading: Reading | None = None) -> list[Problem]:
    """The images of a data set that no label file names, its label files without an image, and what is left out.

    Raises:
        CadsightError: when ``path`` does not hold a data set.
    """
    path, notes = Path(path).resolve(), Notes()
    found = find(path, reading)
    loaded = read_found(found, notes)
    _check_files(loaded, found, _columns(loaded, path, notes).heads, notes)
    return [p for p in notes.problems if p.loses or p.kind == "image without labels"]


def _columns(loaded: Loaded, path: Path, notes: Notes) -> Columns:
    """The labels of the samples that can be used."""
    return loaded.columns() if loaded.columns else Columns.of(list(_usable(loaded.samples, path, notes)))


def _usable(samples: Sequence[Sample], path: Path, notes: Notes) -> Iterator[Sample]:
    for index in with_progress_if_many(range(len(samples)), len(samples), "labels read"):
        try:
            sample = samples[index]
            # The masks of a whole session would fill the memory, and nothing here looks at them.
            masked = any(i.mask is not None for i in sample.instances)
            yield (
                replace(sample, instances=tuple(replace(i, mask=None) for i in sample.instances)) if masked else sample
            )
        except CadsightError as error:
            notes.problem("odd label", path / "manifest.jsonl", str(error), index + 1)


def _check_classes(loaded: Loaded, counts: dict[str, int], path: Path, few: int, notes: Notes) -> None:
    for name, count in counts.items():
        if count < few:
            kind = "near-empty class" if count else "empty class"
            notes.problem(kind, path, f"the class {name!r} has {count or 'no'} labels, expected {few} or more")
    if not loaded.samples and not any(p.loses == "images" for p in notes.problems):
        notes.problem("no images", path, f"it is read as {loaded.format} and holds no images, expected some")
    elif loaded.format == "images":
        notes.problem("no labels", path, f"it holds {len(loaded.samples)} images and no labels, expected both")


def _check_files(loaded: Loaded, found: Found, samples: Sequence[Sample], notes: Notes) -> None:
    """Images that lack labels, and images that nothing names; label files without an image the reader has reported."""
    if loaded.format == "yolo":
        for sample in notes.unlabelled(samples, loaded.format):
            missing = label_path(sample.image)
            notes.problem("image without labels", sample.image, f"it has no label file, expected {missing}")
    known = {s.image for s in samples} | {p.file for p in notes.problems}
    for unclaimed in found.images:
        if unclaimed.file not in known:
            text = "no label file names it, expected an entry"
            if unclaimed.file.suffix.lower() in UNREAD_SUFFIXES:
                text = f"it is an image of a kind that is not read ({unclaimed.what}), expected {', '.join(SUFFIXES)}"
                notes.problem("unread image", unclaimed.file, text)
                continue
            notes.problem("image without labels", unclaimed.file, text)


def _check_labels(columns: Columns, loaded: Loaded, notes: Notes) -> None:
    samples = columns.heads
    with_problems = {p.file for p in notes.problems}
    for number in np.flatnonzero(columns.counts == 0) if loaded.format != "images" else ():
        sample = samples[number]
        if _is_background(sample, 0):
            continue
        file = (notes.label_file_of(sample.name) if loaded.format == "yolo" else None) or sample.image
        if loaded.format != "yolo" or (file != sample.image and file not in with_problems):
            notes.problem("empty labels", file, "it has no label, expected one or more (or none on purpose)")
    for number, index in _doubtful(columns, len(loaded.classes)):
        sample = samples[number]
        file, line = notes.location_of(sample.name, index, sample.image)
        subject = "" if line is not None else f"label {index + 1} of {sample.name!r}: "
        for kind, text in _odd(columns.instance(number, index), sample.size, loaded):
            notes.problem(kind, file, subject + text, line)
    for number, first, second in _same_boxes(columns):
        sample = samples[number]
        file, line = notes.location_of(sample.name, second, sample.image)
        other = notes.location_of(sample.name, first, sample.image)[1]
        other_label = f"that of line {other}" if other not in (None, line) else f"label {first + 1} of {sample.name!r}"
        one, same = columns.classes[columns.starts[number] + np.array((first, second))]
        classes = "" if one == same else " with another class"
        notes.problem("duplicate box", file, f"the box is the same as {other_label}{classes}, expected it once", line)


def _doubtful(columns: Columns, classes: int) -> Iterator[tuple[int, int]]:
    """Sample and number of each label that :func:`_odd` may report: few of a million."""
    sizes = np.array([(s.size.width, s.size.height) for s in columns.heads], float).reshape(-1, 2)
    limits = np.repeat(sizes, columns.counts, axis=0)
    sides = columns.boxes[:, 2:] - columns.boxes[:, :2]
    fine = (columns.classes >= 0) & (columns.classes < classes) & (sides >= SMALLEST_SIDE_PX).all(axis=1)
    fine &= sides.prod(axis=1) <= WHOLE_IMAGE * limits.prod(axis=1)
    for corners in (columns.boxes, columns.reaches):
        fine &= (corners[:, :2] >= -BORDER_PX).all(axis=1) & (corners[:, 2:] <= limits + BORDER_PX).all(axis=1)
    yield from columns.indices(~fine | columns.normals)


def _same_boxes(columns: Columns) -> Iterator[tuple[int, int, int]]:
    """Sample and numbers of two labels of it whose boxes are the same, or as good as."""
    starts = columns.starts
    found = []
    for count in np.unique(columns.counts[columns.counts > 1]).tolist():
        numbers = np.flatnonzero(columns.counts == count)
        step = max(_PAIRS_AT_ONCE // count**2, 1)
        for start in range(0, len(numbers), step):
            some = numbers[start : start + step]
            boxes = columns.boxes[starts[some][:, None] + np.arange(count)]
            for row, first, second in zip(*_alike(boxes), strict=True):
                found.append((int(some[row]), int(first), int(second)))
    yield from sorted(found)


def _alike(boxes: NDArray[np.float64]) -> tuple[NDArray[np.intp], ...]:
    """Which pairs (first before second) of boxes (S, N, 4) of a sample are the same."""
    low = np.maximum(boxes[:, :, None, :2], boxes[:, None, :, :2])
    high = np.minimum(boxes[:, :, None, 2:], boxes[:, None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=-1)
    areas = np.clip(boxes[..., 2:] - boxes[..., :2], 0, None).prod(axis=-1)
    union = areas[:, :, None] + areas[:, None, :] - common
    same = (common >= SAME_BOX_IOU * union) & (union > 0)
    same |= (boxes[:, :, None] == boxes[:, None, :]).all(axis=-1)
    return np.nonzero(np.triu(same, 1))


def _is_background(sample: Sample, labels: int) -> bool:
    return not labels and sample.record.get("background") is True


def _odd(instance: Instance, size: ImageSize, loaded: Loaded) -> Iterator[tuple[str, str]]:
    box = instance.box
    formatted = "(" + ", ".join(f"{v:.1f}" if abs(v) < 1e6 else f"{v:.3g}" for v in box.as_tuple()) + ")"
    if not 0 <= instance.class_id < len(loaded.classes):
        yield "odd label", f"the class is {instance.class_id}, expected 0 to {len(loaded.classes) - 1}"
    if min(box.width, box.height) < SMALLEST_SIDE_PX:
        yield "empty box", f"the box {formatted} is {box.width:.2g} x {box.height:.2g} pixels, expected one or more"
    elif box.area > WHOLE_IMAGE * size.width * size.height and loaded.format != "regression":
        fraction = 100 * box.area / (size.width * size.height)
        yield "whole image", f"the box {formatted} covers {fraction:.0f} % of the image, expected a part of it"
    if _outside(box.x0, box.x1, size.width) or _outside(box.y0, box.y1, size.height):
        yield (
            "box outside",
            f"the box {formatted} reaches out of the {size.width} x {size.height} pixels, expected inside",
        )
    for polygon in given_polygons(instance):
        reach = polygon.min(axis=0), polygon.max(axis=0)
        if any(
            _outside(float(a), float(b), side) for a, b, side in zip(*reach, (size.width, size.height), strict=True)
        ):
            yield (
                "outline outside",
                f"its outline reaches out of the {size.width} x {size.height} pixels, expected inside",
            )
            break
    if instance.normal is not None:
        length = float(np.linalg.norm(instance.normal))
        if not abs(length - 1) <= NORMAL_TOLERANCE:
            yield "non-unit normal", f"the normal has the length {length:.4g}, expected 1"


def _outside(low: float, high: float, limit: int) -> bool:
    return low < -BORDER_PX or high > limit + BORDER_PX


def _check_images(samples: Sequence[Sample], progress: Progress, notes: Notes) -> None:
    """Read each image whole: truncated ones, those of another size than stated, and copies."""
    seen: dict[str, Sample] = {}
    chunks = [samples[start : start + _TOGETHER] for start in range(0, len(samples), _TOGETHER)]
    with ThreadPoolExecutor(os.cpu_count()) as readers:
        prints = (one for chunk in readers.map(lambda some: [*map(_fingerprint, some)], chunks) for one in chunk)
        for sample, (digest, error) in progress(zip(samples, prints, strict=True), len(samples), "images"):
            if error:
                notes.problem("unreadable image", sample.image, error)
                continue
            first = seen.setdefault(digest, sample)
            if first is not sample:
                leak = f" ({first.split} and {sample.split})" if first.split != sample.split else ""
                notes.problem("duplicate image", sample.image, f"it is the same as {first.image}{leak}, expected once")


def _fingerprint(sample: Sample) -> tuple[str, str]:
    """The digest of size and pixels, or the sentence that says why there is none."""
    try:
        image = read_image(sample.image)
    except CadsightError as error:
        return "", str(error)
    if image.shape[:2] != (sample.size.height, sample.size.width):
        expected = f"{sample.size.width} x {sample.size.height}"
        return "", f"the image is {image.shape[1]} x {image.shape[0]} pixels, expected the {expected} of its labels"
    return pixels_digest(image), ""
