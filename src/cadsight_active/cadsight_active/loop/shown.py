"""What came of each image that a loop was shown, where the truth is known."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_core.storage.append_log import AppendLog, read_append_log

FORMAT = "cadsight-shown-1"


@dataclass(frozen=True)
class Shown:
    """What came of one image.

    Attributes:
        number: counted from 1 over the whole run.
        phase: what the cell was like: 'before' or 'after' its lamp changed.
        image: its name in the data set with the truth.
        score: F1 of what was found beside the truth, 0 to 1.
        generation: of the models that found it.
        verdict: of the pool.
        alarms: triggers that gave alarm at it.
    """

    number: int
    phase: str
    image: str
    score: float
    generation: int
    detector: str
    verdict: str
    alarms: tuple[str, ...] = ()


class ShownRecord:
    """What was shown, in a file; for one writer.

    Raises:
        CadsightError: when the file is of another form.
    """

    def __init__(self, path: str | Path) -> None:
        self._log = AppendLog(path, FORMAT)
        self._shown = _shown(self._log.entries)

    @property
    def all(self) -> tuple[Shown, ...]:
        """Oldest first."""
        return tuple(self._shown)

    def add(self, one: Shown) -> None:
        """Write what came of an image."""
        self._log.append(asdict(one))
        self._shown.append(one)


def read_shown(path: str | Path) -> list[Shown]:
    """What a file of :class:`ShownRecord` says, oldest first.

    Raises:
        CadsightError: when it is of another form.
    """
    return _shown(read_append_log(path, FORMAT))


def _shown(entries: Iterable[Mapping[str, Any]]) -> list[Shown]:
    try:
        return [Shown(**{**entry, "alarms": tuple(entry["alarms"])}) for entry in entries]
    except (KeyError, TypeError) as error:
        what = f"a record of what was shown is of another form ({error}), expected `cadsight loop`'s"
        raise CadsightError(what) from error
