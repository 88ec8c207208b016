"""Readers of images and videos."""

import contextlib
import itertools
from pathlib import Path

import cv2
import numpy as np
from cadsight_core.datasets.video import read_frames
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import image_size, read_image
from PIL import Image

from fuzzing.reader import Reader

_FRAMES = 50


def image_readers() -> tuple[Reader, ...]:
    suffixes = (".png", ".jpg", ".bmp", ".tif", ".webp", ".avif")
    return (
        Reader("image", suffixes, _images, _read_image),
        Reader("video", (".mp4", ".avi"), _videos, _read_video),
    )


def _images(folder: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    rgb = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112] = 6
    deep = Image.fromarray(pixels[..., 0].astype(np.uint16) * 256)
    for name, image, suffix, options in (
        ("rgb", rgb, ".png", {"exif": exif}),
        ("palette", rgb.quantize(16), ".png", {"transparency": 3}),
        ("alpha", rgb.convert("RGBA"), ".png", {}),
        ("deep", deep, ".png", {}),
        ("rgb", rgb, ".jpg", {"exif": exif}),
        ("progressive", rgb.convert("CMYK"), ".jpg", {"progressive": True}),
        ("rgb", rgb, ".bmp", {}),
        ("palette", rgb.quantize(16), ".bmp", {}),
        ("rgb", rgb, ".tif", {"exif": exif}),
        ("lzw", rgb, ".tif", {"compression": "tiff_lzw"}),
        ("fax", rgb.convert("1"), ".tif", {"compression": "group4"}),
        ("deep", deep, ".tif", {"compression": "tiff_adobe_deflate"}),
        ("rgb", rgb, ".webp", {"exif": exif}),
        ("lossless", rgb.convert("RGBA"), ".webp", {"lossless": True}),
        ("rgb", rgb, ".avif", {}),
    ):
        home = folder / (name + suffix.replace(".", "-"))
        home.mkdir(parents=True)
        image.save(home / f"image{suffix}", **options)


def _read_image(folder: Path) -> None:
    (file,) = folder.iterdir()
    with contextlib.suppress(CadsightError):
        image_size(file)
    read_image(file)


def _videos(folder: Path) -> None:
    for suffix, code in ((".avi", "MJPG"), (".mp4", "mp4v")):
        home = folder / code
        home.mkdir(parents=True)
        writer = cv2.VideoWriter(str(home / f"video{suffix}"), cv2.VideoWriter.fourcc(*code), 10, (64, 48))
        for number in range(8):
            writer.write(np.full((48, 64, 3), 37 * number % 256, np.uint8))
        writer.release()


def _read_video(folder: Path) -> None:
    """Its first frames: a container may state any number."""
    (file,) = folder.iterdir()
    for _ in itertools.islice(read_frames(file, 5), _FRAMES):
        pass
