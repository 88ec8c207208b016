"""What the perception node reads and writes, by name and type; remap to change them."""

from cadsight_ros.convert import qos
from cadsight_ros.convert.camera_topics import CAMERA_INFO, IMAGE
from cadsight_ros.convert.transports import COMPRESSED
from cadsight_ros.recorder import RecordedTopic
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage
from vision_msgs.msg import Detection2DArray
from visualization_msgs.msg import MarkerArray

from cadsight_interfaces.msg import ServedModels, SurfaceNormalArray

JOINTS = "/joint_states"

NAMESPACE = "/cadsight/perception"
DETECTIONS = f"{NAMESPACE}/detections"
NORMALS = f"{NAMESPACE}/normals"
MARKERS = f"{NAMESPACE}/markers"
TIMING = f"{NAMESPACE}/timing"
MODELS = f"{NAMESPACE}/models"
SEEN = f"{NAMESPACE}/seen"
APPROACH = f"{NAMESPACE}/approach"
APPROACHES = f"{NAMESPACE}/approaches"

# Best effort takes from any camera; the depth gives the recorder's disk a moment.
_ALL_IMAGES = QoSProfile(depth=20, reliability=ReliabilityPolicy.BEST_EFFORT)

RESULTS = {
    DETECTIONS: RecordedTopic(Detection2DArray, qos.RESULTS),
    NORMALS: RecordedTopic(SurfaceNormalArray, qos.RESULTS),
    MARKERS: RecordedTopic(MarkerArray, qos.RESULTS),
    TIMING: RecordedTopic(DiagnosticArray, qos.RESULTS),
    MODELS: RecordedTopic(ServedModels, qos.RESULTS),
}


def camera(image: str = IMAGE, camera_info: str = CAMERA_INFO) -> dict[str, RecordedTopic]:
    """What a camera publishes; an ``image`` topic that ends in ``/compressed`` is one of image_transport's."""
    kind = CompressedImage if image.endswith(f"/{COMPRESSED}") else Image
    return {image: RecordedTopic(kind, _ALL_IMAGES), camera_info: RecordedTopic(CameraInfo, _ALL_IMAGES)}


CAMERA = camera()
ROBOT = {
    JOINTS: RecordedTopic(JointState, qos.JOINTS),
    "/tf": RecordedTopic(TFMessage, qos.TRANSFORMS),
    "/tf_static": RecordedTopic(TFMessage, qos.STATIC_TRANSFORMS),
    "/robot_description": RecordedTopic(String, qos.LATCHED),
}
BESIDE = {**ROBOT, **RESULTS, "/diagnostics": RecordedTopic(DiagnosticArray, qos.RESULTS)}
ALL = {**CAMERA, **BESIDE}
