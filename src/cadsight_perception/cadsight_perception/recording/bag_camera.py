"""The camera in a bag, whatever its topics are called and however its images are stored."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cadsight_core.camera import Camera, ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.camera_file import read_camera_file
from cadsight_ros.bags import BagMessage, bag_topics, read_bag
from cadsight_ros.convert.images import from_message, to_message
from cadsight_ros.convert.messages import camera_to_info, serialized_stamp_ns, stamp_from_ns
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from cadsight_perception import topics

_RAW, _COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"


@dataclass(frozen=True)
class Shot:
    """One image of a bag.

    Attributes:
        info: its camera_info, with its stamp.
        image: a serialised ``sensor_msgs/Image``.
    """

    stamp_ns: int
    info: BagMessage
    image: bytes


class BagCamera:
    """The images of a bag with their intrinsics, in the order of their recording.

    Args:
        image_topic: in the bag, of raw or compressed images.
        camera_info_topic: in the bag; not looked at with a ``calibration``.
        calibration: YAML of camera_calibration, for a bag without intrinsics or with wrong ones.
        left_out: is called with a sentence for each image that cannot be decoded.

    Raises:
        CadsightError: when the bag is not whole, or lacks one of the topics; the sentence tells what it holds.
    """

    def __init__(
        self,
        bag: Path,
        image_topic: str = topics.IMAGE,
        camera_info_topic: str = topics.CAMERA_INFO,
        calibration: Path | None = None,
        left_out: Callable[[str], object] = print,
    ) -> None:
        self._bag, self._topic, self._left_out = bag, image_topic, left_out
        there = bag_topics(bag)
        self._type = there[image_topic].type_name if image_topic in there else ""
        held = ", ".join(f"{name} ({one.type_name}, {one.count})" for name, one in sorted(there.items())) or "nothing"
        if self._type not in (_RAW, _COMPRESSED):
            came = f"{self._type} on" if self._type else "nothing on"
            raise CadsightError(
                f"the bag {bag} has {came} {image_topic}, expected images of a camera: say which with "
                f"--topics image=TOPIC; it holds {held}"
            )
        self._camera: Camera | None = None
        self._infos: dict[int, BagMessage] = {}
        if calibration is not None:
            self._camera = read_camera_file(calibration, "camera")
            return
        self._infos = {serialized_stamp_ns(m.data): m for m in read_bag(bag, [camera_info_topic])}
        if not self._infos:
            raise CadsightError(
                f"the bag {bag} has nothing on {camera_info_topic}, expected the camera's intrinsics: say where they "
                f"are with --topics camera_info=TOPIC, or give a file of them with --calibration; it holds {held}"
            )

    def __iter__(self) -> Iterator[Shot]:
        for message in read_bag(self._bag, [self._topic]):
            stamp = serialized_stamp_ns(message.data)
            try:
                data = message.data if self._type == _RAW else _raw(message.data)
            except CadsightError as error:
                self._left_out(f"an image was left out: {error}")
                continue
            yield Shot(stamp, self._info(stamp, data), data)

    def _info(self, stamp: int, data: bytes) -> BagMessage:
        if self._camera is not None:
            return _calibrated(self._camera, deserialize_message(data, Image))
        first = next(iter(self._infos.values()))
        info = self._infos[stamp] if stamp in self._infos else _restamped(first, stamp)
        return replace(info, topic=topics.CAMERA_INFO)


def _raw(data: bytes) -> bytes:
    message = deserialize_message(data, CompressedImage)
    return serialize_message(to_message(from_message(message), message.header))


def _calibrated(camera: Camera, image: Image) -> BagMessage:
    size = ImageSize(image.width, image.height)
    if camera.size != size:
        raise CadsightError(
            f"the calibration is for {camera.size.width} x {camera.size.height} pixels, expected the bag's images' "
            f"{size.width} x {size.height}"
        )
    info = camera_to_info(replace(camera, frame=image.header.frame_id), image.header.stamp)
    return BagMessage(topics.CAMERA_INFO, "sensor_msgs/msg/CameraInfo", 0, serialize_message(info))


def _restamped(info: BagMessage, stamp: int) -> BagMessage:
    message = deserialize_message(info.data, CameraInfo)
    message.header.stamp = stamp_from_ns(stamp)
    return replace(info, data=serialize_message(message))
