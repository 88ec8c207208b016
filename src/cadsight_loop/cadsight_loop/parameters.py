"""Parameters of the loop's node."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from cadsight_active.loop.options import LoopOptions
from cadsight_active.pool.keeper import KeeperOptions
from cadsight_active.pool.policy import PoolOptions
from cadsight_active.strategies.registry import STRATEGIES
from cadsight_active.triggers.registry import TRIGGERS
from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import ParameterError
from cadsight_learning.options import MODELS_FOLDER
from cadsight_ros.convert.camera_topics import IMAGE

# A field a trigger, those of other packages among them: the options of each.
TriggerParameters: Any = dataclasses.make_dataclass(
    "TriggerParameters",
    [(kind.name, kind.options, field(default_factory=kind.options)) for kind in TRIGGERS.values()],
    frozen=True,
)


@dataclass(frozen=True)
class LoopParameters:
    """Parameters of the loop's node."""

    autostart: bool = parameter(True, "configure and activate itself at start; false: a lifecycle manager does")
    folder: str = parameter("runs/loop", "where the pool, batches, labels and the history are kept", kind="text")
    models_folder: str = parameter(
        MODELS_FOLDER, "the model registry, that of the perception node: new models go there", kind="text"
    )
    image_topic: str = parameter(IMAGE, "images of the camera", kind="topic")
    perception: str = parameter("/cadsight/perception", "the perception node, whose topics it reads", kind="topic")
    learns: bool = parameter(True, "an alarm begins a cycle; false: the pool and the alarms alone")
    labels: str = parameter(
        "people",
        "who labels a batch: people, whose labels are expected in FOLDER/answers/NNN, or truth, a data set that knows",
        choices=("people", "truth"),
    )
    truth: list[str] = parameter([], "with labels truth: folders of data sets that hold the images with their labels")
    earlier: list[str] = parameter([], "data sets that the first model learned from, so that it forgets nothing")
    triggers: list[str] = parameter(["amount", "shift", "falling_score"], "what may begin a cycle")
    keeper: KeeperOptions = field(default_factory=KeeperOptions)
    pool: PoolOptions = field(default_factory=PoolOptions)
    cycle: LoopOptions = field(default_factory=LoopOptions)
    trigger: TriggerParameters = field(default_factory=TriggerParameters)

    def __post_init__(self) -> None:
        check(self)
        if unknown := next((name for name in self.triggers if name not in TRIGGERS), None):
            raise ParameterError("triggers", f"names {unknown!r}, expected some of {', '.join(TRIGGERS)}")
        if (strategy := self.cycle.strategy) not in STRATEGIES:
            raise ParameterError("cycle.strategy", f"is {strategy!r}, expected one of {', '.join(STRATEGIES)}")
