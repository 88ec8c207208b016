"""A small run made with the real data set, training and labelling files; its images are drawn."""

import fcntl
import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.geometry import unit
from cadsight_core.sample import Instance, Sample
from cadsight_learning.detection.ultralytics.options import YoloOptions
from cadsight_learning.fit import fit_detector, fit_normals
from cadsight_learning.options import NormalOptions

SIZE = ImageSize(96, 64)
CAMERA = Camera(SIZE, 90.0, 90.0, 47.5, 31.5)
CLASSES = ("<part>",)
COUNTS = {"train": 4, "valid": 2, "test": 3}


def drawn(seed: int, name: str, split: str) -> tuple[Sample, np.ndarray]:
    """An orange plate on white, with its box, mask and a normal."""
    rng = np.random.default_rng(seed)
    x, y = int(rng.integers(8, 56)), int(rng.integers(6, 34))
    width, height = int(rng.integers(16, 28)), int(rng.integers(14, 24))
    mask = np.zeros((SIZE.height, SIZE.width), bool)
    mask[y : y + height, x : x + width] = True
    image = np.full((SIZE.height, SIZE.width, 3), 235, np.uint8)
    image[mask] = (220, 120, 40)
    image = cv2.add(image, rng.integers(0, 12, image.shape, np.uint8))
    box = Box(x, y, x + width, y + height)
    normal = unit([rng.uniform(-0.4, 0.4), rng.uniform(-0.4, 0.4), -1.0])
    record = {
        "stamp_ns": seed, "joints": {}, "session": split, "colour_box": [x, y, x + width, y + height - 1],
        "kinematic_box": list(box.as_tuple()), "background": False,
    }  # fmt: skip
    instance = Instance(0, box, mask=mask, normal=normal, source="kinematic")
    return Sample(name, Path("x.png"), SIZE, CAMERA, (instance,), "synthetic", split, record), image


LABELS = {
    "labelled": "labelled", "rejected": "rejected", "reasons": {}, "unreadable": [], "seconds": 1.0,
    "correction": {"nominal_from_corrected": {}, "margin_px": 0.1, "applied": True, "reason": "it lowers it",
                   "size_mm": 1.25, "size_deg": 0.2, "before_px": 1.5, "after_px": 0.4, "images": 3, "outliers": 0},
    "statistics": {"box_iou": {"mean": 0.975}, "box_iou_before_correction": {"mean": 0.93}, "mask_iou": {"mean": 0.9}},
}  # fmt: skip


def make_run(folder: Path) -> Path:
    datasets = {}
    for number, (split, count) in enumerate(COUNTS.items()):
        session = folder / "sessions" / split
        labelled = Dataset.create(session / "labelled", CLASSES)
        raw = Dataset.create(session / "raw", CLASSES)
        Dataset.create(session / "rejected", CLASSES)
        for i in range(count):
            sample, image = drawn(100 * number + i, f"{split}-{i}", split)
            labelled.append(sample, image)
            raw.append(Sample(sample.name, sample.image, SIZE, CAMERA, (), "synthetic", split, sample.record), image)
        (session / "labels.json").write_text(json.dumps(LABELS | {"images": count, "accepted": count}))
        datasets[split] = list(labelled.samples())
    detector = YoloOptions(epochs=1, image_size=96, batch=2, weights="scratch", mosaic=0.0)
    fit_detector(datasets["train"], datasets["valid"], CLASSES, folder / "models" / "detector", detector)
    normals = NormalOptions(epochs=1, batch=2, architecture="compact")
    fit_normals(datasets["train"], datasets["valid"], CLASSES, folder / "models" / "normals", normals)
    steps = {"capture": 12.5, "train": 30.0}
    journal = {"steps": {name: {"done": True, "seconds": seconds} for name, seconds in steps.items()}}
    journal["steps"]["live"] = {"done": False, "seconds": 4.0}
    (folder / "steps.json").write_text(json.dumps(journal))
    (folder / "demo.json").write_text(json.dumps({"seed": 7}))
    return folder


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory):
    """A copy of the one run that is made for all workers, by the first that wants it."""
    base = tmp_path_factory.getbasetemp()
    everyones = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    made = everyones / "report_run"
    with (everyones / "report_run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.is_dir():
            # Under its name only when whole: what a worker that died has left is not taken for a run.
            make_run(tmp_path_factory.mktemp("runs") / "small").rename(made)
    return shutil.copytree(made, tmp_path_factory.mktemp("runs") / "small")
