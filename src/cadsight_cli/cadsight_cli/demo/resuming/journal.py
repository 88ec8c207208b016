"""Which steps of a run are done, with what, and how long each took; a run that is stopped goes on from here."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_core.storage.files import write_atomically
from cadsight_core.storage.json_text import json_text


@dataclass
class Step:
    """A step of a run.

    Attributes:
        seconds: over all the times that it was gone on with.
        inputs: what it depends on, by name (:mod:`cadsight_cli.demo.resuming.inputs`); empty in earlier runs.
        anew: it is done again, beside an older result that it replaces when it is complete.
    """

    done: bool = False
    seconds: float = 0.0
    inputs: dict[str, Any] = field(default_factory=dict)
    anew: bool = False


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
                self.steps = {
                    n: Step(bool(s["done"]), float(s["seconds"]), dict(s.get("inputs", {})), bool(s.get("anew", False)))
                    for n, s in steps.items()
                }
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                raise CadsightError(f"{path} could not be read ({error}), expected the steps of a run") from error

    def run(self, name: str, work: Callable[[bool], None], inputs: dict[str, Any] | None = None) -> bool:
        """Do the step unless it is done; the time counts even when the step is broken off. True where it was done now.

        ``work`` gets whether it is to make the result beside an older one. Whatever it raises goes on to the
        caller, and the step stays to be gone on with.
        """
        step = self.steps.setdefault(name, Step())
        if inputs is not None:
            # Before the work: what is left of a step that was killed is known by what it was begun with.
            step.inputs = inputs
        self._write()
        if step.done:
            return False
        before, started = step.seconds, time.monotonic()
        try:
            work(step.anew)
            step.done, step.anew = True, False
        finally:
            step.seconds = round(before + time.monotonic() - started, 3)
            self._write()
        return True

    def redo(self, name: str, inputs: dict[str, Any] | None = None, anew: bool = False) -> None:
        """Let the step be done again, its time counted anew; ``inputs`` and ``anew`` as in :class:`Step`."""
        self.steps[name] = Step(inputs=inputs or {}, anew=anew)
        self._write()

    def go_on(self, name: str, inputs: dict[str, Any]) -> None:
        """Let a step that was done do more of the same."""
        self.steps[name].done, self.steps[name].inputs = False, inputs
        self._write()

    def _write(self) -> None:
        data = {"steps": {name: asdict(step) for name, step in self.steps.items()}}
        write_atomically(self._path, json_text(data, indent=2) + "\n")
