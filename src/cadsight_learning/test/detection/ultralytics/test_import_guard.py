import cv2
import torch
from cadsight_learning.detection.ultralytics import yolo
from cadsight_learning.detection.ultralytics.import_guard import untouched
from PIL import Image


def test_what_the_body_replaces_is_put_back():
    own = Image.open
    with untouched():
        Image.open = print
    assert Image.open is own


def test_the_detector_s_import_leaves_other_libraries_alone():
    assert yolo.DetectionModel.__module__.startswith("ultralytics")
    functions = (Image.open, cv2.imread, cv2.imwrite, torch.load, torch.save)
    assert not [f for f in functions if (getattr(f, "__module__", "") or "").startswith("ultralytics")]
