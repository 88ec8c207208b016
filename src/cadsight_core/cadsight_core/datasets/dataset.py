"""A folder of samples that a process killed at any moment leaves whole.

DIR/dataset.json     format, classes, and entries of a converted file for the whole set
DIR/manifest.jsonl   one sample a line, only ever appended to
DIR/images/NAME.png
DIR/.lock            taken for the length of one append; holds the name of the image in hand
"""

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from cadsight_core.datasets.derived import DerivedSamples
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import Rgb, read_image, write_image
from cadsight_core.running.progress import with_progress
from cadsight_core.sample import Sample
from cadsight_core.storage.documents import read_document
from cadsight_core.storage.files import append_line, halves_of, inside, make_folder, write_atomically
from cadsight_core.storage.json_text import json_text

FORMAT = "cadsight-dataset-1"
_HEADER, _MANIFEST, _IMAGES, _LOCK = "dataset.json", "manifest.jsonl", "images", ".lock"


class Dataset:
    """Samples in the order in which they came; several processes may append and read at the same time.

    Attributes:
        folder: absolute.
        classes: names by class id.
        extra: entries of a converted file for the whole set, such as COCO's ``info`` and ``licenses``.
    """

    def __init__(self, folder: Path, classes: tuple[str, ...], extra: dict[str, Any]) -> None:
        self.folder, self.classes, self.extra = folder, classes, extra
        self._lines: dict[str, _Line] = {}
        self._read_to = 0
        self._line = 0

    @staticmethod
    def create(
        folder: str | Path,
        classes: Sequence[str],
        *,
        exist_ok: bool = False,
        extra: Mapping[str, Any] | None = None,
    ) -> "Dataset":
        """Make a data set, or with ``exist_ok`` open the one that is there.

        Raises:
            CadsightError: when one is there already, or with other classes; for a class name that is empty or
                there twice; when the folder cannot be made.
        """
        folder = Path(folder).resolve()
        names = tuple(classes)
        if not all(isinstance(n, str) and n for n in names) or len(set(names)) != len(names):
            raise CadsightError(f"the classes of {folder} are {list(names)}, expected names, each of them once")
        if (folder / _HEADER).exists():
            if not exist_ok:
                raise CadsightError(f"{folder} holds a data set already, expected a new folder")
            dataset = Dataset.open(folder)
            if dataset.classes != names:
                raise CadsightError(f"{folder} has the classes {list(dataset.classes)}, expected {list(names)}")
            return dataset
        foreign = next((name for name in (_MANIFEST, _LOCK) if os.path.lexists(folder / name)), None)
        if foreign is not None:
            raise CadsightError(f"{folder} holds {foreign} and no {_HEADER}, expected a new folder or a data set")
        make_folder(folder / _IMAGES)
        header = {"format": FORMAT, "classes": list(names), **({"extra": dict(extra)} if extra else {})}
        write_atomically(folder / _HEADER, json_text(header, indent=1) + "\n")
        return Dataset.open(folder)

    @staticmethod
    def open(folder: str | Path) -> "Dataset":
        """Open a data set; a half-written last line and the image that it was for are removed first.

        Raises:
            CadsightError: when the folder holds none, or a line of its manifest is no sample.
        """
        folder = Path(folder).resolve()
        header = _read_header(folder / _HEADER)
        dataset = Dataset(folder, tuple(header["classes"]), dict(header.get("extra", {})))
        try:
            with dataset._locked() as lock:
                dataset._recover(lock)
                dataset._catch_up()
        except OSError:  # read-only medium: nobody is writing there, and a half line is passed over
            dataset._catch_up()
        return dataset

    @staticmethod
    def is_one(folder: str | Path) -> bool:
        """Whether ``folder`` holds a data set in this format."""
        return (Path(folder) / _HEADER).is_file()

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.samples())

    def __contains__(self, name: object) -> bool:
        return name in self._lines

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._lines)

    @property
    def files(self) -> tuple[Path, ...]:
        """The absolute paths of the images that the manifest names."""
        return tuple(inside(self.folder, line.image) for line in self._lines.values())

    def __getitem__(self, name: str) -> Sample:
        """The sample called ``name``.

        Raises:
            CadsightError: when there is none.
        """
        if name not in self._lines:
            raise CadsightError(f"{self.folder} has no sample {name!r}, expected one of its {len(self)} names")
        return self._sample(self._lines[name])

    def samples(self, split: str | None = None) -> "Sequence[Sample]":
        """All samples, or those of one split; each is read when it is taken out."""
        lines = [line for line in self._lines.values() if split is None or line.split == split]
        return DerivedSamples(lambda number: self._sample(lines[number]), range(len(lines)))

    def image(self, sample: Sample) -> Rgb:
        """The image of ``sample`` (H, W, 3) RGB."""
        return read_image(inside(self.folder, sample.image))

    def append(self, sample: Sample, image: Rgb) -> Sample:
        """Write the image (H, W, 3) as PNG, then the sample; returns it with its image's absolute path.

        Raises:
            CadsightError: for a name that is there already, of a sample or of a file of others, or leaves the folder;
                for a class that the set lacks, an image of another size, numbers that are not finite, or a disk that
                refuses the bytes. The data set is then as it was.
        """
        if image.shape[:2] != (sample.size.height, sample.size.width):
            raise CadsightError(
                f"the image of {sample.name!r} is {image.shape[1]} x {image.shape[0]} pixels, expected "
                f"{sample.size.width} x {sample.size.height}"
            )
        return self._append(sample, ".png", lambda path: write_image(path, image))

    def append_encoded(self, sample: Sample, data: bytes, suffix: str = ".png") -> Sample:
        """Like :meth:`append`, with the bytes of the image's file, such as another process has made."""
        return self._append(sample, suffix, lambda path: write_atomically(path, data))

    def append_file(self, sample: Sample) -> Sample:
        """Like :meth:`append`, with the file ``sample.image`` copied byte by byte."""
        with _reading(sample.image) as file:
            data = file.read()
        return self._append(sample, sample.image.suffix.lower(), lambda path: write_atomically(path, data))

    def _append(self, sample: Sample, suffix: str, write: Callable[[Path], None]) -> Sample:
        path = self._path_of(sample.name, suffix)
        line = self._line_of(dataclasses.replace(sample, image=Path(_IMAGES) / path.name))
        with self._locked() as lock:
            self._recover(lock)
            self._catch_up()
            if sample.name in self._lines:
                raise CadsightError(f"{self.folder} has the sample {sample.name!r} already, expected a new name")
            if os.path.lexists(path):
                raise CadsightError(f"{path} is there and no sample names it, expected a new name")
            _note(lock, path.name)
            try:
                write(path)
                append_line(self.folder / _MANIFEST, line)
            except CadsightError:
                with contextlib.suppress(OSError):  # a name too long for the disk has no file either
                    path.unlink()
                raise
            finally:
                _note(lock, "")
            self._catch_up()
        return dataclasses.replace(sample, image=path)

    def fingerprint(self) -> str:
        """SHA-256 over classes, manifest and the images' bytes: the same wherever the folder lies."""
        total = hashlib.sha256(json_text(self.classes).encode())
        for line in with_progress(self._lines.values(), len(self), "images read"):
            total.update(json.dumps(self._entry(line), sort_keys=True, allow_nan=True).encode())
            with _reading(inside(self.folder, line.image)) as file:
                total.update(hashlib.sha256(file.read()).digest())
        return total.hexdigest()

    def _path_of(self, name: str, suffix: str) -> Path:
        images = self.folder / _IMAGES
        if not name or Path(name).name != name or name.startswith(".") or not name.isprintable():
            raise CadsightError(f"a sample is called {name!r}, expected one name without folders for {images}")
        return inside(images, name + suffix)

    def _line_of(self, sample: Sample) -> str:
        for instance in sample.instances:
            if not 0 <= instance.class_id < len(self.classes):
                raise CadsightError(
                    f"{sample.name!r} has the class id {instance.class_id}, expected 0 to {len(self.classes) - 1}"
                )
            if not all(map(math.isfinite, instance.box.as_tuple())):
                raise CadsightError(f"{sample.name!r} has the box {instance.box.as_tuple()}, expected finite pixels")
        try:
            return json_text(sample.to_json())
        except (TypeError, ValueError) as error:
            raise CadsightError(f"the sample {sample.name!r} cannot be written as JSON: {error}") from error

    def _sample(self, line: "_Line") -> Sample:
        sample = Sample.from_json(self._entry(line))
        return dataclasses.replace(sample, image=inside(self.folder, sample.image))

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int]:
        lock = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield lock
        finally:
            os.close(lock)

    def _recover(self, lock: int) -> None:
        """Undo what a killed writer began; called with the lock held, so nobody is writing."""
        manifest = self.folder / _MANIFEST
        end = _whole_lines(manifest)
        image = os.pread(lock, 4096, 0).decode(errors="replace")
        if manifest.exists() and manifest.stat().st_size > end:
            # What was in hand stands in the lock too, unless the machine itself stopped.
            image = image or _image_of(manifest, end)
            os.truncate(manifest, end)
        if not image:
            return
        self._catch_up()
        if Path(image).stem not in self._lines:
            inside(self.folder / _IMAGES, image).unlink(missing_ok=True)
        for half in halves_of(self.folder / _IMAGES / image):
            half.unlink(missing_ok=True)
        _note(lock, "")

    def _catch_up(self) -> None:
        """Read the whole lines that were appended since, by this process or another."""
        manifest = self.folder / _MANIFEST
        if not manifest.exists():
            return
        with open(manifest, "rb") as file:
            file.seek(self._read_to)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._line += 1
                self._note_line(line)
                self._read_to += len(line)

    def _note_line(self, line: bytes) -> None:
        where = f"{self.folder / _MANIFEST}, line {self._line}"
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise CadsightError(f"{where} is not JSON: {error}, expected one sample a line") from error
        keys = ("name", "image", "width", "height", "origin", "split", "instances", "record")
        missing = [k for k in keys if not isinstance(entry, dict) or k not in entry]
        if missing:
            raise CadsightError(f"{where} lacks {missing[0]!r}, expected a sample")
        wrong = next((k for k in ("name", "image", "split") if not isinstance(entry[k], str)), None)
        if wrong is not None:
            raise CadsightError(f"{where} has {wrong} {entry[wrong]!r}, expected a string")
        if entry["name"] in self._lines:
            raise CadsightError(f"{where} has the sample {entry['name']!r} a second time, expected it once")
        self._lines[entry["name"]] = _Line(self._read_to, len(line), entry["image"], entry["split"])

    def _entry(self, line: "_Line") -> dict[str, Any]:
        with _reading(self.folder / _MANIFEST) as file:
            file.seek(line.start)
            entry: dict[str, Any] = json.loads(file.read(line.length))
        return entry


def files_of(folder: Path) -> list[str] | None:
    """The files of a data set by their paths in ``folder``, None where there is none (see :mod:`.output_folder`)."""
    if not Dataset.is_one(folder):
        return None
    own = (_HEADER, _MANIFEST, _LOCK)
    return [*own, _IMAGES, *(str(path.relative_to(folder)) for path in Dataset.open(folder).files)]


class _Line(NamedTuple):
    """Where a sample stands in the manifest, in bytes: all of them in memory would not fit."""

    start: int
    length: int
    image: str
    split: str


def _read_header(path: Path) -> dict[str, Any]:
    header = read_document(path, FORMAT, "data set")
    classes = header.get("classes")
    if not isinstance(classes, list) or not all(isinstance(c, str) for c in classes):
        raise CadsightError(f"{path} has the classes {classes!r}, expected a list of names")
    extra = header.get("extra", {})
    if not isinstance(extra, dict):
        raise CadsightError(f"{path} has the extra {extra!r}, expected an object")
    return header


def _whole_lines(path: Path) -> int:
    """Bytes up to the last line's end."""
    if not path.exists():
        return 0
    with open(path, "rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(end - 65536, 0)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
    return 0


def _image_of(manifest: Path, start: int) -> str:
    """The name of the image of the half line from ``start`` on, '' when the line ends before its sample's name."""
    with open(manifest, "rb") as file:
        file.seek(start)
        found = re.match(rb'{"name": ("(?:[^"\\]|\\.)*")', file.read())
    images = manifest.parent.joinpath(_IMAGES).iterdir() if found else ()
    return next((path.name for path in images if found and path.stem == json.loads(found[1])), "")


def _note(lock: int, image: str) -> None:
    with contextlib.suppress(OSError):  # a full disk is reported for the image or the line that meets it
        os.ftruncate(lock, 0)
        os.pwrite(lock, image.encode(), 0)


def _reading(path: Path) -> IO[bytes]:
    try:
        return open(path, "rb")
    except OSError as error:
        raise CadsightError(f"the image {path} could not be read: {error.strerror}") from error
