"""Which reader reads a data set, which files it claims and why, and what nobody claims."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_core.formats.reading.columns import Columns
from cadsight_core.formats.reading.notes import Notes
from cadsight_core.formats.reading.tree import Tree
from cadsight_core.imaging.images import UNREAD_SUFFIXES
from cadsight_core.sample import Sample

# Enough of a file to see what it is.
_HEAD = 1 << 16
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?\Z")
_JSON_WORDS = re.compile(
    rb'"(annotations|shapes|regions|bbox|bboxes|boxes|labels|label|segmentation|keypoints|polygon|polygons|'
    rb'region_attributes|category_id|objects|images|categories|file_name|filename|imagePath)"\s*:'
)
_XML_WORDS = re.compile(rb"<(annotations?|object|bndbox|image|box|polygon|polyline|points|label)[\s>]", re.IGNORECASE)
_CSV_WORDS = re.compile(r"xmin|x_min|x1|bbox|region_shape_attributes|label|class|left|polygon", re.IGNORECASE)


class UnreadSetError(CadsightError):
    """A set that is in no format that we read, or has files that look like labels and are not read."""


@dataclass(frozen=True)
class Loaded:
    """What was read: ``format`` is a name of :mod:`cadsight_core.formats.known`; ``extra`` holds entries of a file for
    the whole set beside images and labels; ``columns`` makes the labels as columns, where a reader does that faster
    than all samples are made."""

    samples: Sequence[Sample]
    classes: tuple[str, ...]
    format: str
    extra: dict[str, Any] = field(default_factory=dict)
    columns: Callable[[], Columns] | None = None


@dataclass(frozen=True)
class Claim:
    """A reader's word that it reads a data set.

    Attributes:
        format: the reader's name.
        why: what was seen, in words.
        labels: the files that it takes labels, classes and settings from.
        images: the images that it takes.
        read: reads it.
    """

    format: str
    why: str
    labels: tuple[Path, ...]
    images: tuple[Path, ...]
    read: Callable[[Notes], Loaded]


@dataclass(frozen=True)
class Unclaimed:
    """A file that nobody reads; ``what`` it looks like, in words."""

    file: Path
    what: str


@dataclass(frozen=True)
class Found:
    """What lies in a folder, or beside a file, and who reads it.

    Attributes:
        folder: of the set, which may lie below the given one.
        labels: files that look like labels and nobody claimed.
        images: images that nobody claimed, those of kinds that are not read among them.
    """

    folder: Path
    claim: Claim
    labels: tuple[Unclaimed, ...]
    images: tuple[Unclaimed, ...]

    @property
    def refusal(self) -> str:
        """Why the set is not read as it is, in a sentence; '' where nothing speaks against it."""
        if not self.labels:
            return ""
        first = self.labels[0]
        read = f"{self.folder} is read as {self.claim.format} ({self.claim.why})"
        return (
            f"{read}, and {len(self.labels)} of its files look like labels and are not read, the first is "
            f"{first.file} ({first.what}), expected none; --allow-loss reads it without them"
        )


def found(tree: Tree, claim: Claim, others: Iterable[Tree] = ()) -> Found:
    """What ``claim`` leaves of the files in ``tree`` and in ``others``, such as a folder of images elsewhere."""
    files = dict.fromkeys([*tree.files, *(f for other in others for f in other.files)])
    claimed = {*claim.labels, *claim.images}
    left = [f for f in files if f not in claimed]
    labels = tuple(Unclaimed(f, what) for f in left if (what := looks_like_labels(f)))
    images = [Unclaimed(f, "no label names it") for f in tree.images if f not in claimed]
    images += [Unclaimed(f, f"{f.suffix.lower()} is not read") for f in left if f.suffix.lower() in UNREAD_SUFFIXES]
    return Found(tree.folder, claim, labels, tuple(images))


def looks_like_labels(file: Path) -> str:
    """What kind of labels a file looks to hold, in words; '' where it looks like none."""
    suffix = file.suffix.lower()
    if suffix not in (".txt", ".xml", ".json", ".csv"):
        return ""
    try:
        with open(file, "rb") as opened:
            head = opened.read(_HEAD)
    except OSError:
        return "it could not be read"
    if suffix == ".json":
        word = _JSON_WORDS.search(_narrow(head))
        return f"JSON with {word[1].decode()!r}" if word else ""
    if suffix == ".xml":
        word = _XML_WORDS.search(_narrow(head))
        return f"XML with <{word[1].decode()}>" if word else ""
    lines = [line for line in _narrow(head).decode("latin-1").splitlines() if line.strip()]
    if suffix == ".csv":
        if not lines or not ("," in lines[0] or ";" in lines[0] or "\t" in lines[0]):
            return ""
        return "a table" if _CSV_WORDS.search(lines[0]) or _numbers(re.split("[,;\t]", lines[0])) >= 4 else ""
    return "rows of numbers" if any(_numbers(re.split(r"[\s,]+", line)) >= 4 for line in lines[:3]) else ""


def has_rows(file: Path) -> bool:
    """Whether a text file is empty, or begins with a row of a class and four numbers or more, as YOLO's labels do."""
    try:
        with open(file, "rb") as opened:
            head = opened.read(4096)
    except OSError:
        return False
    lines = [line for line in _narrow(head).decode("latin-1").splitlines() if line.strip()]
    return not lines or (len(fields := lines[0].split()) >= 5 and _numbers(fields) >= len(fields) - 1)


def _numbers(words: Sequence[str]) -> int:
    return sum(bool(_NUMBER.match(word.strip())) for word in words)


def _narrow(head: bytes) -> bytes:
    """The bytes without a byte order mark; of UTF-16 those that are ASCII."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[2:].replace(b"\0", b"")
    return head.removeprefix(b"\xef\xbb\xbf")
