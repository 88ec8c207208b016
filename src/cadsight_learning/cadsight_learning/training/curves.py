"""The curves of a training: a row of figures an epoch, and their files."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cadsight_core.storage.files import write_atomically
from cadsight_core.storage.json_text import figures_text

from cadsight_learning.registry.model_folder import CARD, CURVES_CSV, CURVES_JSON
from cadsight_learning.training.callbacks import Clock
from cadsight_learning.training.phases import Callback, Trainer

Rows = Sequence[Mapping[str, float]]


def curve_files(curves: Rows) -> dict[str, bytes]:
    """The curves as JSON and as a table, by their files' names."""
    table = io.StringIO()
    writer = csv.DictWriter(table, list(curves[0]), extrasaction="ignore", restval="")
    writer.writeheader()
    writer.writerows(curves)
    return {CURVES_JSON: (figures_text(curves, indent=1) + "\n").encode(), CURVES_CSV: table.getvalue().encode()}


class Curves(Callback):
    """Keeps a row of figures an epoch, and writes them, unless a model is there, whose own they would replace."""

    name = "curves"

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        figures: Callable[[Trainer], Mapping[str, float]],
        tabled: Callable[[Rows], Rows] = lambda rows: rows,
    ) -> None:
        """``figures`` are those of the epoch that is over, beside its number, seconds and rate; ``tabled`` makes of all
        rows those of the files.
        """
        self.rows: list[dict[str, float]] = []
        self._folder, self._clock, self._figures, self._tabled = folder, clock, figures, tabled

    def after_epoch(self, trainer: Trainer) -> None:
        rate = trainer.phases[0].optimizer.param_groups[0]["lr"]
        row = {"epoch": trainer.epoch, "seconds": self._clock.seconds, "learning_rate": rate}
        self.rows.append({**row, **self._figures(trainer)})
        if not (self._folder / CARD).exists():
            for name, data in curve_files(self._tabled(self.rows)).items():
                write_atomically(self._folder / name, data)

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.rows = list(state["rows"])
