import subprocess
import sys

import pytest
from cadsight_core.errors import CadsightError
from cadsight_learning.detection.families import (
    DETECTORS,
    detector_options,
    family_for,
    family_of,
    family_of_architecture,
)
from cadsight_learning.detection.rcnn.options import FasterRcnnOptions
from cadsight_learning.detection.ultralytics.options import YoloOptions


@pytest.mark.parametrize(
    ("word", "architecture", "name"),
    [
        ("yolo11", "yolo11n", "yolo"),
        ("yolov8", "yolov8x", "yolo"),
        ("yolov8n-p2", "yolov8n-p2", "yolo"),
        ("yolov9c", "yolov9c", "yolo"),
        ("rtdetr", "rtdetr-l", "rtdetr"),
        ("yolov8-rtdetr", "yolov8n-rtdetr", "rtdetr"),
        ("rtdetr-resnet50", "rtdetr-resnet50", "rtdetr"),
        ("faster-rcnn", "fasterrcnn_resnet50_fpn", "faster-rcnn"),
        ("mask-rcnn", "maskrcnn_resnet50_fpn", "mask-rcnn"),
        ("mask-rcnn-lite0", "maskrcnn_lite0_fpn", "mask-rcnn-lite0"),
    ],
)
def test_a_family_is_known_by_the_users_word_and_by_the_network_of_a_card(word, architecture, name):
    assert family_of(word).name == family_of_architecture(architecture).name == name


def test_what_families_can_do_is_listed_for_each():
    assert [name for name, one in DETECTORS.items() if one.exportable] == ["yolo"]
    assert [name for name, one in DETECTORS.items() if one.gives_masks] == ["mask-rcnn", "mask-rcnn-lite0"]


@pytest.mark.parametrize("word", ["/tmp/yolo11", "yolo", "ssd", "faster-rcnn-x", ""])
def test_a_word_that_means_no_family_is_refused(word):
    with pytest.raises(CadsightError, match="expected yolo11, yolo26 or another YOLO of ultralytics, rtdetr or"):
        family_of(word)


def test_options_that_older_versions_stored_are_read():
    # Stored before each family had a class of its own: all had a size.
    stored = {"family": "mask-rcnn", "size": "nano", "epochs": 3, "image_size": 64, "batch": 2, "optimizer": "sgd"}
    stored |= {"learning_rate": 5e-3, "weight_decay": 1e-4, "weights": "auto", "freeze": 2, "mosaic": 0.0}
    options = detector_options(stored)
    assert (options.family, options.epochs, options.image_size) == ("mask-rcnn", 3, 64)
    assert detector_options({"epochs": 4}) == YoloOptions(epochs=4)


def test_options_of_another_familys_class_are_refused():
    with pytest.raises(CadsightError, match="the family is yolo26 and its options are FasterRcnnOptions, expected"):
        family_for(FasterRcnnOptions(family="yolo26"))


def test_an_option_that_the_family_lacks_is_refused():
    with pytest.raises(CadsightError, match=r"^--detector has the unknown key 'mozaic', expected one of batch, "):
        detector_options({"mozaic": 0.5}, "--detector")


def test_asking_for_families_loads_nothing_that_computes():
    script = "import cadsight_learning.detection.families as f, sys; list(f.DETECTORS)\n"
    ask = "print([name for name in ('torch', 'torchvision', 'ultralytics', 'cv2') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script + ask], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
