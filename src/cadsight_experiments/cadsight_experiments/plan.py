"""The plan of a comparison: the training sets, how models are trained on each, and the test set."""

from dataclasses import dataclass

from cadsight_core.errors import CadsightError
from cadsight_core.parts.part import Part
from cadsight_learning.options import DetectorOptions, NormalOptions

from cadsight_experiments.training_set import TrainingSet


@dataclass(frozen=True)
class Plan:
    """Training sets to compare: models of each are trained and evaluated alike.

    Attributes:
        test: folder of the data set that every model is evaluated on.
        seeds: trainings of each set, with the seeds 0 to ``seeds - 1``.
        detector: how the detector is trained, unless a set has options of its own.
        normals: how the regressor is trained, likewise; None for the detector alone.
        parts: classes, matched by name, whose symmetry counts for normals, in training and in evaluation.

    Raises:
        CadsightError: without a set or a seed, for two sets of one name, and for one that goes on from none before it.
    """

    sets: tuple[TrainingSet, ...]
    test: str
    seeds: int
    detector: DetectorOptions
    normals: NormalOptions | None = None
    parts: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        names = [one.name for one in self.sets]
        if len(set(names)) < len(names) or not names or self.seeds < 1:
            raise CadsightError(
                f"the sets {', '.join(names)} with {self.seeds} seeds are to be compared, expected at least one set, a "
                "name for each and at least one seed"
            )
        for position, one in enumerate(self.sets):
            if one.after and one.after not in names[:position]:
                raise CadsightError(f"the set {one.name} comes after {one.after!r}, expected one of those before it")
