"""What a conversion read, wrote and left out, and why."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cadsight_core.formats.reading.notes import Notes
from cadsight_core.sample import Instance, Sample
from cadsight_core.shapes import has_shape

# What a format keeps for its own bookkeeping, or what follows from the label: nobody misses it.
_BOOKKEEPING = frozenset({"id", "area", "segmentation", "iscrowd", "keypoints", "num_keypoints", "via_shape"})

# What of a sample a format does not hold: kind of entry, why, and how many.
Lost = tuple[str, str, int]
Loses = Callable[[Sample], Iterable[Lost]]


@dataclass(frozen=True)
class Tally:
    """What a set holds.

    Attributes:
        attributes: entries of labels beside class, box, outline and key points.
    """

    images: int = 0
    labels: int = 0
    classes: int = 0
    outlines: int = 0
    key_points: int = 0
    normals: int = 0
    attributes: int = 0

    def to_json(self) -> dict[str, int]:
        return dict(vars(self))

    def __str__(self) -> str:
        words = [f"{count} {name.replace('_', ' ')}" for name, count in vars(self).items() if count]
        return ", ".join(words) or "nothing"


@dataclass(frozen=True)
class LeftOut:
    """What was left out.

    Attributes:
        what: the kind of entry, as :class:`Tally` names it, or ``label files``.
        why: in words.
        first: the first of them, a file or a sample.
    """

    what: str
    count: int
    why: str
    first: str

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))

    def __str__(self) -> str:
        return f"{self.count} {self.what}: {self.why}, the first is {self.first}"


@dataclass(frozen=True)
class Account:
    """The account of a conversion.

    Attributes:
        unlabelled: images of a format with a file of labels for each that have none: written as showing nothing.
        remarks: what was read differently from how it was written, such as classes of one name, a sentence each.
    """

    read: Tally
    written: Tally
    left_out: tuple[LeftOut, ...]
    unlabelled: tuple[Path, ...] = ()
    remarks: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "read": self.read.to_json(),
            "written": self.written.to_json(),
            "left_out": [one.to_json() for one in self.left_out],
            "unlabelled": list(map(str, self.unlabelled)),
            "remarks": list(self.remarks),
        }


class Counting:
    """Counts samples, and what of them a format does not hold."""

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()
        self._lost: dict[tuple[str, str], list[Any]] = {}
        self.used: set[int] = set()

    def add(self, sample: Sample, lost: Iterable[Lost] = ()) -> None:
        self._held["images"] += 1
        for instance in sample.instances:
            self._held.update(contents(instance))
            self.used.add(instance.class_id)
        for what, why, count in lost:
            if count:
                self.lose(what, why, count, sample.name)

    def lose(self, what: str, why: str, count: int, first: str) -> None:
        entry = self._lost.setdefault((what, why), [0, first])
        entry[0] += count

    @property
    def held(self) -> Tally:
        return Tally(**self._held)

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        return tuple(LeftOut(what, count, why, first) for (what, why), (count, first) in self._lost.items())


def contents(instance: Instance) -> dict[str, int]:
    """How much of each kind an instance holds, by the names of :class:`Tally`."""
    return {
        "labels": 1,
        "outlines": int(has_shape(instance)),
        "key_points": int(bool(instance.attributes.get("keypoints"))),
        "normals": int(instance.normal is not None),
        "attributes": len(extras(instance)),
    }


def extras(instance: Instance) -> list[str]:
    """The names of the entries of an instance beside class, box, outline, key points and normal."""
    names = [
        name for name, value in instance.attributes.items() if name not in _BOOKKEEPING and value not in (None, {}, [])
    ]
    own = {"score": instance.score, "pose": instance.camera_from_part, "point": instance.point}
    return names + [name for name, value in own.items() if value is not None]


def reading_lost(notes: Notes, unclaimed: Sequence[Path]) -> Iterator[LeftOut]:
    """What reading left out, by kind of problem, and the images that no label names."""
    groups: dict[tuple[str, str], list[Path]] = {}
    for problem in notes.problems:
        if problem.loses:
            groups.setdefault((problem.loses, problem.kind), []).append(problem.file)
    for (what, why), files in groups.items():
        yield LeftOut(what, len(files), why, str(files[0]))
    if unclaimed:
        yield LeftOut("images", len(unclaimed), "no label names them", str(unclaimed[0]))
