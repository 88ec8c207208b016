"""How things fall; apart from the physics, which MuJoCo's import brings along."""

from dataclasses import dataclass

from cadsight_core.config.parameters import check, parameter


@dataclass(frozen=True)
class DropParameters:
    """How things fall."""

    height_m: float = parameter(0.05, "free fall of the lowest body above the walls", minimum=0.0, maximum=2.0)
    friction: float = parameter(0.5, "between bodies, and with the box", minimum=0.0, maximum=2.0)
    seconds: float = parameter(4.0, "longest time until all are at rest", minimum=0.1, maximum=60.0)

    def __post_init__(self) -> None:
        check(self)
