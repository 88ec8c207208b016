"""How sure a gate is: what the command line offers, read before anything heavy is imported."""

from dataclasses import dataclass

from cadsight_core.config.parameters import LARGEST_SEED, check, parameter


@dataclass(frozen=True)
class GateOptions:
    """How sure it must be that a new model is better."""

    alpha: float = parameter(
        0.05, "chance of ever serving a model that is no better, over all planned gates", minimum=1e-4, maximum=0.5
    )
    gates: int = parameter(8, "planned gates, among which alpha is split: the same audits decide them", minimum=1)
    resamples: int = parameter(10_000, "resamples of the held-out images", minimum=1000, maximum=1_000_000)
    tolerated: float = parameter(0.02, "by so much may no class be worse at its lower bound", minimum=0.0, maximum=1.0)
    least_images: int = parameter(100, "held-out images without which nothing can be told", minimum=2)
    least_labels: int = parameter(30, "labels of each class without which nothing can be told", minimum=1)
    seed: int = parameter(0, "of the resamples", minimum=0, maximum=LARGEST_SEED)

    def __post_init__(self) -> None:
        check(self)
