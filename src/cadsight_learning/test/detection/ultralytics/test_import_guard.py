import subprocess
import sys

from cadsight_learning.detection.ultralytics.import_guard import untouched
from PIL import Image


def test_what_the_body_replaces_is_put_back():
    own = Image.open
    with untouched():
        Image.open = print
    assert Image.open is own


def test_the_detector_s_import_leaves_other_libraries_alone():
    # In a process of its own: another test may have imported ultralytics as it comes.
    ask = (
        "import cv2, torch\nfrom PIL import Image\nfrom cadsight_learning.detection.ultralytics import yolo\n"
        "assert yolo.DetectionModel.__module__.startswith('ultralytics')\n"
        "for one in (Image.open, cv2.imread, cv2.imwrite, torch.load, torch.save):\n"
        "    assert not (getattr(one, '__module__', '') or '').startswith('ultralytics'), one"
    )
    subprocess.run([sys.executable, "-c", ask], check=True)
