"""ROS in a domain of the test's own, videos to read, and a webcam of the network that can go away."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
from cadsight_ros.testing import ros

__all__ = ["ros"]
SIZE = (64, 48)


def grey(value: int) -> np.ndarray:
    return np.full((SIZE[1], SIZE[0], 3), value, np.uint8)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Ten images of 64 x 48 at 50 a second, each 20 lighter than the one before, without loss."""
    path = tmp_path / "a video.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"FFV1"), 50, SIZE)
    for number in range(10):
        writer.write(grey(20 * number))
    writer.release()
    return path


class StreamServer:
    """Sends JPEG images to whoever asks, as a webcam of the network does, while it is on."""

    def __init__(self) -> None:
        self._server: ThreadingHTTPServer | None = None
        self._pause = threading.Event()
        self.port = 0
        self.start()

    @property
    def address(self) -> str:
        return f"http://user:secret@127.0.0.1:{self.port}/video"

    def start(self) -> None:
        self._pause.clear()
        pause = self._pause

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=image")
                self.end_headers()
                jpeg = cv2.imencode(".jpg", grey(100))[1].tobytes()
                try:
                    while not pause.wait(0.02):
                        self.wfile.write(b"--image\r\nContent-Type: image/jpeg\r\n")
                        self.wfile.write(b"Content-Length: %d\r\n\r\n" % len(jpeg) + jpeg + b"\r\n")
                except ConnectionError:
                    pass

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._pause.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@pytest.fixture
def stream() -> Iterator[StreamServer]:
    server = StreamServer()
    yield server
    server.stop()
