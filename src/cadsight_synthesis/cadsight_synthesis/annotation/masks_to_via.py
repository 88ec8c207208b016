"""Images of masks to VIA's contour points, exact to the pixel (Rudenko, section 5).

A mask image belongs to the image with its name, or whose name it begins with (``a_mask.png`` and ``a-2.png`` to
``a.jpg``). A mask's holes and pieces are in its one contour (see :func:`cadsight_core.shapes.contour`), so that filling
it gives the mask again.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import CadsightError, ParameterError
from cadsight_core.formats.reading.folders import images_in, sample_names
from cadsight_core.formats.via.project import CLASS_ATTRIBUTES, via_entry
from cadsight_core.imaging.images import encode_image, image_size, pillow_reads, read_image
from cadsight_core.running.parallel import parallel_map_of, threads_each
from cadsight_core.sample import Instance, Sample
from cadsight_core.shapes import Mask
from cadsight_core.storage.files import make_folder
from cadsight_core.storage.json_text import json_text
from cadsight_core.storage.output_file import noted, refuse_foreign_file, write_same, writing_noted
from numpy.typing import NDArray
from PIL import Image

from cadsight_synthesis.image_ops.augmentation import AugmentationParameters, augment, copy_seed

Progress = Callable[[Iterable[Any], int, str], Iterable[Any]]

# More colours than that are no objects but an image that was smoothed or stored with loss.
MOST_COLOURS = 256
_BATCH = 16
# So many colours that lie on borders alone are no thin objects, where most of their pixels lie between neighbours.
_SHADES = 8
_BETWEEN = 0.5


@dataclass(frozen=True)
class MaskParameters:
    """How mask images are read."""

    objects: Literal["colours", "files"] = parameter(
        "colours", "each colour of a mask is an object, or each file, whatever is not black in it"
    )
    class_name: str = parameter("object", "class of masks that neither a folder nor a colour names")
    suffix: Literal[".jpg", ".png"] = parameter(".jpg", "format of the changed copies")

    def __post_init__(self) -> None:
        check(self)
        if not self.class_name:
            raise ParameterError("class_name", "is '', expected a name")


@dataclass(frozen=True)
class Annotated:
    """What was written.

    Attributes:
        objects: by class, of the images themselves.
        empty: images without an object, which have an entry without regions.
        unmasked: images without a mask, which have one too.
    """

    file: Path
    images: int
    copies: int
    objects: Mapping[str, int]
    empty: int
    unmasked: int


@dataclass(frozen=True)
class _Source:
    """An image and the masks of it, each with the class that its folder names, '' for none."""

    image: Path
    name: str
    masks: tuple[tuple[str, Path], ...]


def annotate(
    masks: str | Path,
    images: str | Path,
    out: str | Path,
    parameters: MaskParameters | None = None,
    *,
    colours: Mapping[str, str] | None = None,
    copies: int = 0,
    augmentation: AugmentationParameters | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Annotated:
    """Write VIA's JSON ``out`` of a folder of mask images.

    An earlier JSON of ours that nobody changed is replaced; images that are there must be what would be written.
    The images lie beside ``out`` or in images/ there; from elsewhere they are copied to images/, and changed copies
    written there too. The JSON comes last, whole or not at all.

    Args:
        masks: folder; masks in a folder of their own have its name as their class.
        images: folder of the images that the masks are of.
        colours: class by colour (``ff0000``, or the value of a grey or indexed mask: ``7``); '' passes a colour over.
            With it, other colours are refused.
        copies: changed copies of each image, with their contours.
        workers: processes.

    Raises:
        CadsightError: for files of others under the names that are written, a mask without its image or of another
            size, a mask of too many colours, or a full disk.
    """
    p = parameters or MaskParameters()
    images, out = Path(images).resolve(), Path(out).resolve()
    refuse_foreign_file(out, noted(out))
    sources = _sources(Path(masks).resolve(), images)
    image_folder = images if images in (out.parent, out.parent / "images") else out.parent / "images"
    if copies and image_folder == images:
        raise CadsightError(f"copies would lie among the images in {images}, expected {out.name} in another folder")
    make_folder(image_folder)
    work = _Annotation(
        tuple(sources),
        image_folder,
        p,
        dict(colours or {}),
        copies,
        augmentation or AugmentationParameters(),
        threads_each(workers),
    )
    numbers = range(-(-len(sources) // _BATCH))
    parallel = parallel_map_of(workers)
    counts: dict[str, int] = {}
    empty = unmasked = 0
    try:
        made = (entry for batch in parallel(work, numbers) for entry in batch)
        with writing_noted(out) as file:
            separator = b"{"
            for entry in progress(made, len(sources), "annotate") if progress else made:
                for text in entry.texts:
                    file.write(separator + text)
                    separator = b",\n"
                for name in entry.classes:
                    counts[name] = counts.get(name, 0) + 1
                empty += not entry.classes and entry.has_mask
                unmasked += not entry.has_mask
            file.write(b"}\n")
    finally:
        parallel.close()
    return Annotated(out, len(sources), copies * len(sources), dict(sorted(counts.items())), empty, unmasked)


def read_objects(path: str | Path, objects: Literal["colours", "files"] = "colours") -> dict[str, Mask]:
    """The masks (H, W) in a mask image by their colour: rrggbb, or the value of a grey or indexed one.

    Black, zero and, of images with transparency, what is fully transparent is no object. With ``files`` all that is
    left is one object, called ''.

    Raises:
        CadsightError: when the file is no image, is a JPEG, was smoothed, or has more than 256 colours.
    """
    path = Path(path)
    values, is_colour, is_flat = _values(path)
    if not is_flat:
        _refuse_smoothed(path, values, is_colour)
    if objects == "files":
        found = values > 0
        return {"": found} if found.any() else {}
    masks: dict[str, Mask] = {}
    left = values.ravel().copy()
    start = 0
    # Colour by colour: sorting all pixels takes ten times as long as looking for the next that is left.
    while True:
        ahead = left[start:]
        start += int((ahead != 0).argmax()) if len(ahead) else 0
        value = int(left[start]) if len(ahead) else 0
        if not value:
            return masks
        if len(masks) == MOST_COLOURS:
            raise CadsightError(
                f"the mask {path} has more than {MOST_COLOURS} colours, expected one flat colour an object: "
                "PNG without smoothing"
            )
        mask = values == value
        masks[f"{value:06x}" if is_colour else str(value)] = mask
        np.putmask(left, mask.ravel(), 0)


@dataclass(frozen=True)
class _Entry:
    texts: tuple[bytes, ...]
    classes: tuple[str, ...]
    has_mask: bool


@dataclass(frozen=True)
class _Annotation:
    """Work that travels to a process: the entries of some images, their copies written."""

    sources: tuple[_Source, ...]
    image_folder: Path
    parameters: MaskParameters
    colours: dict[str, str]
    copies: int
    augmentation: AugmentationParameters
    threads: int

    def __call__(self, number: int) -> list[_Entry]:
        if self.threads:
            cv2.setNumThreads(self.threads)
        return [self._entry(s) for s in self.sources[number * _BATCH : (number + 1) * _BATCH]]

    def _entry(self, source: _Source) -> _Entry:
        image = source.image
        if image.parent != self.image_folder:
            image = self.image_folder / (source.name + image.suffix.lower())
            # Not flushed to the disk one by one: until the JSON is there, which is written last, nothing names them.
            write_same(image, _read(source.image), flushed=False)
        pixels = read_image(image) if self.copies else None
        size = image_size(image) if pixels is None else ImageSize(pixels.shape[1], pixels.shape[0])
        found = [i for folder, mask in source.masks for i in self._instances(mask, folder, size)]
        classes = tuple(dict.fromkeys(name for name, _ in found))
        instances = tuple(_instance(classes.index(name), mask) for name, mask in found)
        sample = Sample(source.name, image, size, instances=instances, origin="synthetic")
        texts = [_text(sample, classes, image)]
        for copy in range(1, self.copies + 1):
            assert pixels is not None
            seed = copy_seed(self.augmentation.seed, source.name, copy)
            changed, copied = augment(sample, pixels, self.augmentation, seed, f"{source.name}-a{copy}")
            file = self.image_folder / (changed.name + self.parameters.suffix)
            write_same(file, encode_image(copied, file), flushed=False)
            texts.append(_text(changed, classes, file))
        return _Entry(tuple(texts), tuple(name for name, _ in found), bool(source.masks))

    def _instances(self, path: Path, folder: str, size: ImageSize) -> Iterator[tuple[str, Mask]]:
        for colour, mask in read_objects(path, self.parameters.objects).items():
            if mask.shape != (size.height, size.width):
                raise CadsightError(
                    f"the mask {path} is {mask.shape[1]} x {mask.shape[0]} pixels, expected its image's "
                    f"{size.width} x {size.height}"
                )
            name = self._class(colour, folder, path)
            if name:
                yield name, mask

    def _class(self, colour: str, folder: str, path: Path) -> str:
        if self.colours and colour:
            if colour not in self.colours:
                raise CadsightError(
                    f"the mask {path} has the colour {colour}, expected one of {', '.join(sorted(self.colours))}"
                )
            return self.colours[colour]
        return folder or self.parameters.class_name


def _sources(masks: Path, images: Path) -> list[_Source]:
    for folder, what in ((masks, "masks"), (images, "images")):
        if not folder.is_dir():
            raise CadsightError(f"{folder} is no folder, expected one with {what}")
    files = [p for p in images_in(images) if not p.is_relative_to(masks)] if images != masks else []
    if not files:
        raise CadsightError(f"{images} holds no images, expected those that the masks in {masks} are of")
    names = sample_names([("", p) for p in files], images)
    by_stem: dict[str, int] = {}
    for number, file in enumerate(files):
        if file.stem in by_stem:
            raise CadsightError(f"{images} has two images called {file.stem!r}, expected each name once")
        by_stem[file.stem] = number
    found: list[list[tuple[str, Path]]] = [[] for _ in files]
    mask_files = images_in(masks)
    if not mask_files:
        raise CadsightError(f"{masks} holds no masks, expected images of them")
    for mask in mask_files:
        parts = mask.relative_to(masks).parts
        stem = _owner(mask.stem, by_stem)
        if stem is None:
            raise CadsightError(f"the mask {mask} has no image in {images}, expected one called {mask.stem!r}")
        found[by_stem[stem]].append((parts[0] if len(parts) > 1 else "", mask))
    return [_Source(p, n, tuple(m)) for p, n, m in zip(files, names, found, strict=True)]


def _owner(stem: str, stems: Mapping[str, int]) -> str | None:
    """The longest name of an image with which a mask's name begins, up to one of ``-_.``."""
    if stem in stems:
        return stem
    ends = [m.start() for m in re.finditer(r"[-_. ]", stem)]
    return next((stem[:end] for end in reversed(ends) if stem[:end] in stems), None)


def _values(path: Path) -> tuple[NDArray[np.integer], bool, bool]:
    """A number a pixel, 0 for none, whether it is a colour 0xrrggbb, and whether it can only be flat."""
    with (
        pillow_reads(
            lambda error: CadsightError(f"the mask {path} could not be read: {error}, expected a whole image")
        ),
        Image.open(path) as image,
    ):
        if image.format in ("JPEG", "MPO"):
            raise CadsightError(
                f"the mask {path} is a JPEG, which stores its colours with loss, expected one flat colour an object: "
                "PNG without smoothing"
            )
        if image.mode in ("1", "L", "P", "I", "I;16", "I;16B"):
            return np.asarray(image).astype(np.int32), False, image.mode in ("1", "P")
        has_alpha = "A" in image.getbands() or "transparency" in image.info
        mode = "RGBA" if has_alpha else "RGB"
        pixels = np.asarray(image if image.mode == mode else image.convert(mode))
    # The bytes of a pixel as one number, red in the highest of the lower three.
    blue_first = cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA if has_alpha else cv2.COLOR_RGB2BGRA)
    packed = blue_first.view("<u4")[..., 0]
    colours = packed & 0xFFFFFF
    return np.where(packed >> 24, colours, 0) if has_alpha else colours, True, False


def _refuse_smoothed(path: Path, values: NDArray[np.integer], is_colour: bool) -> None:
    """Raises where the borders have colours of their own between those of the two sides.

    Such a colour never fills a square of 3 x 3 pixels, and most of its pixels have a brighter and a darker neighbour.
    """
    planes = [values >> shift & 0xFF for shift in (16, 8, 0)] if is_colour else [values]
    levels = np.stack(planes, axis=-1).astype(np.float32)
    square = np.ones((3, 3), np.uint8)
    low = np.stack([cv2.erode(p, square) for p in np.moveaxis(levels, -1, 0)], axis=-1)
    high = np.stack([cv2.dilate(p, square) for p in np.moveaxis(levels, -1, 0)], axis=-1)
    flat = (low == high).all(axis=-1)
    between = ((levels >= low) & (levels <= high)).all(axis=-1) & ((levels > low) & (levels < high)).any(axis=-1)
    thin = np.unique(values[~flat])
    if len(thin) < _SHADES:
        return
    thin = np.setdiff1d(thin, values[flat])
    if len(thin) < _SHADES:
        return
    is_thin = np.isin(values, thin)
    if np.count_nonzero(between & is_thin) > _BETWEEN * np.count_nonzero(is_thin):
        raise CadsightError(
            f"the mask {path} has {len(thin)} colours on its borders alone, between those of both sides: it was "
            "smoothed, expected one flat colour an object: PNG without smoothing"
        )


def _instance(class_id: int, mask: Mask) -> Instance:
    box = Box.from_mask(mask)
    assert box is not None
    return Instance(class_id, box, mask=mask, source="render")


def _text(sample: Sample, classes: Sequence[str], file: Path) -> bytes:
    key, entry = via_entry(sample, classes, CLASS_ATTRIBUTES[0], file)
    return f"{json_text(key)}: {json_text(entry)}".encode()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CadsightError(f"the image {path} could not be read: {error.strerror}") from error
