"""Images on the disk: read strictly, written atomically."""

import contextlib
import hashlib
import io
import os
import stat
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.storage.files import write_atomically

Rgb = NDArray[np.uint8]

WRITTEN_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
SUFFIXES = (*WRITTEN_SUFFIXES, ".avif")
# Image formats of other tools, which are reported and not read.
UNREAD_SUFFIXES = (
    ".heic",
    ".heif",
    ".jp2",
    ".jxl",
    ".gif",
    ".dng",
    ".raw",
    ".cr2",
    ".nef",
    ".arw",
    ".mpo",
    ".pfm",
    ".exr",
)
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 95]
# Level 1 of zlib: a camera must not wait for its disk.
_OPTIONS = {".png": [cv2.IMWRITE_PNG_COMPRESSION, 1], ".jpg": _JPEG, ".jpeg": _JPEG}
# Reading takes up to 19 bytes of memory a pixel, and a plain image hardly any on the disk.
_SMALL_FILE, _MOST_OF_A_SMALL_FILE = 1_000_000, 50_000_000
_EXIF_ORIENTATION = 0x0112
_ON_ITS_SIDE = (5, 6, 7, 8)
_TIFF_SUBFILE = 254


def read_image(path: str | Path) -> Rgb:
    """Read an image as (H, W, 3) uint8 RGB, turned or mirrored by its EXIF.

    Raises:
        CadsightError: when the file is missing, empty, truncated or no image; when it has several pages, or numbers
            of 32 bits, whose black and white are not defined.
    """
    path = path if isinstance(path, Path) else Path(path)  # which takes its time to take a path apart again
    with pillow_reads(lambda error: _unreadable(path, error)), _open(path) as image:
        return _upright_pixels(image, path)


def decode_image(data: bytes, name: str) -> Rgb:
    """The image of a file's bytes, as :func:`read_image` reads it; errors call it ``name``.

    Raises:
        CadsightError: as :func:`read_image`.
    """
    with pillow_reads(lambda error: _unreadable(name, error)), _opened(io.BytesIO(data), len(data), name) as image:
        return _upright_pixels(image, name)


def pixels_digest(image: Rgb) -> str:
    """SHA-256 of an image's size and pixels in hex digits, the same whatever file holds them."""
    digest = hashlib.sha256(str(image.shape).encode())
    digest.update(np.ascontiguousarray(image).data)
    return digest.hexdigest()


def image_size(path: str | Path) -> ImageSize:
    """Width and height of an image from its header alone, as :func:`read_image` would return it.

    Raises:
        CadsightError: as :func:`read_image`, as far as the header shows.
    """
    path = path if isinstance(path, Path) else Path(path)  # which takes its time to take a path apart again
    with pillow_reads(lambda error: _unreadable(path, error)), _open(path) as image:
        _refuse_ambiguous(image, path)
        # For a TIFF, Pillow gives the size of the upright image, and the file that of the stored one.
        turned = image.format != "TIFF" and _orientation(image) in _ON_ITS_SIDE
        width, height = image.size
        return ImageSize(height, width) if turned else ImageSize(width, height)


def orientation_of(path: str | Path) -> int:
    """The orientation in an image's EXIF, 1 where there is none: 2 to 4 mirrored or upside down, 5 to 8 on its side.

    Raises:
        CadsightError: as :func:`read_image`, as far as the header shows.
    """
    path = Path(path)
    with pillow_reads(lambda error: _unreadable(path, error)), _open(path) as image:
        # Pillow turns a TIFF as it opens it.
        return 1 if image.format == "TIFF" else _orientation(image)


@contextlib.contextmanager
def pillow_reads(refusal: Callable[[Exception], CadsightError]) -> Iterator[None]:
    """Around what Pillow reads: whatever broken bytes make it raise (AssertionError, struct.error) becomes ``refusal``.

    Raises:
        CadsightError: what ``refusal`` makes of the error, or one that the body raised itself.
    """
    try:
        yield
    except CadsightError:
        raise
    except Exception as error:
        raise refusal(error) from error


def write_image(path: str | Path, rgb: Rgb) -> None:
    """Write (H, W, 3) uint8 RGB atomically; the suffix (.png, .jpg, ...) decides the format.

    Raises:
        CadsightError: for another shape or type, an unknown suffix, or when the disk refuses the bytes.
    """
    write_atomically(path, encode_image(rgb, path))


def encode_image(rgb: Rgb, path: str | Path = "image.png") -> bytes:
    """The bytes of a file called ``path`` with the image (H, W, 3) uint8 RGB.

    Raises:
        CadsightError: for another shape or type, or an unknown suffix.
    """
    path = Path(path)
    rgb = np.asarray(rgb)
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or not rgb.size:
        raise CadsightError(f"the image for {path} is {rgb.shape} {rgb.dtype}, expected (H, W, 3) uint8")
    if path.suffix.lower() not in WRITTEN_SUFFIXES:
        expected = ", ".join(WRITTEN_SUFFIXES)
        raise CadsightError(f"the image {path} ends in {path.suffix!r}, expected one of {expected}")
    suffix = path.suffix.lower()
    encoded, data = cv2.imencode(suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), _OPTIONS.get(suffix, []))
    if not encoded:
        raise CadsightError(f"the image {path} could not be encoded as {path.suffix}")
    return data.tobytes()


def _open(path: Path) -> Image.Image:
    try:
        there = os.stat(path)
    except (OSError, ValueError):
        there = None
    if there is None or not stat.S_ISREG(there.st_mode):
        raise CadsightError(f"the image {path} does not exist, expected an image file")
    if there.st_size == 0:
        raise CadsightError(f"the image {path} is empty, expected an image file")
    return _opened(path, there.st_size, path)


def _opened(file: Path | IO[bytes], size: int, name: str | Path) -> Image.Image:
    with warnings.catch_warnings():
        # Above its first limit Pillow warns, above the second it raises; large photographs are welcome here.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        image = Image.open(file)
    if image.width * image.height > _MOST_OF_A_SMALL_FILE and size < _SMALL_FILE:
        raise CadsightError(
            f"the image {name} has {image.width} x {image.height} pixels in {size} bytes, expected at most "
            f"{_MOST_OF_A_SMALL_FILE} in a file so small, which is no photograph"
        )
    return image


def _upright_pixels(image: Image.Image, name: str | Path) -> Rgb:
    _refuse_ambiguous(image, name)
    # 16 bits a channel would be cut off at 255, where a viewer shows the upper eight.
    if image.mode.startswith("I;16"):
        return np.repeat((np.asarray(image) >> 8).astype(np.uint8)[..., None], 3, axis=2)
    image.load()  # EXIF may stand behind the pixels
    upright = ImageOps.exif_transpose(image) if _orientation(image) != 1 else image
    return np.array(upright if upright.mode == "RGB" else upright.convert("RGB"))


def _orientation(image: Image.Image) -> int:
    """The orientation in the EXIF: 1 upright, 2 to 4 mirrored or upside down, 5 to 8 on its side."""
    if image.format == "PNG" and "exif" not in image.info:
        return 1  # Pillow would decode the whole image to look for EXIF at its end
    orientation = image.getexif().get(_EXIF_ORIENTATION, 1)
    return orientation if orientation in range(1, 9) else 1


def _refuse_ambiguous(image: Image.Image, name: str | Path) -> None:
    if image.mode == "F" or (image.mode == "I" and image.format != "PNG"):
        kind = "floating-point" if image.mode == "F" else "whole"
        raise CadsightError(
            f"the image {name} has {kind} numbers of 32 bits, expected 8 or 16 bits a channel: scale it first"
        )
    pages = _pages(image)
    if pages > 1:
        raise CadsightError(f"the image {name} has {pages} pages, expected one: split it into files first")


def _pages(image: Image.Image) -> int:
    """Pages or frames that show something of their own; a TIFF's smaller copies of its image are none."""
    if image.format not in ("TIFF", "WEBP", "PNG", "AVIF"):
        return 1
    frames = int(getattr(image, "n_frames", 1))
    if image.format != "TIFF" or frames == 1:
        return frames
    pages = 0
    for number in range(frames):
        image.seek(number)
        pages += not int(image.tag_v2.get(_TIFF_SUBFILE, 0)) & 1  # type: ignore[attr-defined]
    image.seek(0)
    return pages


def _unreadable(name: str | Path, error: Exception) -> CadsightError:
    # Ultralytics puts a reader of HEIC before Pillow's, which lacks a package of its own for a file that is no image.
    unknown = isinstance(error, ImportError | UnidentifiedImageError)
    reason = "it is truncated or in no known format" if unknown else str(error) or type(error).__name__
    return CadsightError(f"the image {name} could not be read: {reason}, expected a whole image file")
