"""What is said at the start of a training that this machine is slow at."""

from dataclasses import dataclass

# Seconds of one step on the machine of docs/demo.md with little beside it: 16 images at 320, 8 crops at 112.
USUAL_DETECTOR_STEP_S = 0.5
USUAL_NORMALS_STEP_S = 0.03
_SLOW = 2.0


@dataclass(frozen=True)
class Usual:
    """What a training takes usually.

    Attributes:
        step_seconds: of one step.
        fewer: options that halve the work of this training, as they are typed.
    """

    step_seconds: float
    fewer: str


def slowness(usual: Usual, step_seconds: float, left: float) -> str | None:
    """A sentence where steps take more than twice as long as usual, else None."""
    times = step_seconds / usual.step_seconds
    if times <= _SLOW:
        return None
    return (
        f"this machine trains at about {_fraction(times)} of the usual pace now, about {_minutes(left)} instead of "
        f"{_minutes(left / times)}, with the same result; {usual.fewer} would save about {_minutes(left / 2)}, and "
        "--quick, in another --out, trains one epoch only to show that all of it runs"
    )


def _fraction(times: float) -> str:
    return f"1/{round(times)}"


def _minutes(seconds: float) -> str:
    minutes = seconds / 60
    return "a minute" if minutes < 1.5 else f"{minutes:.0f} minutes"
