"""How often the check that labels hold refuses planted changes: those of geometry, and those of look."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cadsight_core.config.parameters import LARGEST_SEED, check, parameter
from cadsight_core.errors import CadsightError
from cadsight_core.running.progress import progress_to
from cadsight_generation.holding.check import LabelCheck
from cadsight_generation.holding.planting import PLANTED
from cadsight_generation.holding.rates import labelled_patches, refusal_rate
from cadsight_learning.data.loading import load_images

from cadsight_cli.progress import counted

Show = Callable[[str, dict[str, Any]], None]
# What is asked for of changes that labels do not survive, and of those that they do.
_LEAST_REFUSED, _MOST_REFUSED = 0.95, 0.10


@dataclass(frozen=True)
class HoldingBenchmark:
    """Each planted change of each labelled object of a data set with masks, at 128 px, and how often it is refused."""

    data: str = parameter("", "labelled images with masks", kind="text")
    crops: int = parameter(200, "objects", minimum=1, maximum=100_000)
    seed: int = parameter(0, "of the changes", minimum=0, maximum=LARGEST_SEED)

    def __post_init__(self) -> None:
        if not self.data:
            raise CadsightError("the benchmark has no --data, expected labelled images with masks")
        check(self)

    def run(self, show: Show) -> dict[str, dict[str, Any]]:
        """Of each kind of change how many crops are refused.

        Raises:
            CadsightError: where the data cannot be read, or no object of at least 40 px has a mask.
        """
        with progress_to(counted):
            patches = labelled_patches(load_images([self.data]), self.crops)
        if not patches:
            raise CadsightError(f"no object of {self.data} has a mask and 40 px, expected some")
        speeds = {}
        for kind in PLANTED:
            rate = refusal_rate(LabelCheck(), kind, patches, self.seed)
            low, high = rate.interval
            speeds[kind.name] = {
                "refused": rate.refused,
                "of": rate.crops,
                "percent": 100 * rate.fraction,
                "from": 100 * low,
                "to": 100 * high,
                "asked": f"at least {_LEAST_REFUSED:.0%}" if kind.geometry else f"at most {_MOST_REFUSED:.0%}",
                "met": rate.fraction >= _LEAST_REFUSED if kind.geometry else rate.fraction <= _MOST_REFUSED,
            }
            show(kind.name, speeds[kind.name])
        return speeds
