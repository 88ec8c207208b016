"""The report of the perception node's results in a bag."""

from collections.abc import Iterable, Iterator

from cadsight_core.errors import CadsightError
from cadsight_core.storage.folders.live_report import Frame, LiveReport, Seen
from cadsight_ros.bags import BagMessage
from cadsight_ros.convert.messages import box_from_message, stamp_ns
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray
from visualization_msgs.msg import MarkerArray

from cadsight_interfaces.msg import SurfaceNormalArray
from cadsight_perception.health.timing import FrameTiming, timing_from_message
from cadsight_perception.recording.live_report import summarise
from cadsight_perception.topics import CAMERA_INFO, DETECTIONS, MARKERS, NORMALS, TIMING

# Bags of before models were named end where these begin; behind a whole message nothing is read.
_NO_MODELS = bytes(128)

RESULTS = (DETECTIONS, NORMALS, MARKERS, TIMING)


def report_of(messages: Iterable[BagMessage], *, live: bool, camera_info: str = CAMERA_INFO) -> LiveReport:
    """The report (see :func:`cadsight_perception.recording.live_report.summarise`) of recorded messages.

    Args:
        camera_info: the topic whose messages tell which images the camera published.

    Raises:
        CadsightError: when no frame was recorded whole.
    """
    cameras: dict[int, str] = {}
    timings: dict[int, FrameTiming] = {}
    detections: dict[int, Detection2DArray] = {}
    normals: dict[int, SurfaceNormalArray] = {}
    headers: list[Header] = []
    for message in messages:
        if message.topic == camera_info:
            header = deserialize_message(message.data, CameraInfo).header
            cameras[stamp_ns(header.stamp)] = header.frame_id
        elif message.topic == TIMING:
            timing = deserialize_message(message.data, DiagnosticArray)
            stamp, timings[stamp] = timing_from_message(timing)
            headers.append(timing.header)
        elif message.topic == MARKERS:
            headers += [marker.header for marker in deserialize_message(message.data, MarkerArray).markers]
        elif message.topic == DETECTIONS:
            found = deserialize_message(message.data, Detection2DArray)
            detections[stamp_ns(found.header.stamp)] = found
            headers.append(found.header)
        elif message.topic == NORMALS:
            measured = deserialize_message(message.data + _NO_MODELS, SurfaceNormalArray)
            normals[stamp_ns(measured.header.stamp)] = measured
            headers.append(measured.header)
    if not cameras:
        raise CadsightError(f"nothing was recorded on {camera_info}, expected the camera to publish there")
    began = min(cameras)
    wrong = sum(cameras.get(stamp) != h.frame_id for h in headers if (stamp := stamp_ns(h.stamp)) >= began)
    whole = {s: t for s, t in timings.items() if s >= began and s in detections and s in normals}
    frames = [_frame(s, t, detections[s], normals[s]) for s, t in whole.items()]
    counted = [timing.dropped for timing in whole.values()] or [0]
    return summarise(frames, cameras, max(counted) - min(counted), wrong, live=live)


def _frame(stamp: int, timing: FrameTiming, detections: Detection2DArray, normals: SurfaceNormalArray) -> Frame:
    return Frame(
        stamp,
        timing.received_ns,
        timing.published_ns,
        timing.latency_ms,
        timing.detector_ms,
        timing.regressor_ms,
        tuple(_seen(detections, normals)),
    )


def _seen(detections: Detection2DArray, normals: SurfaceNormalArray) -> Iterator[Seen]:
    by_id = {normal.id: (normal.normal.x, normal.normal.y, normal.normal.z) for normal in normals.normals}
    for detection in detections.detections:
        best = detection.results[0].hypothesis
        box = box_from_message(detection.bbox).as_tuple()
        yield Seen(best.class_id, best.score, box, by_id.get(detection.id))
