"""The topics of approach poses: found and published while somebody listens."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from cadsight_core.camera import Camera
from cadsight_ros.convert import qos
from cadsight_ros.convert.images import Depth
from cadsight_ros.convert.messages import stamp_ns
from cadsight_ros.convert.transforms import TransformBuffer, TransformListener
from cadsight_ros.node.lifecycle import ManagedNode
from cadsight_ros.resources import resolve
from geometry_msgs.msg import PoseArray
from std_msgs.msg import Header

from cadsight_interfaces.msg import ApproachArray
from cadsight_perception.messages.approaches import approaches_to_message, poses_of
from cadsight_perception.parameters import PerceptionParameters

if TYPE_CHECKING:
    from cadsight_learning.inference import Inference

    from cadsight_perception.approach.interest import InterestFinder
    from cadsight_perception.approach.standing import Approach


class ApproachTopics:
    """``~/approach`` and ``~/approaches`` of a perception node."""

    def __init__(self, node: ManagedNode, parameters: PerceptionParameters) -> None:
        """Raises CadsightError for a part that cannot be read."""
        self._p, self._part_size_m = parameters.approach, parameters.part_size_m
        # Its libraries load slowly: without a part that may be wrong, not before somebody listens.
        self._finder = self._make_finder() if self._p.parts else None
        self._buffer = TransformBuffer()
        self._listener = TransformListener(node, self._buffer)
        self._poses = node.create_lifecycle_publisher(PoseArray, "~/approach", qos.RESULTS)
        self._approaches = node.create_lifecycle_publisher(ApproachArray, "~/approaches", qos.RESULTS)

    def _make_finder(self) -> "InterestFinder":
        from cadsight_core.parts.part import load_part

        from cadsight_perception.approach.fitting import PartModel
        from cadsight_perception.approach.interest import InterestFinder

        models = [PartModel.of(load_part(resolve(file))) for file in self._p.parts]
        by_name = {model.name: model for model in models}
        return InterestFinder(by_name, self._part_size_m, self._p.largest_misfit_mm / 1000)

    @property
    def wanted(self) -> bool:
        """Whether anybody listens."""
        return bool(self._poses.get_subscription_count() or self._approaches.get_subscription_count())

    def publish(
        self,
        inference: "Inference",
        ids: Sequence[str],
        camera: Camera,
        depth: Depth | None,
        header: Header,
        classes: Sequence[str],
    ) -> None:
        """Find and publish the approach poses of one image.

        Raises:
            CadsightError: when nobody says where the camera was in the base at the image's stamp.
        """
        from cadsight_perception.approach.standing import HandEyeError, approach

        if self._finder is None:
            self._finder = self._make_finder()
        hand_eye = HandEyeError(self._p.hand_eye_mm / 1000, float(np.deg2rad(self._p.hand_eye_deg)))
        stamp, timeout = stamp_ns(header.stamp), self._p.transform_timeout_s
        base_from_camera = self._buffer.lookup(self._p.base_frame, header.frame_id, stamp, timeout_s=timeout)
        found: list[Approach | None] = []
        for instance, covariance in zip(inference.instances, inference.covariances, strict=True):
            name = classes[instance.class_id]
            interest = self._finder.find(instance, name, camera, covariance, depth)
            found.append(
                None if interest is None else approach(interest, base_from_camera, self._p.standoff_m, hand_eye)
            )
        based = Header(stamp=header.stamp, frame_id=self._p.base_frame)
        message = approaches_to_message(inference.instances, ids, found, based, classes, self._p.standoff_m)
        self._approaches.publish(message)
        self._poses.publish(poses_of(message))
