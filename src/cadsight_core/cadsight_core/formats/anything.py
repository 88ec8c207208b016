"""Reading a data set of any known format."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cadsight_core.dataset import Dataset
from cadsight_core.derived import DerivedSamples
from cadsight_core.errors import CadsightError
from cadsight_core.formats import coco, regression, via, yolo
from cadsight_core.formats.folders import pictures_in, sample_names
from cadsight_core.formats.notes import Notes
from cadsight_core.images import image_size
from cadsight_core.sample import Sample

_EXPECTED = (
    "our dataset.json, YOLO's images/ and labels/ or data.yaml, COCO's or VIA's JSON, a regression labels.txt, "
    "or a folder of pictures"
)


@dataclass(frozen=True)
class Loaded:
    """What was read: ``format`` is cadsight, yolo, coco, via, regression or pictures; ``extra`` what a file said
    of the whole set beside images and labels."""

    samples: Sequence[Sample]
    classes: tuple[str, ...]
    format: str
    extra: dict[str, Any] = field(default_factory=dict)


def load(path: str | Path) -> tuple[Sequence[Sample], tuple[str, ...]]:
    """Samples with absolute images, and classes, of a data set in any known format.

    Raises:
        CadsightError: when nothing known is there, or a label or picture cannot be used.
    """
    loaded = read(path)
    return loaded.samples, loaded.classes


def read(path: str | Path, notes: Notes | None = None) -> Loaded:
    """Like :func:`load`, with the format and what a file said of the whole set; ``notes`` collects problems.

    Raises:
        CadsightError: when nothing known is there; and unless ``notes`` collects them, for the first problem.
    """
    path = Path(path)
    if path.is_dir():
        return _read_folder(path.resolve(), notes)
    if not path.is_file():
        raise CadsightError(f"{path} does not exist, expected a data set")
    suffix = path.suffix.lower()
    if suffix in (".yaml", ".yml"):
        return _loaded(yolo.read_yolo(path, notes), "yolo")
    if suffix == ".txt":
        return _loaded(regression.read_regression(path, notes), "regression")
    if suffix == ".json":
        return _read_json_files([path.resolve()], path, notes)
    raise CadsightError(f"{path} is in no known format, expected {_EXPECTED}")


def _read_folder(folder: Path, notes: Notes | None) -> Loaded:
    if Dataset.is_one(folder):
        dataset = Dataset.open(folder)
        return Loaded(dataset.samples(), dataset.classes, "cadsight", dataset.extra)
    if yolo.find_yaml(folder) or (folder / "labels").is_dir():
        return _loaded(yolo.read_yolo(folder, notes), "yolo")
    if _has_header(folder / regression.FILE):
        return _loaded(regression.read_regression(folder, notes), "regression")
    files = coco.find_files(folder)
    if files:
        return _read_json_files(files, folder, notes)
    pictures = pictures_in(folder)
    if not pictures:
        raise CadsightError(f"{folder} holds no known data set, expected {_EXPECTED}")
    return Loaded(_unlabelled(folder, pictures, notes), (), "pictures")


def _read_json_files(files: Sequence[Path], where: Path, notes: Notes | None) -> Loaded:
    """One data set of the files that are COCO's or VIA's, with the classes of all of them."""
    kinds = {file: _kind(file) for file in files}
    known = [f for f in files if kinds[f]]
    if not known:
        raise CadsightError(f"{where} has no JSON of COCO or VIA, expected {_EXPECTED}")
    if len({kinds[f] for f in known}) > 1:
        raise CadsightError(f"{where} has JSON of COCO and of VIA, expected the path of one of the files")
    kind = kinds[known[0]] or ""
    parts = []
    for file in known:
        samples, classes, extra = coco.read_coco(file, notes=notes) if kind == "coco" else via.read_via(file, notes)
        parts.append(Loaded(samples, classes, kind, extra))
    return parts[0] if len(parts) == 1 else _merged(parts, where)


def _loaded(found: tuple[list[Sample], tuple[str, ...]], kind: str) -> Loaded:
    return Loaded(*found, format=kind)


def _merged(parts: Sequence[Loaded], where: Path) -> Loaded:
    classes = tuple(dict.fromkeys(name for part in parts for name in part.classes))
    places = [(part, number) for part in parts for number in range(len(part.samples))]
    names = sample_names([(s.split, s.image) for part in parts for s in part.samples], where)
    ids = {id(part): [classes.index(name) for name in part.classes] for part in parts}

    def merged(number: int) -> Sample:
        part, place = places[number]
        sample = part.samples[place]
        instances = tuple(replace(i, class_id=ids[id(part)][i.class_id]) for i in sample.instances)
        return replace(sample, name=names[number], instances=instances)

    return Loaded(DerivedSamples(merged, range(len(places))), classes, parts[0].format, parts[0].extra)


def _kind(file: Path) -> str | None:
    data = coco.read_json(file)
    return "coco" if coco.is_coco(data) else "via" if via.is_via(data) else None


def _has_header(file: Path) -> bool:
    try:
        with open(file) as lines:
            return lines.readline().strip() == regression.HEADER
    except (OSError, UnicodeDecodeError):
        return False


def _unlabelled(folder: Path, pictures: Sequence[Path], notes: Notes | None) -> list[Sample]:
    samples = []
    for image, name in zip(pictures, sample_names([("", p) for p in pictures], folder), strict=True):
        try:
            samples.append(Sample(name, image, image_size(image)))
        except CadsightError as error:
            if notes is None or notes.strict:
                raise
            notes.problem("unreadable picture", image, str(error))
    return samples
