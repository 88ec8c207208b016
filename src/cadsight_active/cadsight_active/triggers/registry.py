"""The triggers by name: ours, and those that other packages add by an entry point."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cadsight_core.registered import Registered

from cadsight_active.triggers.amount import AmountOptions, AmountTrigger
from cadsight_active.triggers.elapsed import ElapsedOptions, ElapsedTrigger
from cadsight_active.triggers.falling_score import FallingScoreOptions, FallingScoreTrigger
from cadsight_active.triggers.shift import ShiftOptions, ShiftTrigger
from cadsight_active.triggers.trigger import Trigger

GROUP = "cadsight.triggers"


@dataclass(frozen=True)
class TriggerKind:
    """A way to begin a cycle.

    Attributes:
        options: dataclass of its parameters.
        new: a trigger of such options.
    """

    name: str
    summary: str
    options: type[Any]
    new: Callable[[Any], Trigger]


TRIGGERS = Registered(
    "trigger",
    GROUP,
    TriggerKind,
    (
        TriggerKind("amount", "so many new images", AmountOptions, AmountTrigger),
        TriggerKind("elapsed", "so much time", ElapsedOptions, ElapsedTrigger),
        TriggerKind("shift", "a shift of the input", ShiftOptions, ShiftTrigger),
        TriggerKind("falling_score", "a falling score", FallingScoreOptions, FallingScoreTrigger),
    ),
)
