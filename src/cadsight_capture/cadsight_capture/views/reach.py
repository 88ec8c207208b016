"""Whether the arm of a simulated cell can show a part to its camera, tried without a cell that runs."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from cadsight_cell.simulation.world import World
from cadsight_core.errors import CadsightError

from cadsight_capture.views.poses import Poses

_TRIED = 8


@dataclass(frozen=True)
class Reach:
    """The result of sampling poses.

    Attributes:
        tried: poses that were searched for.
        found: those that show the part.
        refused: samples that do not, by reason, for the poses that were found.
        reason: why there are not more, in a sentence; '' where all were found.
    """

    tried: int
    found: int
    refused: Mapping[str, int]
    reason: str


def reach(poses: Poses, world: World, seed: int = 0) -> Reach:
    """Draw a few poses as a session of ``seed`` in ``world`` would, and go on to none."""
    refused: Counter[str] = Counter()
    found, reason = 0, ""
    try:
        sampler = poses.sampler(seed, world.camera, world.base_from_camera_calibrated)
        for index in range(_TRIED):
            refused.update(sampler.pose(index)[1])
            found += 1
    except CadsightError as error:
        reason = str(error)
    return Reach(_TRIED, found, dict(refused), reason)
