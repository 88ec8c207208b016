"""The node that labels one image on request, and on wish every image, by colour and by kinematics."""

import threading
from dataclasses import dataclass

from cadsight_cell.arm import JOINT_NAMES, Arm, joint_mapping
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from cadsight_core.parts.mesh import Mesh
from cadsight_core.parts.part import Part, load_part, load_part_mesh
from cadsight_core.sample import Instance
from cadsight_ros.convert.compressed import transported
from cadsight_ros.convert.images import Rgb, from_message
from cadsight_ros.convert.latest import Latest
from cadsight_ros.convert.messages import (
    camera_from_info,
    detections_to_message,
    joints_by_name,
    normals_to_message,
    stamp_ns,
)
from cadsight_ros.convert.qos import IMAGES, RESULTS
from cadsight_ros.convert.transforms import TransformBuffer, TransformListener
from cadsight_ros.node.lifecycle import ManagedNode
from cadsight_ros.node.parameters import declare
from cadsight_ros.node.running import run
from cadsight_ros.resources import resolve
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray

from cadsight_capture.hand_eye.saved import SavedCorrection, load_correction
from cadsight_capture.labelling_parameters import LabellingNodeParameters
from cadsight_capture.labels.kinematic import camera_from_part_by_joints
from cadsight_capture.labels.labelling import ImageLabels, label_image
from cadsight_interfaces.msg import SurfaceNormalArray
from cadsight_interfaces.srv import LabelImage

_TRANSFORM_WAIT_S = 0.5


@dataclass(frozen=True, eq=False)
class _Ready:
    """What ``configure`` got."""

    part: Part
    mesh: Mesh
    arm: Arm
    correction: SavedCorrection


class LabellingNode(ManagedNode):
    """Answers ~/label_image; publishes ~/colour, ~/kinematic and ~/normals of what it labelled."""

    def __init__(self) -> None:
        super().__init__("labelling", namespace="cadsight")
        self._images: Latest[Image | CompressedImage] = Latest()
        self._settings = declare(self, LabellingNodeParameters)
        self._ready: _Ready | None = None
        self._active = False
        self._info: CameraInfo | None = None
        self._transforms = TransformBuffer()
        self._listener = TransformListener(self, self._transforms)
        alone = MutuallyExclusiveCallbackGroup()
        self.create_service(LabelImage, "~/label_image", self._on_request, callback_group=alone)
        self._colour = self.create_lifecycle_publisher(Detection2DArray, "~/colour", RESULTS)
        self._kinematic = self.create_lifecycle_publisher(Detection2DArray, "~/kinematic", RESULTS)
        self._normals = self.create_lifecycle_publisher(SurfaceNormalArray, "~/normals", RESULTS)
        if self._settings.live:
            self.create_subscription(CameraInfo, self._settings.camera_info_topic, self._on_info, IMAGES)
            kind, topic = transported(self._settings.image_topic, self._settings.image_transport)
            self.create_subscription(kind, topic, self._on_image, IMAGES)
            threading.Thread(target=self._work, daemon=True).start()
        if self._settings.autostart:
            self.autostart()

    def configure(self) -> None:
        if not self._settings.part:
            raise CadsightError("parameter part is '', expected the YAML of the part that the arm holds")
        part = load_part(resolve(self._settings.part))
        correction = load_correction(resolve(self._settings.labels)) if self._settings.labels else SavedCorrection()
        self._ready = _Ready(part, load_part_mesh(part), self._settings.arm(resolve), correction)

    def activate(self) -> None:
        self._active = True
        self.get_logger().info(
            "ready: labels an image on request" + (", and every image" if self._settings.live else "")
        )

    def deactivate(self) -> None:
        self._active = False

    def cleanup(self) -> None:
        self._ready = None

    def destroy_node(self) -> None:
        self._images.close()
        super().destroy_node()

    def _on_info(self, message: CameraInfo) -> None:
        self._info = message

    def _on_image(self, message: Image | CompressedImage) -> None:
        self._images.put(message)

    def _on_request(self, request: LabelImage.Request, response: LabelImage.Response) -> LabelImage.Response:
        try:
            ready = self._need_ready()
            image = from_message(request.image)
            camera = camera_from_info(request.camera_info, _size(image))
            joints = joint_mapping(joints_by_name(request.joint_state, JOINT_NAMES))
            base_from_camera = self._transforms.lookup(
                self._settings.base_frame, request.image.header.frame_id, timeout_s=_TRANSFORM_WAIT_S
            )
            base_from_tool = ready.arm.forward(joints)
            nominal = camera_from_part_by_joints(base_from_camera, base_from_tool, self._settings.tool_from_part)
            labels = self._label(image, request.image.header, camera, nominal, ready)
        except CadsightError as error:
            response.message = str(error)
            return response
        response.success = labels.refusal is None
        response.message = "both labels agree" if labels.refusal is None else labels.refusal.reason
        response.agreement = labels.agreement.box_iou if labels.agreement is not None else 0.0
        response.colour, response.kinematic, response.normals = _messages(labels, request.image.header, ready.part)
        return response

    def _work(self) -> None:
        while (message := self._images.get()) is not None:
            try:
                ready = self._need_ready()
                if self._info is None:
                    raise CadsightError(f"no camera_info came on {self._settings.camera_info_topic} yet")
                image = from_message(message)
                camera = camera_from_info(self._info, _size(image))
                camera_from_tool = self._transforms.lookup(
                    message.header.frame_id,
                    self._settings.tool_frame,
                    stamp_ns(message.header.stamp),
                    timeout_s=_TRANSFORM_WAIT_S,
                )
                nominal = camera_from_tool @ self._settings.tool_from_part
                self._label(image, message.header, camera, nominal, ready)
            except CadsightError as error:
                self.get_logger().warning(str(error), throttle_duration_sec=5.0)

    def _label(self, image: Rgb, header: Header, camera: Camera, nominal: Pose, ready: _Ready) -> ImageLabels:
        correction = ready.correction
        labels = label_image(
            image,
            camera,
            correction.correct(nominal),
            ready.part,
            ready.mesh,
            self._settings.labelling,
            correction.margin_px,
        )
        publishers = (self._colour, self._kinematic, self._normals)
        for publisher, result in zip(publishers, _messages(labels, header, ready.part), strict=True):
            publisher.publish(result)
        return labels

    def _need_ready(self) -> _Ready:
        if self._ready is None or not self._active:
            raise CadsightError(f"{self.get_fully_qualified_name()} is not active, expected it to be activated first")
        return self._ready


def _size(image: Rgb) -> ImageSize:
    return ImageSize(image.shape[1], image.shape[0])


def _messages(
    labels: ImageLabels, header: Header, part: Part
) -> tuple[Detection2DArray, Detection2DArray, SurfaceNormalArray]:
    classes = [""] * part.class_id + [part.name]
    colour = [] if labels.colour is None else [Instance(part.class_id, labels.colour.box, source="colour")]
    kinematic = [] if labels.kinematic is None else [labels.kinematic.instance(part.class_id)]
    return (
        detections_to_message(colour, header, classes),
        detections_to_message(kinematic, header, classes),
        normals_to_message(kinematic, header, classes),
    )


def main() -> int:
    return run(LabellingNode, threads=3)


if __name__ == "__main__":
    raise SystemExit(main())
