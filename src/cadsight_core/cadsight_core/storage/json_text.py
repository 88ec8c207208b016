"""JSON that every reader reads: NaN and the infinities, which JSON does not know, are refused or become null."""

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cadsight_core.errors import CadsightError


def json_text(
    value: Any, *, indent: int | None = None, sort_keys: bool = False, default: Callable[[Any], Any] | None = None
) -> str:
    """``value`` as JSON.

    Raises:
        CadsightError: for a number that is not finite, with its position.
    """
    try:
        return json.dumps(value, indent=indent, sort_keys=sort_keys, default=default, allow_nan=False)
    except ValueError as error:
        found = next(not_finite(value), None)
        if found is None:
            raise
        raise CadsightError(f"{found[0] or 'what is written'} is {found[1]}, expected a finite number") from error


def figures_text(value: Any, *, indent: int | None = None) -> str:
    """Like :func:`json_text`, with null for a figure that is not finite, such as the mean of nothing."""
    return json_text(without_nan(value), indent=indent)


def without_nan(value: Any) -> Any:
    """The same of JSON's own types, with None for each number that is not finite."""
    if isinstance(value, Mapping):
        return {str(key): without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    # Where NumPy is not loaded, nothing is of its types; a command's help does without it.
    numpy = sys.modules.get("numpy")
    plain = value.item() if numpy is not None and isinstance(value, numpy.generic) else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


def with_nan(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Figures as :func:`figures_text` wrote them, NaN where it wrote null."""
    return {name: number(value) if value is None else value for name, value in figures.items()}


def number(value: Any) -> float:
    """A figure as :func:`figures_text` wrote it: NaN for null."""
    return math.nan if value is None else float(value)


def not_finite(value: Any, where: str = "") -> Iterator[tuple[str, float]]:
    """The numbers in ``value`` that are not finite, each with its position such as ``boxes[3].x``."""
    if isinstance(value, float) and not math.isfinite(value):
        yield where.lstrip("."), value
    elif isinstance(value, Mapping):
        for key, member in value.items():
            yield from not_finite(member, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for number, element in enumerate(value):
            yield from not_finite(element, f"{where}[{number}]")
