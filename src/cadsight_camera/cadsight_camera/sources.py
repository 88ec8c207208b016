"""Where images come from: a video file, a webcam or a stream, opened by OpenCV."""

import re
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

import cv2
import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import Rgb

Kind = Literal["file", "webcam", "stream"]
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
# Of these somebody answers at a port, so that a refusal has a reason of its own.
_PORTS = {"rtsp": 554, "http": 80, "https": 443, "rtmp": 1935}
_PASSWORD = re.compile(r"(?<=://)[^/@]*@")
# A frame older than this is none: the driver's clock is another one than ours.
_OLDEST_S = 1.0
USUAL_FPS = 25.0


@dataclass(frozen=True)
class Source:
    """What a user named.

    Attributes:
        text: a path, the number of a webcam, or an address.
    """

    text: str
    kind: Kind

    @property
    def shown(self) -> str:
        """The text for people to read, without the name and the password of an address."""
        return _PASSWORD.sub("", self.text) if self.kind == "stream" else self.text


@dataclass(frozen=True)
class Wanted:
    """What is asked of a webcam and of the way to a stream; 0 and '' leave it to the camera.

    Attributes:
        pixel_format: four characters, such as ``MJPG``.
        timeout_s: longest wait for a stream to open, and for each of its images.
    """

    width: int = 0
    height: int = 0
    fps: float = 0.0
    pixel_format: str = ""
    timeout_s: float = 5.0


@dataclass(frozen=True)
class Frame:
    """One image.

    Attributes:
        rgb: (H, W, 3) uint8.
        seconds: since the beginning of a recorded video; 0 of what is filmed now.
        taken: when it was taken, by :func:`time.monotonic`; of a stream, when it had come; of a video, when it was due.
    """

    rgb: Rgb
    seconds: float
    taken: float


def source_of(text: str) -> Source:
    """What ``text`` names: the number or device of a webcam, an address, or else a file.

    Raises:
        CadsightError: for a file that is not there.
    """
    if re.fullmatch(r"\d{1,3}", text) or text.startswith("/dev/"):
        return Source(text, "webcam")
    if _SCHEME.match(text):
        return Source(text, "stream")
    if not Path(text).expanduser().is_file():
        raise CadsightError(
            f"the camera {text!r} is no file that is there, expected a video, the number of a webcam such as 0, "
            "or an address such as rtsp://HOST/PATH"
        )
    return Source(str(Path(text).expanduser()), "file")


class Capture:
    """An open source; read it in one thread.

    Attributes:
        recorded: whether it has an end and a pace of its own, which a stream may have too.
        fps: images a second as it says, 0 where it does not.

    Raises:
        CadsightError: when it cannot be opened.
    """

    def __init__(self, source: Source, wanted: Wanted) -> None:
        self._source = source
        self._number = 0
        self._video = _opened(source, wanted)
        rate = self._video.get(cv2.CAP_PROP_FPS)
        self.fps = rate if np.isfinite(rate) and 0 < rate <= 1000 else 0.0
        self.recorded = source.kind != "webcam" and self._video.get(cv2.CAP_PROP_FRAME_COUNT) > 0
        # Some containers count no frames.
        self.recorded |= source.kind == "file"

    def read(self) -> Frame | None:
        """The next image; None at the end of a video, or when the camera gives no more."""
        if not self._video.grab():
            return None
        now, position_s = time.monotonic(), self._video.get(cv2.CAP_PROP_POS_MSEC) / 1000
        whole, bgr = self._video.retrieve()
        if not whole:
            return None
        number, self._number = self._number, self._number + 1
        rgb = np.ascontiguousarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
        if self.recorded:
            seconds = position_s if position_s > 0 or number == 0 else number / (self.fps or USUAL_FPS)
            return Frame(rgb, seconds, now)
        # V4L2 gives the moment of the exposure by the same clock.
        known = self._source.kind == "webcam" and 0 <= now - position_s < _OLDEST_S
        return Frame(rgb, 0.0, position_s if known else now)

    def close(self) -> None:
        self._video.release()


def _opened(source: Source, wanted: Wanted) -> cv2.VideoCapture:
    if source.kind == "webcam":
        return _webcam(source, wanted)
    parameters: list[int] = []
    if source.kind == "stream":
        _knock(source, wanted.timeout_s)
        milliseconds = round(wanted.timeout_s * 1000)
        parameters = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, milliseconds, cv2.CAP_PROP_READ_TIMEOUT_MSEC, milliseconds]
    video = cv2.VideoCapture(source.text, cv2.CAP_FFMPEG, parameters)
    if not video.isOpened():
        expected = "MP4, AVI, MOV or the like" if source.kind == "file" else "one that FFmpeg reads"
        raise CadsightError(f"the {source.kind} {source.shown} could not be read as a video, expected {expected}")
    return video


def _webcam(source: Source, wanted: Wanted) -> cv2.VideoCapture:
    device: Any = int(source.text) if source.text.isdigit() else source.text
    path = Path(f"/dev/video{device}" if source.text.isdigit() else source.text)
    if not path.exists():
        raise CadsightError(f"the webcam {path} is not there, expected one to be plugged in")
    video = cv2.VideoCapture(device, cv2.CAP_V4L2)
    if not video.isOpened():
        raise CadsightError(
            f"the webcam {path} could not be opened, expected one that gives images, that this user may read and that "
            "no other program holds"
        )
    if wanted.pixel_format:
        video.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*wanted.pixel_format))
    for name, value in (("WIDTH", wanted.width), ("HEIGHT", wanted.height)):
        if value:
            video.set(getattr(cv2, f"CAP_PROP_FRAME_{name}"), value)
    if wanted.fps:
        video.set(cv2.CAP_PROP_FPS, wanted.fps)
    return video


def _knock(source: Source, timeout_s: float) -> None:
    """Whether somebody answers at the address, since FFmpeg tells the reason to its own log only."""
    try:
        parts: SplitResult = urlsplit(source.text)
        port = parts.port or _PORTS.get(parts.scheme.lower())
    except ValueError as error:
        raise CadsightError(f"the stream {source.shown} is no address: {error}, expected rtsp://HOST/PATH") from error
    if port is None or parts.scheme.lower() not in _PORTS or not parts.hostname:
        return
    try:
        socket.create_connection((parts.hostname, port), timeout=timeout_s).close()
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise CadsightError(f"the stream {source.shown} does not answer: {reason}, expected a camera there") from error
