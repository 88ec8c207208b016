"""A page that shows the newest image, for browsers: one JPEG after the other in one answer, as webcams send them."""

import contextlib
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import Rgb

_PAGE = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>CADsight</title>
<style>body{margin:0;background:#222;display:grid;place-items:center;height:100vh;color:#ccc;font:16px sans-serif}
img{max-width:100vw;max-height:100vh;grid-area:1/1}p{grid-area:1/1}</style>
<p>waiting for the first image</p><img src="stream" alt="the newest image"></html>"""
_BOUNDARY = "image"


class Pages:
    """Serves the page at ``/`` and the images at ``/stream``, each browser in a thread of its own, until closed.

    Args:
        port: 0, or one that is taken, becomes a free one.
        watched: is called with the number of browsers whenever it changes.

    Attributes:
        address: of the page.

    Raises:
        CadsightError: when ``host`` is no address of this machine.
    """

    def __init__(self, host: str, port: int, quality: int, watched: Callable[[int], None] = lambda _: None) -> None:
        self._quality, self._watched = quality, watched
        self._changed = threading.Condition()
        self._jpeg, self._number, self._browsers, self._closed = b"", 0, 0, False
        try:
            self._server = _server(host, port, self)
        except OSError as error:
            raise CadsightError(
                f"no page can be served at {host}: {error.strerror}, expected an address of this machine"
            ) from error
        self.address = f"http://{'localhost' if host in ('127.0.0.1', '0.0.0.0') else host}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="pages", daemon=True)
        self._thread.start()

    def show(self, rgb: Rgb) -> None:
        """Send an image (H, W, 3) uint8 to all browsers that are ready for one."""
        jpeg = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, self._quality])[1]
        with self._changed:
            self._jpeg, self._number = jpeg.tobytes(), self._number + 1
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer a browser; returns when it has gone, or on :meth:`close`."""
        if request.path == "/":
            request.send_response(HTTPStatus.OK)
            request.send_header("Content-Type", "text/html; charset=utf-8")
            request.end_headers()
            request.wfile.write(_PAGE)
        elif request.path == "/stream":
            self._count(1)
            try:
                self._stream(request)
            finally:
                self._count(-1)
        else:
            request.send_error(HTTPStatus.NOT_FOUND)

    def _stream(self, request: BaseHTTPRequestHandler) -> None:
        request.send_response(HTTPStatus.OK)
        request.send_header("Cache-Control", "no-store")
        request.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        request.end_headers()
        request.wfile.write(f"--{_BOUNDARY}\r\n".encode())
        sent = 0
        while (newest := self._newest(sent)) is not None:
            jpeg, sent = newest
            head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            # The boundary behind an image has the browser show it at once.
            request.wfile.write(head.encode() + jpeg + f"\r\n--{_BOUNDARY}\r\n".encode())

    def _newest(self, sent: int) -> tuple[bytes, int] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._number > sent or self._closed)
            return None if self._closed else (self._jpeg, self._number)

    def _count(self, change: int) -> None:
        with self._changed:
            self._browsers += change
            self._watched(self._browsers)


def _server(host: str, port: int, pages: Pages) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with contextlib.suppress(ConnectionError):
                pages.answer(self)

        def log_message(self, *_: Any) -> None:
            """Nobody asked for a log of requests."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        allow_reuse_address = False

    try:
        return Server((host, port), Handler)
    except OSError:
        if not port:
            raise
        return Server((host, 0), Handler)
