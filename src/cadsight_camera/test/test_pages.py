import threading
import urllib.error
import urllib.request

import cv2
import numpy as np
import pytest
from cadsight_camera.pages import Pages
from cadsight_core.errors import CadsightError


@pytest.fixture
def watched():
    counts, changed = [], threading.Condition()

    def tell(count: int) -> None:
        with changed:
            counts.append(count)
            changed.notify_all()

    pages = Pages("127.0.0.1", 0, 90, tell)
    yield pages, counts, changed
    pages.close()


def test_a_browser_gets_the_page_and_then_image_after_image(watched):
    pages, counts, changed = watched
    assert b'src="stream"' in urllib.request.urlopen(f"{pages.address}/").read()
    with urllib.request.urlopen(f"{pages.address}/stream") as answer:
        assert answer.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=image"
        assert answer.readline() == b"--image\r\n"
        for value in (40, 200):
            pages.show(np.full((48, 64, 3), (value, 0, 0), np.uint8))
            assert answer.readline() == b"Content-Type: image/jpeg\r\n"
            length = int(answer.readline().split()[1])
            assert answer.readline() == b"\r\n"
            image = cv2.imdecode(np.frombuffer(answer.read(length), np.uint8), cv2.IMREAD_COLOR_RGB)
            assert image[24, 32].tolist() == pytest.approx([value, 0, 0], abs=4)
            assert answer.readline() + answer.readline() == b"\r\n--image\r\n"
        assert counts == [1]
    while counts[-1]:
        # That it has gone is seen when something is sent.
        pages.show(np.zeros((48, 64, 3), np.uint8))
        with changed:
            changed.wait_for(lambda: not counts[-1], 0.05)


def test_any_other_page_is_not_there(watched):
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{watched[0].address}/etc/passwd")


def test_a_port_that_is_taken_gives_way_to_a_free_one(watched):
    taken = int(watched[0].address.rpartition(":")[2])
    second = Pages("127.0.0.1", taken, 90)
    assert second.address != watched[0].address
    second.close()


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(CadsightError, match=r"no page can be served at 192\.0\.2\.1"):
        Pages("192.0.2.1", 0, 90)
