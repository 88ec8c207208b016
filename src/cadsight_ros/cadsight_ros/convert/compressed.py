"""Compressed images, JPEG and PNG, as image_transport's ``compressed`` sends them; and which topic they come on."""

from typing import Any

import cv2
import numpy as np
from cadsight_core.errors import CadsightError
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image

from cadsight_ros.convert.encodings import BAYER
from cadsight_ros.convert.transports import COMPRESSED

_FILES = {b"\xff\xd8\xff": "jpeg", b"\x89PNG\r\n\x1a\n": "png"}


def transported(topic: str, transport: str) -> tuple[Any, str]:
    """The message's type and the topic of the images ``topic``, as ROS's image_transport names it."""
    return (CompressedImage, f"{topic}/{COMPRESSED}") if transport == COMPRESSED else (Image, topic)


def decompressed(message: CompressedImage) -> NDArray[np.uint8]:
    """The image of a message as (H, W, 3) uint8 RGB, of 16 bits a pixel the upper eight, as the sensor lies.

    Its ``format`` is ``jpeg`` or ``png``, or as image_transport writes it: the encoding of the image before, a
    semicolon, and what was compressed (``rgb8; jpeg compressed bgr8``).

    Raises:
        CadsightError: for data that are empty, broken, neither JPEG nor PNG, or depth.
    """
    origin, before = message.header.frame_id or "an unnamed frame", message.format.partition(";")
    data = np.frombuffer(message.data, np.uint8)
    if not any(bytes(data[: len(begin)]) == begin for begin in _FILES):
        raise CadsightError(
            f"a compressed image of {origin} has {len(data)} bytes of the format {message.format!r}, expected a whole "
            f"file of {' or '.join(_FILES.values())}"
        )
    # The intrinsics are the sensor's, so no camera's EXIF turns it.
    bayer = BAYER.get(before[0].strip().replace("16", "8"))
    kept = cv2.IMREAD_UNCHANGED if bayer else cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image: Any = cv2.imdecode(data, kept)
    except cv2.error:
        image = None
    if image is None:
        raise CadsightError(
            f"a compressed image of {origin} has {len(data)} bytes of the format {message.format!r} that cannot be "
            "decoded, expected a whole file"
        )
    if bayer and image.ndim == 2:
        return bayer.convert(image if image.dtype == np.uint8 else (image >> 8).astype(np.uint8))
    if bayer:  # its colours were made before it was compressed
        image = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    # Compressed as if red were blue, which its sender writes there.
    return np.ascontiguousarray(image[..., ::-1] if "compressed rgb" in before[2] else image)
