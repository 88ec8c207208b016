"""Why an image gets no label."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """An image that gets no label, and why.

    Attributes:
        kind: short name to count by, such as ``colour_nothing``.
        reason: one sentence with the figures that decided.
    """

    kind: str
    reason: str
