"""How images are chosen: what the command line offers, read before anything heavy is imported."""

from dataclasses import dataclass

from cadsight_core.config.parameters import LARGEST_SEED, check, parameter


@dataclass(frozen=True)
class SelectionOptions:
    """What a strategy is asked for. Each takes what concerns it."""

    strategy: str = parameter("dbal", "how images are chosen", kind="name")
    k: int = parameter(25, "images to choose", minimum=1, maximum=1_000_000)
    seed: int = parameter(0, "of everything random", minimum=0, maximum=LARGEST_SEED)
    aggregate: str = parameter(
        "sum", "how the uncertainties of an image's detections go together", choices=("sum", "mean", "max")
    )
    floor: float = parameter(0.05, "score below which nothing counts as a detection", minimum=0.03, maximum=0.9)
    at_most: int = parameter(100, "detections of an image, the most confident", minimum=1, maximum=1000)
    beta: float = parameter(
        2.0, "dbal: times as many images as are chosen go into the clusters, the most uncertain", minimum=1.0
    )
    over: str = parameter("unlabelled", "dbal: whose images go into the clusters", choices=("unlabelled", "all"))
    among: float = parameter(
        0.5, "random_margin: fraction of the images that are asked about", minimum=0.01, maximum=1.0
    )
    delta: float = parameter(
        4.0, "ppal: times as many images as are chosen go into the groups, the most uncertain", minimum=1.0
    )

    def __post_init__(self) -> None:
        check(self)
