"""Parameters of the nodes of this package."""

from dataclasses import dataclass
from typing import Literal

from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import ParameterError
from cadsight_ros.convert.camera_topics import CAMERA_INFO, IMAGE


@dataclass(frozen=True)
class CameraParameters:
    """Parameters of the camera node."""

    source: str = parameter(
        "0",
        "a video file, the number or device of a webcam (0, /dev/video0), or an address (rtsp://, http://, ...)",
        kind="text",
    )
    calibration: str = parameter(
        "none",
        "YAML of camera_calibration with the intrinsics (a path or package://); none: the field of view is assumed",
        kind="text",
    )
    field_of_view_deg: float = parameter(
        60.0,
        "without a calibration: assumed width of the image, with the axis in its middle and no distortion; 0: no "
        "camera_info, and so no normals",
        minimum=0.0,
        maximum=170.0,
    )
    at_end: Literal["loop", "end"] = parameter(
        "loop", "what follows the end of a video: it begins again, or the node ends", choices=("loop", "end")
    )
    fps: float = parameter(
        0.0,
        "images a second: asked of a webcam, and given instead of its own pace to a video; fewer are warned of; "
        "0: as they come",
        minimum=0.0,
        maximum=1000.0,
    )
    width: int = parameter(0, "asked of a webcam, pixels; 0: its own", minimum=0, maximum=16384)
    height: int = parameter(0, "asked of a webcam, pixels; 0: its own", minimum=0, maximum=16384)
    pixel_format: str = parameter(
        "", "asked of a webcam: such as MJPG, which many need for 30 large images a second; empty: its own"
    )
    timeout_s: float = parameter(
        5.0, "seconds without an image after which a stream is taken for away", minimum=0.1, maximum=3600.0
    )
    retry_s: float = parameter(
        1.0, "seconds between two tries to open a webcam or a stream that is away", minimum=0.01, maximum=3600.0
    )
    frame: str = parameter("camera_color_optical_frame", "the camera's optical frame", kind="frame")
    image_topic: str = parameter(IMAGE, "where images are published", kind="topic")
    camera_info_topic: str = parameter(
        CAMERA_INFO, "where the intrinsics are published, with each image", kind="topic"
    )

    def __post_init__(self) -> None:
        check(self)
        if self.pixel_format and (len(self.pixel_format) != 4 or not self.pixel_format.isascii()):
            raise ParameterError("pixel_format", f"is {self.pixel_format!r}, expected four characters such as MJPG")


@dataclass(frozen=True)
class ViewParameters:
    """Parameters of the view node."""

    image_topic: str = parameter("/cadsight/perception/annotated", "images to show", kind="topic")
    address: str = parameter(
        "127.0.0.1", "where browsers are answered: this machine alone, or 0.0.0.0 for all that reach it", kind="text"
    )
    port: int = parameter(8080, "the page's port; one that is taken gives way to a free one", minimum=0, maximum=65535)
    quality: int = parameter(80, "quality of the JPEG images", minimum=1, maximum=100)

    def __post_init__(self) -> None:
        check(self)
