"""How fast masks become contour points, with a changed copy of each image, beside the paper's time."""

import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from cadsight_core.camera import ImageSize
from cadsight_core.imaging.images import write_image
from cadsight_core.shapes import fill

from cadsight_synthesis.annotation.masks_to_via import annotate, read_objects

SIZE = ImageSize(640, 480)
# Rudenko, section 5: 1000 images annotated and augmented in 44.2 s.
PAPER_IMAGES_PER_SECOND = 1000 / 44.2
# Filling contours to compare them takes longer than making them.
_COMPARED = 50


def measure_annotation(count: int = 1000, workers: int = 2) -> dict[str, Any]:
    """Masks of ``count`` images of 640 x 480 to VIA with one changed copy of each, everything read and written.

    Timed is all that ``cadsight data annotate --copies 1`` does, its processes' start included; making the images and
    masks is not. ``exact`` says whether the contours of some fifty images, filled, are the masks pixel by pixel.
    """
    with tempfile.TemporaryDirectory(prefix="cadsight_annotation_") as name:
        folder = Path(name)
        for part in ("images", "masks"):
            (folder / part).mkdir()
        for number in range(count):
            image, mask = _image(np.random.default_rng([7, number]))
            write_image(folder / "images" / f"{number:05d}.jpg", image)
            write_image(folder / "masks" / f"{number:05d}.png", mask)
        start, used = time.perf_counter(), _cpu_seconds()
        done = annotate(folder / "masks", folder / "images", folder / "out" / "via.json", copies=1, workers=workers)
        seconds, used = time.perf_counter() - start, _cpu_seconds() - used
        entries = {e["filename"]: e["regions"] for e in json.loads(done.file.read_text()).values()}
        compared = np.linspace(0, count - 1, min(count, _COMPARED)).astype(int).tolist()
        exact = all(_is_exact(folder / "masks" / f"{n:05d}.png", entries[f"{n:05d}.jpg"]) for n in compared)
    return {
        "pictures": count,
        "width": SIZE.width,
        "height": SIZE.height,
        "copies": done.copies,
        "objects": sum(done.objects.values()),
        "workers": workers,
        "seconds": seconds,
        "pictures_per_second": count / seconds,
        "cpu_seconds_per_picture": used / count,
        "paper_pictures_per_second": PAPER_IMAGES_PER_SECOND,
        "exact": bool(exact),
    }


def _cpu_seconds() -> float:
    """Of this process and of those that it has ended; what they take hardly depends on what else the machine does."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in usages)


def _image(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """An image with the grain of a photograph, and two to four objects in it, rounded, with holes, some hidden."""
    height, width = SIZE.height, SIZE.width
    coarse = rng.integers(60, 200, (12, 16, 3), np.uint8)
    image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    mask = np.zeros((height, width, 3), np.uint8)
    for number in range(int(rng.integers(2, 5))):
        angles = np.linspace(0, 2 * np.pi, 90, endpoint=False)
        radius = rng.uniform(30, 90) * (1 + 0.2 * np.cos(angles * int(rng.integers(2, 6))))
        centre = rng.uniform((60, 60), (width - 60, height - 60))
        outline = (centre + radius[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)).round().astype(int)
        colour = tuple(int(v) for v in rng.integers(30, 255, 3))
        inner = (centre + (outline - centre) * 0.35).round().astype(int)
        for canvas, paint in ((image, colour), (mask, (255 - 40 * number, 60 * number, 90))):
            before = canvas.copy()
            cv2.fillPoly(canvas, [outline], paint)
            hole = np.zeros((height, width), np.uint8)
            cv2.fillPoly(hole, [inner], 1)
            canvas[hole > 0] = before[hole > 0]
    grain = rng.normal(0, 3, image.shape)
    return (image + grain).clip(0, 255).astype(np.uint8), mask


def _is_exact(mask: Path, regions: list[dict[str, Any]]) -> bool:
    expected = list(read_objects(mask).values())
    shapes = [r["shape_attributes"] for r in regions]
    found = [fill([np.array([s["all_points_x"], s["all_points_y"]]).T], SIZE) for s in shapes]
    return len(found) == len(expected) and all(np.array_equal(f, w) for f, w in zip(found, expected, strict=True))
