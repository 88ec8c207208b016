"""How a loop chooses, learns and decides."""

from dataclasses import dataclass, field

from cadsight_core.config.parameters import LARGEST_SEED, check, parameter

from cadsight_active.gate_options import GateOptions


@dataclass(frozen=True)
class LoopOptions:
    """How a loop chooses, learns and decides."""

    strategy: str = parameter("margin", "which images are chosen, one of `cadsight select`")
    k: int = parameter(25, "images of a batch; fewer where the pool has no more", minimum=2, maximum=100_000)
    gather: int = parameter(
        50,
        "after a shift or a fall of the score so many images that came since are waited for, and the batch is chosen "
        "of these; 0: of all there is, at once",
        minimum=0,
        maximum=100_000,
    )
    audit_fraction: float = parameter(
        0.1,
        "fraction of a batch that is chosen at random and held out for ever: by these the score is followed and new "
        "models are compared",
        minimum=0.0,
        maximum=0.9,
    )
    updates: int = parameter(600, "steps of the optimizer in a training", minimum=1, maximum=1_000_000)
    batch: int = parameter(8, "images a step", minimum=1, maximum=1024)
    learning_rate: float = parameter(0.001, "highest learning rate", minimum=1e-7, maximum=1.0)
    freeze: int = parameter(
        0,
        "layers of the network, from the first, that are left as they are: with the first five of a YOLO11 image "
        "features stay what they were; but it learns another light badly",
        minimum=0,
        maximum=100,
    )
    recall: int = parameter(
        1000,
        "so many of the newest kept images are looked at with a model before it is served, so that they stay known as "
        "duplicates, and their objects as known ones; 0: none",
        minimum=0,
        maximum=1_000_000,
    )
    seed: int = parameter(0, "of everything random", minimum=0, maximum=LARGEST_SEED)
    gate: GateOptions = field(default_factory=GateOptions)

    def __post_init__(self) -> None:
        check(self)

    @property
    def audits(self) -> int:
        """Of a whole batch, at least one where any are wanted."""
        return max(round(self.k * self.audit_fraction), int(self.audit_fraction > 0))
