"""What the loop's node reads and publishes, as messages."""

import numpy as np
from cadsight_active.loop.pool_images import name_of
from cadsight_active.pool.pool import Decision
from cadsight_active.pool.seen import Seen
from cadsight_active.triggers.trigger import Alarm
from cadsight_core.errors import CadsightError
from cadsight_ros.convert.messages import stamp_ns
from std_msgs.msg import Header

from cadsight_interfaces.msg import Alarm as AlarmMessage
from cadsight_interfaces.msg import PoolDecision, SeenImage


def seen_from_message(message: SeenImage) -> Seen:
    """What perception made of one image.

    Raises:
        CadsightError: when its numbers do not go together.
    """
    rows = len(message.boxes) // 4
    classes = len(message.classes)
    wide = len(message.object_features) // rows if rows else 0
    if (len(message.boxes), len(message.scores), len(message.object_features)) != (
        4 * rows,
        classes * rows,
        wide * rows,
    ):
        raise CadsightError(
            f"what was seen in an image has {len(message.boxes)} numbers of boxes, {len(message.scores)} of scores and "
            f"{len(message.object_features)} of features for {classes} classes, expected as many rows of each"
        )
    return Seen(
        stamp_ns(message.header.stamp),
        np.array(message.boxes, np.float32).reshape(rows, 4),
        np.array(message.scores, np.float32).reshape(rows, classes),
        np.array(message.object_features, np.float32).reshape(rows, wide),
        np.array(message.image_features, np.float32),
        message.detector_sha256,
        # Of a model without features no row is ever compared, so that any name does.
        message.features_sha256 or message.detector_sha256,
    )


def alarm_to_message(alarm: Alarm, header: Header) -> AlarmMessage:
    return AlarmMessage(
        header=header,
        trigger=alarm.trigger,
        reason=alarm.reason,
        statistic=float(alarm.statistic),
        threshold=float(alarm.threshold),
        images=list(alarm.images),
    )


def decision_to_message(decision: Decision, header: Header, alarms: list[Alarm]) -> PoolDecision:
    why = decision.why
    return PoolDecision(
        header=header,
        verdict=decision.verdict,
        name="" if decision.number is None else name_of(decision.number),
        reason=why.reason if why is not None and decision.number is not None else "",
        uncertainty=why.uncertainty if why else 0.0,
        novelty=why.novelty if why else 0.0,
        alarms=[alarm.trigger for alarm in alarms],
    )
