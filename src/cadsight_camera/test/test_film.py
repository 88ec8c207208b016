import http.server
import threading
import time
from functools import partial

import pytest
from cadsight_camera.film import Film
from cadsight_camera.sources import Wanted, source_of
from cadsight_core.errors import CadsightError

PATIENCE_S = 60.0


class Audience:
    """Keeps what a film gives, and stops it after so many images."""

    def __init__(self, until: int = 10**9) -> None:
        self.frames, self.lost = [], []
        self.stopping, self.changed = threading.Event(), threading.Condition()
        self._until = until

    def take(self, frame) -> None:
        with self.changed:
            self.frames.append(frame)
            self.changed.notify_all()
        if len(self.frames) >= self._until:
            self.stopping.set()

    def miss(self, sentence: str) -> None:
        with self.changed:
            self.lost.append(sentence)
            self.changed.notify_all()

    def until(self, condition) -> None:
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE_S)

    def film(self, text: str, **options) -> Film:
        return Film(source_of(text), Wanted(timeout_s=5.0), self.take, self.miss, **options)


def greys(audience: Audience) -> list[int]:
    return [round(int(frame.rgb[0, 0, 0]) / 20) for frame in audience.frames]


def test_a_video_is_played_to_its_end_no_faster_than_it_was_filmed(video):
    audience, began = Audience(), time.monotonic()
    audience.film(str(video), loop=False).run(audience.stopping)
    assert greys(audience) == list(range(10))
    # The last image is due after 9 / 50 s, and seen for another 1 / 50 s.
    assert time.monotonic() - began >= 0.2 - 1e-3
    moments = [frame.taken for frame in audience.frames]
    assert all(later - earlier >= 0.019 for earlier, later in zip(moments, moments[2:], strict=False))


def test_a_video_begins_again_at_its_end_and_none_of_its_images_is_left_out(video):
    audience = Audience(until=25)
    audience.film(str(video), fps=1000.0).run(audience.stopping)
    assert greys(audience) == [*range(10), *range(10), *range(5)]


def test_a_pace_of_its_own_takes_the_place_of_the_videos(video):
    audience, began = Audience(), time.monotonic()
    audience.film(str(video), loop=False, fps=20.0).run(audience.stopping)
    assert time.monotonic() - began >= 0.5 - 1e-3


def test_a_video_that_breaks_off_before_its_first_image_is_refused(tmp_path, video):
    file = tmp_path / "broken.avi"
    whole = video.read_bytes()
    file.write_bytes(whole[: whole.index(b"movi") + 8])
    audience = Audience()
    with pytest.raises(CadsightError, match=r"broken\.avi (has no image that can be decoded|could not be read)"):
        audience.film(str(file)).run(audience.stopping)


def test_a_stream_that_goes_away_is_told_once_and_read_again_when_it_is_back(stream):
    audience = Audience()
    thread = threading.Thread(target=audience.film(stream.address, retry_s=0.05).run, args=(audience.stopping,))
    thread.start()
    try:
        audience.until(lambda: len(audience.frames) > 3)
        stream.stop()
        audience.until(lambda: bool(audience.lost))
        time.sleep(0.5)  # it is tried some times more meanwhile
        seen = len(audience.frames)
        stream.start()
        audience.until(lambda: len(audience.frames) > seen + 3)
    finally:
        audience.stopping.set()
        thread.join(PATIENCE_S)
    assert audience.lost == [f"the stream http://127.0.0.1:{stream.port}/video gives no more images"]


def test_a_stream_that_is_not_there_at_first_is_waited_for(stream):
    stream.stop()
    audience = Audience(until=3)
    thread = threading.Thread(target=audience.film(stream.address, retry_s=0.05).run, args=(audience.stopping,))
    thread.start()
    audience.until(lambda: bool(audience.lost))
    stream.start()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert "does not answer: Connection refused" in audience.lost[0]


def test_a_recorded_video_behind_an_address_has_its_own_pace_and_an_end(video):
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(video.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        audience, began = Audience(), time.monotonic()
        address = f"http://127.0.0.1:{server.server_port}/a%20video.avi"
        audience.film(address, loop=False).run(audience.stopping)
        server.shutdown()
    assert greys(audience) == list(range(10))
    assert time.monotonic() - began >= 0.2 - 1e-3
