"""How `cadsight loop` is run."""

from dataclasses import dataclass
from typing import Any

from cadsight_core.config.parameters import LARGEST_SEED, check, parameter


@dataclass(frozen=True)
class LoopSettings:
    """How `cadsight loop` is run on the simulated table."""

    cycles: int = parameter(4, "cycles, half of them before the lamp changes", minimum=2, maximum=20)
    drawn: int = parameter(160, "drawn images that the first model learns from", minimum=40)
    shown: int = parameter(
        300, "images of the cell with each lamp; the lamp changes after as many at the latest", minimum=60
    )
    quiet: int = parameter(
        120,
        "images between the last alarm before the lamp changes and that change, by which what is usual is known",
        minimum=0,
    )
    first_updates: int = parameter(300, "steps of the optimizer in the training of the first model", minimum=1)
    updates: int = parameter(600, "steps of the optimizer in the training of a cycle", minimum=1)
    k: int = parameter(60, "images of a batch", minimum=4)
    audit_fraction: float = parameter(
        0.34, "fraction of a batch that is held out: more than on a cell, for a few cycles", minimum=0.05, maximum=0.9
    )
    strategy: str = parameter("margin", "which images are chosen, one of `cadsight select`")
    seed: int = parameter(0, "of everything random", minimum=0, maximum=LARGEST_SEED)

    def __post_init__(self) -> None:
        check(self)

    def node_parameters(self) -> dict[str, Any]:
        """Parameters of the loop's node, by their names: those of a small table, where a cell would have the usual."""
        audits = round(self.k * self.audit_fraction)
        return {
            "labels": "truth",
            "keeper.max_hz": 1000.0,
            "pool.seed": self.seed,
            "pool.duplicate_distance": 1e-4,
            "pool.unsure": 0.3,
            "trigger.amount.new_images": 2 * self.k,
            "trigger.shift.calibration": 80,
            "trigger.shift.lag": 1,
            "trigger.shift.seed": self.seed,
            "cycle.gather": self.k,
            "cycle.strategy": self.strategy,
            "cycle.k": self.k,
            "cycle.audit_fraction": self.audit_fraction,
            "cycle.updates": self.updates,
            "cycle.seed": self.seed,
            "cycle.gate.gates": self.cycles,
            "cycle.gate.least_images": audits,
            "cycle.gate.least_labels": min(10, audits),
        }
