"""A drawn set in YOLO's layout, small enough to train on within a test."""

from pathlib import Path

import cv2
import numpy as np


def write_squares(folder: Path, counts: dict[str, int], shades: tuple[int, int]) -> None:
    """Images of 64 x 64 pixels, ``counts`` of each split, with one white square each on a ground of ``shades``."""
    rng = np.random.default_rng(0)
    for part, count in counts.items():
        for kind in ("images", "labels"):
            (folder / kind / part).mkdir(parents=True)
        for number in range(count):
            image = rng.integers(*shades, (64, 64, 3), np.uint8)
            x, y = rng.integers(4, 36, 2)
            image[y : y + 24, x : x + 24] = 250
            cv2.imwrite(str(folder / "images" / part / f"{number}.png"), image)
            label = f"0 {(x + 12) / 64} {(y + 12) / 64} {24 / 64} {24 / 64}\n"
            (folder / "labels" / part / f"{number}.txt").write_text(label)
    (folder / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [square]\n")
