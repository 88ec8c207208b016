"""How fast a large COCO set is read and checked, beside pycocotools, which reads the JSON and makes its index.

pycocotools opens no image. ``headers`` is what opening each of them for its size takes, which ``check_labels`` does
too; ``check`` decodes them as well.
"""

import contextlib
import io
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from cadsight_core.config.parameters import check as checked
from cadsight_core.config.parameters import parameter
from cadsight_core.errors import CadsightError
from cadsight_core.formats import read
from cadsight_core.formats.health import check
from cadsight_core.imaging.images import image_size
from cadsight_core.storage.json_text import json_text

from cadsight_cli.progress import counted

Show = Callable[[str, dict[str, Any]], None]
Progress = Callable[[Iterable[Any], int, str], Iterable[Any]]

_PER_IMAGE = 10
_WIDTH, _HEIGHT = 64, 48


@dataclass(frozen=True)
class LabelsBenchmark:
    """A set of small images, each of its own colours, with ten boxes each."""

    images: int = parameter(100_000, "images, ten boxes each", minimum=1, maximum=1_000_000)

    def __post_init__(self) -> None:
        checked(self)

    def run(self, show: Show, progress: Progress = counted) -> dict[str, dict[str, Any]]:
        """Seconds of one core.

        Raises:
            CadsightError: where pycocotools, which is compared with, is not installed.
        """
        try:
            from pycocotools.coco import COCO
        except ImportError as error:
            raise CadsightError("pycocotools is not installed, expected it: pip install pycocotools") from error

        def by_pycocotools(file: Path) -> None:
            with contextlib.redirect_stdout(io.StringIO()):
                COCO(str(file))

        speeds: dict[str, dict[str, Any]] = {}
        with tempfile.TemporaryDirectory() as folder:
            file = _write(Path(folder), self.images, progress)
            images = sorted(Path(folder, "images").iterdir())
            size = {"pictures": self.images, "boxes": self.images * _PER_IMAGE, "bytes": file.stat().st_size}
            for stage, work in (
                ("pycocotools", lambda: by_pycocotools(file)),
                ("read", lambda: read(folder)),
                ("headers", lambda: [image_size(image) for image in images]),
                ("check_labels", lambda: check(folder, whole_images=False)),
                ("check", lambda: check(folder, progress=progress)),
            ):
                began = time.process_time()
                work()
                seconds = time.process_time() - began
                first = speeds["pycocotools"]["cpu_seconds"] if speeds else seconds
                speeds[stage] = {"cpu_seconds": seconds, "times_pycocotools": seconds / first, **size}
                show(stage, speeds[stage])
        return speeds


def _write(folder: Path, count: int, progress: Progress) -> Path:
    rng = np.random.default_rng(0)
    (folder / "images").mkdir()
    images, annotations = [], []
    for number in progress(range(count), count, "drawing"):
        name = f"{number:07d}.png"
        pixels = np.full((_HEIGHT, _WIDTH, 3), (number & 255, number >> 8 & 255, number >> 16), np.uint8)
        data = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1]
        with open(folder / "images" / name, "wb") as file:
            os.write(file.fileno(), data.tobytes())
        images.append({"id": number, "file_name": name, "width": _WIDTH, "height": _HEIGHT})
        corners = rng.uniform(0, 30, (_PER_IMAGE, 2)).round(2).tolist()
        sides = rng.uniform(2, 15, (_PER_IMAGE, 2)).round(2).tolist()
        for index, ((x, y), (width, height)) in enumerate(zip(corners, sides, strict=True)):
            annotations.append(
                {
                    "id": number * _PER_IMAGE + index,
                    "image_id": number,
                    "category_id": 1 + index % 5,
                    "bbox": [x, y, width, height],
                    "area": round(width * height, 4),
                    "iscrowd": 0,
                }
            )
    categories = [{"id": n, "name": f"class {n}"} for n in range(1, 6)]
    path = folder / "instances.json"
    path.write_text(json_text({"images": images, "annotations": annotations, "categories": categories}))
    return path
