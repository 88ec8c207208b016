"""Approach poses as messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cadsight_core.sample import Instance
from cadsight_ros.convert.messages import pose_to_message
from geometry_msgs.msg import Point, PoseArray
from std_msgs.msg import Header

from cadsight_interfaces.msg import Approach as ApproachMessage
from cadsight_interfaces.msg import ApproachArray

if TYPE_CHECKING:
    from cadsight_perception.approach.standing import Approach


def approaches_to_message(
    instances: Sequence[Instance],
    ids: Sequence[str],
    approaches: Sequence[Approach | None],
    header: Header,
    classes: Sequence[str],
    standoff_m: float,
) -> ApproachArray:
    """Those instances that have an approach; ``header`` has the image's stamp and the base as frame."""
    array = ApproachArray(header=header, standoff=standoff_m)
    for instance, name, approach in zip(instances, ids, approaches, strict=True):
        if approach is None:
            continue
        x, y, z = map(float, approach.interest.point)
        message = ApproachMessage(
            id=name,
            class_id=classes[instance.class_id],
            score=1.0 if instance.score is None else float(instance.score),
            point=Point(x=x, y=y, z=z),
            point_covariance=approach.interest.point_covariance.ravel(),
            method=approach.interest.method,
        )
        message.pose.pose = pose_to_message(approach.base_from_tool)
        message.pose.covariance = approach.covariance.ravel()
        array.approaches.append(message)
    return array


def poses_of(array: ApproachArray) -> PoseArray:
    """The poses alone, as RViz shows them."""
    return PoseArray(header=array.header, poses=[one.pose.pose for one in array.approaches])
