"""What the sorter decides by."""

from dataclasses import dataclass
from typing import Literal, get_args

from cadsight_core.config.parameters import LARGEST_SEED, check, parameter
from cadsight_core.errors import CadsightError

Colour = Literal["green", "yellow", "white", "red"]
COLOURS: tuple[Colour, ...] = get_args(Colour)


@dataclass(frozen=True)
class SortingOptions:
    """Levels of p-values, each the fraction of new real images that would be sorted so, and what is drawn at random."""

    red: float = parameter(0.05, "p-value of a copy, at or below which an image is red", minimum=0.001, maximum=0.5)
    white: float = parameter(
        0.05, "p-value of its quality, at or below which an image is white", minimum=0.001, maximum=0.5
    )
    yellow: float = parameter(
        0.15, "p-value of its quality, at or below which an image is yellow", minimum=0.001, maximum=0.5
    )
    seed: int = parameter(0, "of what is drawn at random", minimum=0, maximum=LARGEST_SEED)

    def __post_init__(self) -> None:
        check(self)
        if self.yellow < self.white:
            raise CadsightError(
                f"yellow begins at a p-value of {self.yellow:g} and white at {self.white:g}, expected yellow at no less"
            )

    @property
    def strictest(self) -> float:
        """The smallest level."""
        return min(self.red, self.white, self.yellow)
