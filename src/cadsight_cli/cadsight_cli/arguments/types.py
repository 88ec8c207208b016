"""What options take, checked where it is typed: numbers in their range, texts that are not empty."""

import argparse
import math
from collections.abc import Callable

from cadsight_core.config.parameters import LARGEST_SEED


def whole(minimum: int, maximum: int | None = None) -> Callable[[str], int]:
    """A type for argparse: a whole number, both limits allowed."""
    expected = f"a whole number {_range(minimum, maximum)}"

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise _refused(text, expected) from None
        if value < minimum or (maximum is not None and value > maximum):
            raise _refused(text, expected)
        return value

    return convert


def number(
    minimum: float | None = None, maximum: float | None = None, *, above: float | None = None
) -> Callable[[str], float]:
    """A type for argparse: a finite number, both limits allowed and ``above`` not."""
    expected = f"a number {_range(minimum, maximum, above)}".rstrip()

    def convert(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise _refused(text, expected) from None
        below = (minimum is not None and value < minimum) or (above is not None and value <= above)
        if not math.isfinite(value) or below or (maximum is not None and value > maximum):
            raise _refused(text, expected)
        return value

    return convert


def text(given: str) -> str:
    """A type for argparse: a path or name, which is never empty by intention."""
    if not given:
        raise _refused(given, "a text that is not empty")
    return given


def _range(minimum: float | None, maximum: float | None, above: float | None = None) -> str:
    if maximum is not None and minimum is not None:
        return f"from {minimum:.10g} to {maximum:.10g}"
    if above is not None:
        return f"above {above:g}"
    return f"of at least {minimum:.10g}" if minimum is not None else ""


def _refused(given: str, expected: str) -> argparse.ArgumentTypeError:
    return argparse.ArgumentTypeError(f"{given!r} was given, expected {expected}")


COUNT = whole(1)
SEED = whole(0, LARGEST_SEED)
FRACTION = number(0, 1)
POSITIVE = number(above=0)
