"""What a reader notes on the way: problems, and where each label stands."""

from dataclasses import dataclass
from pathlib import Path

from cadsight_core.errors import CadsightError


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a data set.

    Attributes:
        kind: few words, the same for each problem of its kind.
        line: counted from 1, None where the file has no lines or the whole file is meant.
        sentence: the thing, what came and what was expected, with file and line.
    """

    kind: str
    file: Path
    line: int | None
    sentence: str


class Notes:
    """Collects problems, or where ``strict`` raises the first as a CadsightError."""

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self.problems: list[Problem] = []
        self._places: dict[tuple[str, int], tuple[Path, int | None]] = {}
        self._files: dict[str, Path | None] = {}

    def problem(self, kind: str, file: Path, text: str, line: int | None = None) -> None:
        """Note that ``file`` (at ``line``) has the problem that ``text`` tells."""
        where = f"{file}, line {line}" if line is not None else str(file)
        problem = Problem(kind, file, line, f"{where}: {text}")
        if self.strict:
            raise CadsightError(problem.sentence)
        self.problems.append(problem)

    def label_file(self, sample: str, file: Path | None) -> None:
        """The labels of the picture ``sample`` stand in ``file``; None where that file is missing."""
        self._files[sample] = file

    def has_label_file(self, sample: str) -> bool:
        return self._files.get(sample) is not None

    def place(self, sample: str, index: int, file: Path, line: int | None = None) -> None:
        """The label ``index`` of the picture ``sample`` stands in ``file`` at ``line``."""
        self._places[sample, index] = (file, line)

    def place_of(self, sample: str, index: int, otherwise: Path) -> tuple[Path, int | None]:
        return self._places.get((sample, index), (otherwise, None))
