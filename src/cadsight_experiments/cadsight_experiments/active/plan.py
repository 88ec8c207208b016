"""The plan of a comparison of strategies: the pool, the start, numbers of images, seeds and cycles."""

from collections.abc import Mapping
from dataclasses import dataclass

from cadsight_core.errors import CadsightError
from cadsight_learning.options import DetectorOptions

# Every comparison has these: without them no other strategy says anything.
ALWAYS = ("random", "entropy")
# Images of an epoch: of fewer, what is done after each epoch would take longer than the epoch.
_LEAST = 64


@dataclass(frozen=True)
class ActivePlan:
    """Strategies to compare on one pool: what each chooses is labelled, learned from and evaluated alike.

    Attributes:
        pool: folder of the data set that is chosen from; labels are looked at of chosen images alone.
        test: folder of the data set that every model is evaluated on.
        strategies: names, :data:`ALWAYS` among them.
        seeds: by number of chosen images in the one cycle how many seeds, 0 and up.
        cycles: batches one after the other of ``cycle_strategy``, each of ``cycle_images``, with ``cycle_seeds`` seeds;
            0 for none.
        between: numbers of random's images between which labels are compared.
        updates: steps of the optimizer in a training, whatever its number of images; 0 for the epochs of ``detector``.
        detector: how detectors are trained; its seed and weights are those of each training.

    Raises:
        CadsightError: without one of :data:`ALWAYS`, a number of images or a seed, for a strategy twice, and for
            numbers to compare between that do not grow.
    """

    pool: str
    test: str
    strategies: tuple[str, ...]
    seeds: Mapping[int, int]
    cycles: int
    cycle_images: int
    cycle_seeds: int
    cycle_strategy: str
    between: tuple[int, int]
    updates: int
    detector: DetectorOptions

    def __post_init__(self) -> None:
        if not set(ALWAYS) <= set(self.strategies) or len(set(self.strategies)) < len(self.strategies):
            raise CadsightError(
                f"the strategies are {', '.join(self.strategies)}, expected each once, and {' and '.join(ALWAYS)} "
                "among them"
            )
        if not self.seeds or min(*self.seeds, *self.seeds.values(), self.cycle_images, self.cycle_seeds) < 1:
            raise CadsightError(
                f"{dict(self.seeds)} seeds by number of images, and {self.cycle_seeds} for batches of "
                f"{self.cycle_images}, were asked for, expected at least one of each"
            )
        low, high = self.between
        if not 0 < low <= high:
            raise CadsightError(f"labels are compared between {low} and {high} images, expected numbers that grow")

    def epochs(self, images: int) -> tuple[int, int]:
        """How many epochs so many training images are learned from, and how often each comes in one of them."""
        if not self.updates:
            return self.detector.epochs, 1
        times = -(-_LEAST // images)
        return max(round(self.updates / -(-images * times // self.detector.batch)), 1), times
