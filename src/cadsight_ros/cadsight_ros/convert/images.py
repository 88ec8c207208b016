"""Images between messages and arrays, in one place: cv_bridge where it is installed, NumPy elsewhere.

Both read the same bytes; what an encoding means is decided in :mod:`.encodings`, once, for both.
"""

import array
import functools
import sys
from typing import Any

import cv2
import numpy as np
from cadsight_core.errors import CadsightError
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from cadsight_ros.convert.compressed import decompressed
from cadsight_ros.convert.encodings import COLOUR, DEPTH, PAIRED, Encoding, Pixels

Rgb = NDArray[np.uint8]
Depth = NDArray[np.float32]


_FROM_RGB = {"rgb8": None, "bgr8": cv2.COLOR_RGB2BGR, "mono8": cv2.COLOR_RGB2GRAY}


def from_message(message: Image | CompressedImage) -> Rgb:
    """The image of a message as (H, W, 3) uint8 RGB; of 16 bits a pixel the upper eight.

    The array may share the message's memory: copy it before changing it.

    Raises:
        CadsightError: for a size of zero, an encoding that is no colour image, data that do not fit the size, or a
            compressed image that is broken or neither JPEG nor PNG.
    """
    if isinstance(message, CompressedImage):
        return decompressed(message)
    return np.ascontiguousarray(_read(message, COLOUR, "a colour image"))


def depth_from_message(message: Image) -> Depth:
    """The depth of a message as (H, W) float32 metres, 0 where it is unknown (REP 118).

    Raises:
        CadsightError: for a size of zero, an encoding that is no depth, or data that do not fit the size.
    """
    return np.ascontiguousarray(_read(message, DEPTH, "depth"))


def to_message(rgb: Rgb, header: Header, encoding: str = "rgb8") -> Image:
    """A message of an image (H, W, 3) uint8 RGB, in ``rgb8``, ``bgr8`` or ``mono8``.

    Raises:
        CadsightError: for another shape, type or encoding.
    """
    rgb = np.asarray(rgb)
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or not rgb.size:
        raise CadsightError(f"an image to publish is {rgb.shape} {rgb.dtype}, expected (H, W, 3) uint8")
    if encoding not in _FROM_RGB:
        raise CadsightError(f"the encoding to publish is {encoding!r}, expected one of {', '.join(_FROM_RGB)}")
    code = _FROM_RGB[encoding]
    return _message(rgb if code is None else cv2.cvtColor(rgb, code), header, encoding)


def depth_to_message(depth: NDArray[np.floating], header: Header, encoding: str = "16UC1") -> Image:
    """A message of depth (H, W) in metres, as whole millimetres (``16UC1``, 0 = unknown) or metres (``32FC1``).

    Raises:
        CadsightError: for another shape or encoding.
    """
    depth = np.asarray(depth)
    if depth.ndim != 2 or not depth.size:
        raise CadsightError(f"depth to publish is {depth.shape}, expected (H, W)")
    known = np.where(np.isfinite(depth) & (depth > 0), depth, 0)
    if encoding == "16UC1":
        millimetres = np.rint(known * 1000)
        return _message(np.where(millimetres > 65535, 0, millimetres).astype(np.uint16), header, encoding)
    if encoding == "32FC1":
        return _message(known.astype(np.float32), header, encoding)
    raise CadsightError(f"the encoding to publish is {encoding!r}, expected 16UC1 or 32FC1")


def _message(pixels: Pixels, header: Header, encoding: str) -> Image:
    pixels = np.ascontiguousarray(pixels)
    data = array.array("B")
    # rclpy copies an array.array in one go, and any other sequence element by element.
    data.frombytes(pixels.reshape(-1).view(np.uint8).data)
    return Image(
        header=header,
        height=pixels.shape[0],
        width=pixels.shape[1],
        encoding=encoding,
        is_bigendian=int(sys.byteorder == "big"),
        step=pixels.strides[0],
        data=data,
    )


def _read(message: Image, known: dict[str, Encoding], what: str) -> Pixels:
    encoding = known.get(message.encoding)
    if encoding is None:
        raise CadsightError(
            f"an image of {_origin(message)} is encoded as {message.encoding!r}, "
            f"expected {what}: one of {', '.join(known)}"
        )
    height, width, step, size = message.height, message.width, message.step, len(message.data)
    if not height or not width:
        raise CadsightError(
            f"an image of {_origin(message)} is {width} x {height} pixels, expected both to be positive"
        )
    if message.encoding in PAIRED and width % 2:
        raise CadsightError(f"an image of {_origin(message)} in {message.encoding} is {width} wide, expected even")
    row = width * encoding.channels * np.dtype(encoding.dtype).itemsize
    if step < row or size != step * height:
        raise CadsightError(
            f"an image of {_origin(message)} has {size} bytes in steps of {step}, expected {height} rows of at least "
            f"{row} bytes for {width} x {height} {message.encoding}"
        )
    # cv_bridge reads neither padded rows of every length nor, beside NumPy 2, the other byte order.
    swapped = np.dtype(encoding.dtype).itemsize > 1 and bool(message.is_bigendian) != (sys.byteorder == "big")
    bridge = _cv_bridge() if step == row and not swapped else None
    return encoding.convert(_decoded(message, encoding) if bridge is None else _bridged(bridge, message, encoding))


def _decoded(message: Image, encoding: Encoding) -> Pixels:
    dtype = np.dtype(encoding.dtype)
    if dtype.itemsize > 1:
        dtype = dtype.newbyteorder(">" if message.is_bigendian else "<")
    shape: tuple[int, ...] = (message.height, message.width)
    strides: tuple[int, ...] = (message.step, encoding.channels * dtype.itemsize)
    if encoding.channels > 1:
        shape, strides = (*shape, encoding.channels), (*strides, dtype.itemsize)
    pixels: Pixels = np.ndarray(shape, dtype, np.frombuffer(message.data, np.uint8), strides=strides)
    return pixels.astype(encoding.dtype, copy=False)


def _bridged(bridge: Any, message: Image, encoding: Encoding) -> Pixels:
    from cv_bridge import CvBridgeError

    try:
        pixels = np.asarray(bridge.imgmsg_to_cv2(message, desired_encoding="passthrough"))
    except CvBridgeError:  # an older one does not know every name of an encoding
        return _decoded(message, encoding)
    return pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels


@functools.cache
def _cv_bridge() -> Any:
    try:
        from cv_bridge import CvBridge

        bridge = CvBridge()
        # Its compiled half is loaded here at the latest, and may be of another NumPy than ours.
        bridge.encoding_to_dtype_with_channels("rgb8")
    except (ImportError, AttributeError, SystemError):
        return None
    return bridge


def _origin(message: Image) -> str:
    return message.header.frame_id or "an unnamed frame"
