"""What the perception node publishes of one image."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cadsight_core.camera import Camera
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, Pose
from cadsight_core.imaging.drawing import draw_instances
from cadsight_core.imaging.images import Rgb
from cadsight_ros.convert import qos
from cadsight_ros.convert.images import Depth, to_message
from cadsight_ros.convert.messages import detections_to_message, normals_to_message, served_models_to_message
from cadsight_ros.node.lifecycle import ManagedNode
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray
from visualization_msgs.msg import MarkerArray

from cadsight_interfaces.msg import SeenImage, ServedModels, SurfaceNormalArray
from cadsight_perception.approach_topics import ApproachTopics
from cadsight_perception.health.statistics import APPROACH
from cadsight_perception.messages.markers import markers, position
from cadsight_perception.messages.poses import seen_pose
from cadsight_perception.messages.seen import seen_to_message
from cadsight_perception.parameters import PerceptionParameters

if TYPE_CHECKING:
    from cadsight_learning.inference import Inference

    from cadsight_perception.serving.models import Served


class Results:
    """The publishers of detections, normals and what is made of them."""

    def __init__(self, node: ManagedNode, parameters: PerceptionParameters, refuse: Callable[[str, str], None]) -> None:
        """``refuse`` counts and logs what an image lacked: a kind of ``health.statistics``, and a sentence.

        Raises:
            CadsightError: for a part that cannot be read.
        """
        self._options, self._refuse = parameters, refuse
        create = node.create_lifecycle_publisher
        self._detections = create(Detection2DArray, "~/detections", qos.RESULTS)
        self._normals = create(SurfaceNormalArray, "~/normals", qos.RESULTS)
        self._models = create(ServedModels, "~/models", qos.RESULTS)
        self._seen = create(SeenImage, "~/seen", qos.RESULTS)
        self._markers = create(MarkerArray, "~/markers", qos.RESULTS)
        self._annotated = create(Image, "~/annotated", qos.DRIVER)
        self._approach = ApproachTopics(node, parameters)

    @property
    def evidence_wanted(self) -> bool:
        """Whether anybody wants to know what the detector made of an image before it decided."""
        return bool(self._seen.get_subscription_count() > 0)

    def publish(
        self, inference: "Inference", camera: Camera | None, depth: Depth | None, header: Header, served: "Served"
    ) -> None:
        """All but the drawn image, with the header of the image."""
        classes, names = served.pipeline.classes, served.named
        self._models.publish(served_models_to_message(names, header))
        poses = self._poses(inference, camera, depth)
        self._detections.publish(detections_to_message(inference.instances, header, classes, poses))
        self._normals.publish(normals_to_message(inference.instances, header, classes, inference.covariances, names))
        if inference.evidence is not None:
            self._seen.publish(seen_to_message(inference.evidence, header, served))
        if camera is None:
            return
        size = self._options.part_size_m
        positions = [position(instance, camera, size, depth) for instance in inference.instances]
        length = self._options.arrow_length_m
        self._markers.publish(markers(inference.instances, positions, header, classes, length))
        if self._approach.wanted:
            ids = [str(number) for number in range(len(inference.instances))]
            try:
                self._approach.publish(inference, ids, camera, depth, header, classes)
            except CadsightError as error:
                self._refuse(APPROACH, str(error))

    def draw(self, image: Rgb, inference: "Inference", header: Header, classes: Sequence[str]) -> None:
        """The image with boxes and normals drawn in, while anybody looks at it."""
        if self._annotated.get_subscription_count():
            self._annotated.publish(to_message(draw_instances(image, inference.instances, classes), header))

    def _poses(
        self, inference: "Inference", camera: Camera | None, depth: Depth | None
    ) -> list[tuple[Pose, Array] | None]:
        found = zip(inference.instances, inference.covariances, strict=True)
        poses = [None if camera is None else seen_pose(one, camera, covariance, depth) for one, covariance in found]
        return [None if one is None else (one.pose, one.covariance) for one in poses]
