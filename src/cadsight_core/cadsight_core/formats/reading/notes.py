"""What a reader notes as it reads: problems, what it leaves out, and where each label stands."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cadsight_core.errors import CadsightError
from cadsight_core.sample import Sample

# Every kind of problem that is reported; no other can be made, so that each can be passed over by name.
KINDS = (
    "box outside", "class name twice", "duplicate box", "duplicate image", "empty box", "empty class", "empty labels",
    "image id twice", "label file without image", "label given twice", "missing folder", "missing list",
    "missing image", "mixed rows", "mixed sizes", "near-empty class", "no class list", "no labels", "no images",
    "non-unit normal", "odd classes", "odd label", "outline outside", "image in two splits", "image listed twice",
    "image without labels", "unread label file", "unread image", "unreadable data set", "unreadable label file",
    "unreadable image", "whole image", "wrong image size",
)  # fmt: skip

# Formats with a file of labels for each image: the others list each image, also without labels.
_FILE_PER_IMAGE = ("yolo", "images")


@dataclass(frozen=True)
class Problem:
    """One fault of a data set.

    Attributes:
        kind: one of ``KINDS``.
        line: counted from 1, None where the file has no lines or the whole file is meant.
        sentence: the subject, what came and what was expected, with file and line.
        loses: what is left out for it, such as ``labels`` or ``images``; '' where nothing is.
        refused: whether a strict reader refuses the set for it.
    """

    kind: str
    file: Path
    line: int | None
    sentence: str
    loses: str = ""
    refused: bool = True

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"the kind of problem is {self.kind!r}, expected one of KINDS")


class Notes:
    """Collects problems, or where ``strict`` raises the first as a CadsightError."""

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self.problems: list[Problem] = []
        self._locations: dict[tuple[str, int], tuple[Path, int | None]] = {}
        self._files: dict[str, Path | None] = {}

    def problem(self, kind: str, file: Path, text: str, line: int | None = None, *, loses: str = "") -> None:
        """Note that ``file`` (at ``line``) has the problem that ``text`` describes."""
        where = f"{file}, line {line}" if line is not None else str(file)
        problem = Problem(kind, file, line, f"{where}: {text}", loses)
        if self.strict:
            raise CadsightError(problem.sentence)
        self.problems.append(problem)

    def remark(self, kind: str, file: Path, text: str, line: int | None = None, *, loses: str = "") -> None:
        """Like :meth:`problem`, for what can be read all the same, or is left out as the reader thinks right."""
        where = f"{file}, line {line}" if line is not None else str(file)
        self.problems.append(Problem(kind, file, line, f"{where}: {text}", loses, refused=False))

    def take(self, other: "Notes") -> None:
        """Note what ``other`` collected, as if it came now.

        Raises:
            CadsightError: for its first problem that is refused where this one is strict.
        """
        for problem in other.problems:
            if self.strict and problem.refused:
                raise CadsightError(problem.sentence)
            self.problems.append(problem)

    def label_file(self, sample: str, file: Path | None) -> None:
        """The labels of the image ``sample`` stand in ``file``; None where that file is missing."""
        self._files[sample] = file

    def label_file_of(self, sample: str) -> Path | None:
        return self._files.get(sample)

    def unlabelled(self, samples: Iterable[Sample], form: str) -> list[Sample]:
        """Those of ``samples`` for which a reader of the format ``form`` found no file of labels."""
        return [s for s in samples if self._files.get(s.name) is None] if form in _FILE_PER_IMAGE else []

    def set_location(self, sample: str, index: int, file: Path, line: int | None = None) -> None:
        """The label ``index`` of the image ``sample`` stands in ``file`` at ``line``."""
        self._locations[sample, index] = (file, line)

    def location_of(self, sample: str, index: int, otherwise: Path) -> tuple[Path, int | None]:
        return self._locations.get((sample, index), (self._files.get(sample) or otherwise, None))
