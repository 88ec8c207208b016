"""Reads a source image by image at its own pace, and opens it again when it goes away."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from cadsight_core.errors import CadsightError

from cadsight_camera.sources import USUAL_FPS, Capture, Frame, Source, Wanted


class Film:
    """Gives the images of a source to ``take``, one after the other, in the thread that runs it.

    A recorded video comes as fast as it was filmed, or slower where this machine is: no image is left out.

    Args:
        fps: images a second of a recorded video; 0 for its own pace.
        loop: whether a recorded video begins again at its end.
        retry_s: seconds between two tries to open a camera that is away.
        lost: is called with a sentence when a webcam or a stream goes away or is not there, once until it is back.
    """

    def __init__(
        self,
        source: Source,
        wanted: Wanted,
        take: Callable[[Frame], None],
        lost: Callable[[str], None],
        *,
        fps: float = 0.0,
        loop: bool = True,
        retry_s: float = 1.0,
    ) -> None:
        self._source, self._wanted, self._take, self._lost = source, wanted, take, lost
        self._fps, self._loop, self._retry_s = fps, loop, retry_s
        self._away = False

    def run(self, stopping: threading.Event) -> None:
        """Until a recorded video has ended that does not begin again, or ``stopping`` is set.

        Raises:
            CadsightError: for a file that cannot be read or has no image.
        """
        while not stopping.is_set():
            try:
                ended = self._once(stopping)
            except CadsightError as error:
                if self._source.kind == "file":
                    raise
                ended = self._went(str(error))
            if ended and not self._loop:
                return
            if not ended:
                stopping.wait(self._retry_s)

    def _once(self, stopping: threading.Event) -> bool:
        """Open it and read it to its end; whether it was a recorded video that came to its end."""
        capture = Capture(self._source, self._wanted)
        try:
            number, began = 0, time.monotonic()
            while not stopping.is_set() and (frame := capture.read()) is not None:
                if capture.recorded:
                    due = began + (number / self._fps if self._fps else frame.seconds)
                    stopping.wait(max(due - time.monotonic(), 0.0))
                    # A machine that is late goes on from here, and does not hurry after.
                    began += max(time.monotonic() - due, 0.0)
                    frame = replace(frame, taken=time.monotonic())
                self._away = False
                self._take(frame)
                number += 1
            if capture.recorded and number:
                # The last image is seen for as long as the others.
                stopping.wait(1 / (self._fps or capture.fps or USUAL_FPS))
                return True
            if stopping.is_set():
                return False
            if self._source.kind == "file":
                raise CadsightError(f"the file {self._source.shown} has no image that can be decoded, expected some")
            return self._went(f"the {self._source.kind} {self._source.shown} gives no more images")
        finally:
            capture.close()

    def _went(self, sentence: str) -> bool:
        if not self._away:
            self._away = True
            self._lost(sentence)
        return False
