"""Ranges that a recipe gives, and values sampled from them."""

from dataclasses import fields
from typing import Any, TypeAlias

from cadsight_core.config.parameters import check
from cadsight_core.errors import ParameterError
from numpy.random import Generator

Span: TypeAlias = tuple[float, float]

Count: TypeAlias = tuple[int, int]


def check_section(section: Any) -> None:
    """Refuse a wrong type, a value out of range, and a pair, which is a lowest and a highest value, that falls.

    Raises:
        ParameterError: naming the field, its value and what was expected.
    """
    check(section)
    for field in fields(section):
        value = getattr(section, field.name)
        if isinstance(value, tuple) and len(value) == 2 and all(isinstance(v, int | float) for v in value):
            low, high = value
            if not low <= high:
                raise ParameterError(field.name, f"goes from {low:g} to {high:g}, expected it to rise")


def sample_value(rng: Generator, span: Span) -> float:
    """A number sampled uniformly from ``span``."""
    return float(rng.uniform(*span))


def sample_count(rng: Generator, span: Count) -> int:
    """A whole number sampled uniformly from ``span``, both ends included."""
    return int(rng.integers(span[0], span[1] + 1))
