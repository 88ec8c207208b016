"""Whether a network gives the same in bfloat16 as in float32, on images that it was validated on."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from cadsight_core.geometry import angle_between
from numpy.typing import NDArray

from cadsight_learning.options import CONFIDENCE
from cadsight_learning.runtime.sessions import Session

# How far bfloat16 may move anything: a box's centre or size in pixels of the network, a score, a normal in degrees.
LARGEST_BOX_PX, LARGEST_SCORE, LARGEST_NORMAL_DEG = 0.25, 0.02, 0.25


@dataclass(frozen=True)
class Agreement:
    """The largest differences between the two.

    Attributes:
        compared: boxes to which float32 gives at least :data:`cadsight_learning.options.CONFIDENCE`, or normals.
    """

    compared: int
    box_px: float = 0.0
    score: float = 0.0
    normal_deg: float = 0.0

    @property
    def agrees(self) -> bool:
        """Whether something was compared and nothing moved further than it may."""
        boxes = self.box_px <= LARGEST_BOX_PX and self.score <= LARGEST_SCORE
        return self.compared > 0 and boxes and self.normal_deg <= LARGEST_NORMAL_DEG

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "agrees": self.agrees}

    @staticmethod
    def from_json(data: Any) -> "Agreement | None":
        """What :meth:`to_json` gave; None for anything else."""
        names = [f.name for f in fields(Agreement)]
        if not isinstance(data, dict) or not all(isinstance(data.get(name), int | float) for name in names):
            return None
        return Agreement(**{name: data[name] for name in names})

    def __str__(self) -> str:
        if not self.compared:
            return "bfloat16 was compared on no validation image"
        moved = f"boxes by {self.box_px:.3f} px and scores by {self.score:.3f}"
        if self.normal_deg:
            moved = f"normals by {self.normal_deg:.3f} degrees"
        return f"bfloat16 moves {self.compared} {moved} at most"


def agreement(exact: Session, near: Session, images: Iterable[NDArray[np.float32]], kind: str) -> Agreement:
    """Compare what ``near`` makes of ``images``, each (1, 3, rows, columns), with what ``exact`` does.

    Args:
        kind: of the model, 'detector' or 'normals'.
    """
    moved: list[NDArray[Any]] = []
    for image in images:
        one, other = exact(image)[0], near(image)[0]
        if kind == "normals":
            moved.append(np.array([[0.0, 0.0, float(angle_between(one[:3], other[:3]))]]))
            continue
        confident = one[4:].max(axis=0) >= CONFIDENCE
        apart = np.abs(one - other)[:, confident].T
        none = np.zeros(len(apart))
        moved.append(np.stack([apart[:, :4].max(axis=1, initial=0.0), apart[:, 4:].max(axis=1, initial=0.0), none], 1))
    every = np.concatenate(moved) if moved else np.zeros((0, 3))
    return Agreement(len(every), *(float(value) for value in every.max(axis=0, initial=0.0)))
