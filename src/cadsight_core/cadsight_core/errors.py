"""The errors that a user reads; programs tell them apart by their class and its attributes, never by their words."""

import copy
from typing import Any, TypeVar

E = TypeVar("E", bound="CadsightError")


class CadsightError(ValueError):
    """One sentence for the user: the subject, what came, and what was expected."""

    def at(self: E, where: str) -> E:
        """The same kind of error, whose sentence begins with ``where`` it was found."""
        placed = copy.copy(self)
        placed.args = (f"{where}: {self}",)
        return placed

    def __reduce__(self) -> tuple[Any, ...]:
        # Kinds have arguments of their own, and Python would copy with the sentence alone.
        return _made, (type(self), self.args, self.__dict__)


class ParameterError(CadsightError):
    """A parameter has a value that it cannot have; ``parameter`` is its name."""

    def __init__(self, parameter: str, words: str) -> None:
        """``words`` say which value it has and what was expected."""
        super().__init__(f"parameter {parameter} {words}")
        self.parameter = parameter


def _made(kind: type[E], args: tuple[Any, ...], attributes: dict[str, Any]) -> E:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(attributes)
    return error
