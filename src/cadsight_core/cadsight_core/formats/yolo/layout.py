"""Where YOLO's images, labels and class names lie, as Ultralytics, Darknet, CVAT, labelImg and others leave them.

An image's labels stand in the file of its name in the folder ``labels`` that lies where the image's folder
``images`` does, or beside the image.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from cadsight_core.config.yaml_file import compose_yaml, node_value, read_yaml, yaml_bytes
from cadsight_core.errors import CadsightError
from cadsight_core.formats.files.text_files import read_text
from cadsight_core.formats.reading.finding import has_rows
from cadsight_core.formats.reading.folders import Image, split_among, split_of
from cadsight_core.formats.reading.key_points import Category, from_yolo
from cadsight_core.formats.reading.locating import Index, Locator, lexically_inside, same_name
from cadsight_core.formats.reading.notes import Notes
from cadsight_core.formats.reading.tree import Tree
from cadsight_core.imaging.images import SUFFIXES

_YAML_NAMES = ("data.yaml", "data.yml", "dataset.yaml")
_CLASS_LISTS = ("classes.txt", "obj.names", "predefined_classes.txt", "class_names.txt")
# A key of ours, which Ultralytics passes over, for images of no split beside those of others.
UNSPLIT = "unsplit"
# A number beyond is a slip that would fill the memory with names.
MOST_CLASSES = 100_000


@dataclass(frozen=True)
class Layout:
    """What belongs to a YOLO set.

    Attributes:
        folder: where it lies.
        why: what was seen, in words.
        images: each with its split.
        labels: the label file of each image that has one.
        lone: label files in its folders that no image has.
        classes: empty where no list was found.
        points: of ``kpt_shape``: number of key points of a label, and 2 or 3 numbers each; None for labels without.
        settings: data.yaml, class lists and lists of images.
        categories: data.yaml's entries for key points, as COCO's categories.
    """

    folder: Path
    why: str
    images: tuple[Image, ...]
    labels: Mapping[Path, Path]
    lone: tuple[Path, ...]
    classes: tuple[str, ...]
    points: tuple[int, int] | None = None
    settings: tuple[Path, ...] = field(default=())
    categories: tuple[Category, ...] = ()


def find_layout(tree: Tree, notes: Notes, config: Path | None = None) -> Layout | None:
    """The YOLO set in ``tree``, or the one of the data.yaml ``config``; None where there is none.

    ``notes`` collects its problems.

    Raises:
        CadsightError: for a data.yaml or class list that cannot be used.
    """
    config = config or find_yaml(tree)
    if config is not None:
        return _configured(tree, config, notes)
    settings = [f for f in tree.files if f.suffix.lower() == ".data" and _darknet(f)]
    if settings:
        return _of_darknet(tree, settings[0], notes)
    return _of_folders(tree, notes)


def find_yaml(tree: Tree) -> Path | None:
    """The data.yaml at the top of a folder, or another YAML that names classes and images; None where none is."""
    top = [f for f in tree.ending(".yaml", ".yml") if f.parent == tree.folder]
    named = [f for name in _YAML_NAMES for f in top if f.name.lower() == name]
    if named:
        return named[0]
    return next((f for f in top if _is_config(f)), None)


def label_path(image: Path) -> Path:
    """Where the labels of ``image`` belong: the last ``images`` of its path becomes ``labels``."""
    parts = list(image.parts)
    for i in range(len(parts) - 2, -1, -1):
        if parts[i].lower() == "images":
            parts[i] = {"images": "labels", "Images": "Labels", "IMAGES": "LABELS"}.get(parts[i], "labels")
            break
    return Path(*parts).with_suffix(".txt")


class _Labels:
    """The text files of a tree by the images that they may be of."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._texts: dict[tuple[str, str], list[Path]] = {}
        for file in files:
            if file.suffix.lower() == ".txt" and file.name.lower() not in _CLASS_LISTS:
                self._texts.setdefault((_folder_key(file.parent), same_name(file.stem)), []).append(file)

    def of(self, image: Path) -> Path | None:
        """The file in ``labels``, else the one beside the image where it holds rows of labels."""
        there = self._one(label_path(image))
        if there is not None:
            return there
        beside = self._one(image.with_suffix(".txt"))
        return beside if beside is not None and has_rows(beside) else None

    def _one(self, labels: Path) -> Path | None:
        found = self._texts.get((_folder_key(labels.parent), same_name(labels.stem)), ())
        exact = [f for f in found if f.stem == labels.stem]
        return next(iter((*exact, *found)), None)


def _folder_key(folder: Path) -> str:
    return same_name(str(folder)).casefold()


def _with_labels(
    folder: Path,
    why: str,
    images: Sequence[Image],
    trees: Sequence[Tree],
    classes: tuple[str, ...],
    settings: Sequence[Path],
    points: tuple[int, int] | None = None,
) -> Layout:
    files = list(dict.fromkeys(f for tree in trees for f in tree.files))
    finder = _Labels(files)
    labels = {image: label for _, image in images if (label := finder.of(image)) is not None}
    taken = {*labels.values(), *settings}
    others = [image for tree in trees for image in tree.images]
    belonging = {label for image in others if (label := finder.of(image)) is not None}
    # What belongs to an image that the set does not name is not lone but unclaimed.
    lone = [
        f for f in files
        if f.suffix.lower() == ".txt" and f not in taken and f not in belonging and _is_among_labels(f, folder)
        and f.name.lower() not in _CLASS_LISTS
    ]  # fmt: skip
    return Layout(folder, why, tuple(images), labels, tuple(lone), classes, points, tuple(settings))


def _is_among_labels(file: Path, folder: Path) -> bool:
    parts = file.relative_to(folder).parts[:-1] if file.is_relative_to(folder) else file.parts[:-1]
    return any(part.lower() == "labels" for part in parts)


def _of_folders(tree: Tree, notes: Notes) -> Layout | None:
    """images/ with labels/, SPLIT/images with SPLIT/labels, or images with their labels beside them."""
    has_folder = (tree.folder / "labels").is_dir()
    if not has_folder and not tree.ending(".txt"):
        return None  # most sets of other formats
    finder = _Labels(tree.files)
    labelled = {image for image in tree.images if finder.of(image) is not None}
    label_folders = {
        os.path.join(*parts[: n + 1])
        for parts in {f.relative_to(tree.folder).parts[:-1] for f in tree.ending(".txt")}
        for n, part in enumerate(parts)
        if part.lower() == "labels"
    }
    beside = {image.parent for image in labelled if _folder_key(label_path(image).parent) == _folder_key(image.parent)}
    images = []
    for image in tree.images:
        relative = image.relative_to(tree.folder).parts[:-1]
        at = [n for n, part in enumerate(relative) if part.lower() == "images"]
        paired = bool(at) and os.path.join(*relative[: at[-1]], "labels").casefold() in {
            f.casefold() for f in label_folders
        }
        if paired or image in labelled or image.parent in beside:
            images.append((split_among(relative), image))
    if not labelled and not (has_folder or label_folders):
        return None
    if not images and has_folder:
        images = [(split_among(i.relative_to(tree.folder).parts[:-1]), i) for i in tree.images]
    listed = find_classes(tree)
    if listed is None:
        notes.problem("no class list", tree.folder, "it has no class list, expected classes.txt or data.yaml")
    where = "labels beside images" if beside and not label_folders else "images/ and labels/"
    settings = [f for f in tree.ending(".txt", ".names") if f.name.lower() in _CLASS_LISTS]
    if listed is not None:
        settings.append(listed)
    return _with_labels(tree.folder, where, images, [tree], _listed_classes(listed), settings)


def find_classes(tree: Tree) -> Path | None:
    """The class list of a folder with images/ and labels/: there, in labels/, one folder up, or beside any image."""
    folder = tree.folder
    for parent in (folder, folder / "labels", folder.parent):
        for name in _CLASS_LISTS:
            if (parent / name).is_file():
                return parent / name
    within = [f for f in tree.files if f.name.lower() in _CLASS_LISTS or f.suffix.lower() == ".names"]
    return within[0] if within else None


def _listed_classes(file: Path | None) -> tuple[str, ...]:
    if file is None:
        return ()
    names = [line.strip() for line in read_text(file).rstrip().splitlines()]
    if "" in names:
        # Who counts it and who does not differ, and all classes behind it with them.
        raise CadsightError(f"{file}, line {names.index('') + 1}: it is empty, expected the name of a class")
    return tuple(names)


def _darknet(file: Path) -> dict[str, str]:
    """Keys and values of Darknet's obj.data, none where the file is something else."""
    try:
        lines = read_text(file).splitlines()
    except CadsightError:
        return {}
    pairs = [line.partition("=") for line in lines if line.strip() and not line.lstrip().startswith("#")]
    found = {key.strip(): value.strip() for key, equals, value in pairs if equals}
    return found if "names" in found else {}


def _of_darknet(tree: Tree, file: Path, notes: Notes) -> Layout:
    data = _darknet(file)
    names = _ending_like(tree, data["names"])
    if names is None:
        notes.problem("no class list", file, f"names is {data['names']!r}, expected a file with the classes")
    settings = [file, *([names] if names else [])]
    locator = Locator(tree.index, [tree.folder], lost=True)
    images: dict[Path, Image] = {}
    for key in ("train", "valid", "test"):
        listed = _ending_like(tree, data[key]) if data.get(key) else None
        if listed is None:
            if data.get(key):
                notes.remark("missing list", file, f"{key} is {data[key]!r}, expected a file with the images")
            continue
        settings.append(listed)
        for image in _listed(listed, locator, notes):
            images.setdefault(image, (split_of(key), image))
    if not images:
        finder = _Labels(tree.files)
        images = {i: ("", i) for i in tree.images if finder.of(i) is not None}
    return _with_labels(
        tree.folder, f"{file.name} of Darknet", list(images.values()), [tree], _listed_classes(names), settings
    )


def _ending_like(tree: Tree, name: str) -> Path | None:
    """The file of the tree with the longest common end with ``name``, as the folder of a Darknet set is often lost."""
    parts = name.replace("\\", "/").split("/")
    for start in range(len(parts)):
        end = tuple(parts[start:])
        for file in tree.files:
            if file.relative_to(tree.folder).parts[-len(end) :] == end:
                return file
    return None


def _is_config(file: Path) -> bool:
    try:
        data = read_yaml(file)
    except CadsightError:
        return False
    return isinstance(data, dict) and "names" in data and any(split_of(str(k)) or k == "path" for k in data)


def _configured(tree: Tree, config: Path, notes: Notes) -> Layout:
    data = read_yaml(config, "")
    if not isinstance(data, dict) or not ("names" in data or "nc" in data):
        raise CadsightError(f"{config} has no key 'names', expected the names of the classes")
    classes = _class_names(data, config, notes)
    points = _points(data, config)
    root = _root(data.get("path"), config)
    # What else lies in ``path`` is looked through only where a list names images in it: it may be a whole home.
    trees = [tree]
    settings = [config, *(f for f in tree.ending(".txt", ".names") if f.name.lower() in _CLASS_LISTS)]
    found: dict[Path, Image] = {}
    within = {f for t in trees for f in t.files}
    both: list[tuple[Path, str, str]] = []
    for key, value in data.items():
        split = split_of(str(key))
        if not (split or key == UNSPLIT) or not value:
            continue
        for entry in value if isinstance(value, list) else [value]:
            path = _entry_path(root, str(entry))
            if path is None:
                text = f"{key} is {entry!r}, expected a folder or list of images in {root}"
                # Roboflow names a test folder that it does not export; nobody learns from it.
                note = notes.remark if split == "test" else notes.problem
                note("missing folder", config, text)
                continue
            if path.is_file():
                settings.append(path)
                if path.suffix.lower() != ".txt":
                    notes.problem("missing folder", config, f"{key} is {entry!r}, expected a folder or list in text")
                    continue
                if not root.is_relative_to(tree.folder) and all(t.folder != root for t in trees):
                    trees.append(Tree.of(root))
                    within.update(trees[-1].files)
                images = [*_listed(path, _lists_locator(path, root, trees), notes)]
            else:
                images = list(Tree.of(path).images)
                if not set(images) <= within:
                    trees.append(Tree.of(_holder_of(path)))
                    within.update(trees[-1].files)
            for image in images:
                other = found.setdefault(image, (split, image))[0]
                if other != split:
                    both.append((image, other, split))
    if both:
        image, one, two = both[0]
        text = (
            f"{len(both)} images stand in two splits, the first is {image} in {one!r} and {two!r}, expected each once"
        )
        notes.remark("image in two splits", config, text)
    if not found:
        inside = tree.inside(tree.folder / "images")
        found = {i: (split_among(i.relative_to(tree.folder).parts[:-1]), i) for i in inside.images or tree.images}
    layout = _with_labels(tree.folder, config.name, list(found.values()), trees, classes, settings, points)
    return replace(layout, categories=tuple(from_yolo(data, points[0], classes, config) if points else ()))


def _holder_of(path: Path) -> Path:
    """The folder that holds the labels of the images in ``path`` too."""
    at = [n for n, part in enumerate(path.parts) if part.lower() == "images"]
    return Path(*path.parts[: at[-1]]) if at else path


def _root(path: Any, config: Path) -> Path:
    """Where ``path`` of a data.yaml leads, as Ultralytics resolves it, or where the file lies when nothing is there.

    Ultralytics looks from the working folder and from its own folder of data sets; a set that was moved lies beside its
    file still.
    """
    if not path:
        return config.parent
    text = os.path.expanduser(str(path))
    for start in (config.parent, Path.cwd(), *_datasets_folders()):
        resolved = Path(os.path.normpath(start / text))
        # The whole disk is no data set. Path's own question raises for a name too long for the disk.
        if resolved.parent != resolved and os.path.isdir(resolved):
            return resolved
    return config.parent


def _datasets_folders() -> list[Path]:
    """Ultralytics' own folder of data sets, by its settings or where it is without them."""
    home = os.environ.get("YOLO_CONFIG_DIR") or os.path.expanduser("~/.config")
    try:
        folder = json.loads((Path(home) / "Ultralytics" / "settings.json").read_text()).get("datasets_dir")
    except (OSError, ValueError, AttributeError):
        folder = None
    return [Path(folder)] if isinstance(folder, str) else [Path.cwd() / "datasets"]


def _entry_path(root: Path, entry: str) -> Path | None:
    """The folder or list ``entry`` in ``root``; Roboflow writes ``../train/images`` for ``train/images``."""
    entry = entry.replace("\\", "/")
    for candidate in (entry, entry.removeprefix("../")):
        path = lexically_inside(root, candidate)
        if path is not None and os.path.exists(path):  # Path's own raises for a name too long for the disk
            return path
    return None


def _lists_locator(file: Path, root: Path, trees: Sequence[Tree]) -> Locator:
    bases = list(dict.fromkeys([file.parent, root]))
    return Locator(Index(root, [i for tree in trees for i in tree.images]), bases)


def _listed(file: Path, locator: Locator, notes: Notes) -> Iterator[Path]:
    for number, line in enumerate(read_text(file).splitlines(), 1):
        entry = line.strip()
        if not entry:
            continue
        try:
            image = locator.find(entry) if Path(entry).suffix.lower() in SUFFIXES else None
        except CadsightError as error:
            notes.problem("missing image", file, str(error), number, loses="images")
            continue
        if image is None:
            text = f"{entry!r} is no image in {file.parent}, expected one"
            notes.problem("missing image", file, text, number, loses="images")
            continue
        yield image


def _class_names(data: dict[Any, Any], path: Path, notes: Notes) -> tuple[str, ...]:
    names = data.get("names", data.get("nc"))
    if isinstance(names, int) and not isinstance(names, bool):
        if not 0 <= names <= MOST_CLASSES:
            raise CadsightError(f"{path} has {names} classes, expected 0 to {MOST_CLASSES}")
        return tuple(str(i) for i in range(names))
    if not isinstance(names, list | dict) or "names" not in data:
        raise CadsightError(f"{path} has the names {names!r}, expected a list, or a mapping of ids to names")
    if isinstance(names, dict) and sorted(map(str, names)) != sorted(map(str, range(len(names)))):
        raise CadsightError(f"{path} names the classes {list(names)}, expected the ids 0 to {len(names) - 1}")
    written = _as_written(path)
    names = [written[i] for i in range(len(names))]
    count = data.get("nc")
    if isinstance(count, int) and count != len(names):
        notes.problem("odd classes", path, f"nc is {count} and there are {len(names)} names, expected the same number")
    return tuple(names)


def _as_written(path: Path) -> dict[int, str]:
    """The names by their ids, letter by letter: 1.10 is a part's name, and no number."""
    node = compose_yaml(yaml_bytes(path), str(path))
    assert isinstance(node, yaml.MappingNode)
    names = next((value for key, value in node.value if key.value == "names"), None)
    if names is None:
        raise CadsightError(f"{path} takes its names over from elsewhere (<<), expected them written out")
    items = (
        [(int(node_value(k, str(path))), v) for k, v in names.value]
        if isinstance(names, yaml.MappingNode)
        else enumerate(names.value)
    )
    written = {}
    for number, item in items:
        if not isinstance(item, yaml.ScalarNode):
            raise CadsightError(f"{path} has the class {number} with several values, expected a name")
        if not item.value.strip():
            raise CadsightError(f"{path} has the class {number} with the name {item.value!r}, expected a name")
        written[number] = str(item.value)
    return written


def _points(data: dict[Any, Any], path: Path) -> tuple[int, int] | None:
    shape = data.get("kpt_shape")
    if shape is None:
        return None
    if (
        not isinstance(shape, list)
        or len(shape) != 2
        or not all(isinstance(n, int) for n in shape)
        or shape[0] < 1
        or shape[1] not in (2, 3)
    ):
        raise CadsightError(f"{path} has the kpt_shape {shape!r}, expected [number of key points, 2 or 3]")
    return shape[0], shape[1]
