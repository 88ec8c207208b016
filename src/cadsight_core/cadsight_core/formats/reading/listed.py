"""What readers of label files have in common whose images the files name: images found, samples named and made."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.formats.reading.finding import Loaded
from cadsight_core.formats.reading.folders import sample_names
from cadsight_core.formats.reading.locating import Locator
from cadsight_core.formats.reading.merging import merged
from cadsight_core.formats.reading.notes import Notes
from cadsight_core.imaging.images import image_size
from cadsight_core.sample import Instance, Sample, Split


@dataclass(frozen=True)
class Named:
    """An object by the name of its class, which gets its number when all files are read."""

    name: str
    instance: Instance


@dataclass(frozen=True)
class Listed:
    """An image as a label file lists it."""

    file: Path
    image: Path
    size: ImageSize
    split: Split
    objects: tuple[Named, ...]


def found_image(locator: Locator, names: Iterable[str], file: Path, notes: Notes) -> Path | None:
    """The first image that one of ``names`` finds, None (and a note) where none does."""
    names = [name for name in dict.fromkeys(names) if name]
    try:
        image = next((i for name in names if (i := locator.find(name)) is not None), None)
    except CadsightError as error:
        notes.problem("missing image", file, str(error), loses="images")
        return None
    if image is None:
        first = names[0] if names else ""
        notes.problem("missing image", file, f"the image {first!r} does not exist, expected a file", loses="images")
    return image


def readable_size(image: Path, notes: Notes) -> ImageSize | None:
    """The image's size, None (and a note) where it cannot be read."""
    try:
        return image_size(image)
    except CadsightError as error:
        if notes.strict:
            raise
        notes.problem("unreadable image", image, str(error), loses="images")
        return None


def size_of(image: Path, stated: tuple[float, float] | None, file: Path, notes: Notes) -> ImageSize | None:
    """The image's size, None (and a note) where it cannot be read; noted where ``file`` has another one."""
    size = readable_size(image, notes)
    if size is not None and stated is not None and all(stated) and stated != (size.width, size.height):
        # A whole number may have more digits than a float holds.
        width, height = (f"{v:g}" if isinstance(v, float) else v for v in stated)
        text = (
            f"{image.name!r} is said to be {width} x {height} pixels, expected {size.width} x {size.height} as in the "
            "image"
        )
        notes.problem("wrong image size", file, text)
    return size


def together(
    listed: Sequence[Listed], classes: Sequence[str], kind: str, folder: Path, notes: Notes, names: Sequence[str] = ()
) -> Loaded:
    """One data set of what label files list; ``classes`` come first, others behind them by name."""
    used = {named.name for one in listed for named in one.objects}
    all_classes = tuple(dict.fromkeys([*classes, *sorted(used)]))
    ids = {name: number for number, name in enumerate(all_classes)}
    parts = []
    given = names or sample_names([(one.split, one.image) for one in listed], folder)
    for one, name in zip(listed, given, strict=True):
        notes.label_file(name, one.file)
        instances = tuple(_numbered(named, ids) for named in one.objects)
        parts.append(Sample(name, one.image, one.size, instances=instances, split=one.split))
    if len({one.image for one in listed}) == len(listed):
        return Loaded(parts, all_classes, kind)
    each = [Loaded([sample], all_classes, kind) for sample in parts]
    return merged(each, folder, notes)


def _numbered(named: Named, ids: dict[str, int]) -> Instance:
    return replace(named.instance, class_id=ids[named.name])
