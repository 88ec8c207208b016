"""Which steps of a run are done, and how long each took; a run that is stopped goes on from here."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_core.files import write_atomically


@dataclass
class Step:
    """A step of a run; ``seconds`` adds up over all the times that it was gone on with."""

    done: bool = False
    seconds: float = 0.0


class Journal:
    """steps.json of a run folder."""

    def __init__(self, path: Path) -> None:
        """Read the journal at ``path``, or begin one.

        Raises:
            CadsightError: when the file is there and holds something else.
        """
        self._path = path
        self.steps: dict[str, Step] = {}
        if path.exists():
            try:
                steps: dict[str, Any] = json.loads(path.read_text())["steps"]
                self.steps = {n: Step(bool(s["done"]), float(s["seconds"])) for n, s in steps.items()}
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                raise CadsightError(f"{path} could not be read ({error}), expected the steps of a run") from error

    def run(self, name: str, work: Callable[[], None]) -> bool:
        """Do the step unless it is done; the time counts even when the step is broken off. True where it was done now.

        Whatever ``work`` raises goes on to the caller, and the step stays to be gone on with.
        """
        step = self.steps.setdefault(name, Step())
        if step.done:
            return False
        before, started = step.seconds, time.monotonic()
        try:
            work()
            step.done = True
        finally:
            step.seconds = round(before + time.monotonic() - started, 3)
            self._write()
        return True

    def redo(self, name: str) -> None:
        """Let the step be done anew, its time counted anew."""
        self.steps[name] = Step()

    def _write(self) -> None:
        data = {"steps": {name: {"done": s.done, "seconds": s.seconds} for name, s in self.steps.items()}}
        write_atomically(self._path, json.dumps(data, indent=2) + "\n")
