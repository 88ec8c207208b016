"""The readers that are fuzzed: a new one is one entry in the list of its room."""

from collections.abc import Callable

from fuzzing.reader import Reader


def _labels() -> tuple[Reader, ...]:
    from fuzzing.label_readers import label_readers

    return label_readers()


def _parts() -> tuple[Reader, ...]:
    from fuzzing.part_readers import part_readers

    return part_readers()


def _images() -> tuple[Reader, ...]:
    from fuzzing.image_readers import image_readers

    return image_readers()


def _models() -> tuple[Reader, ...]:
    from fuzzing.model_readers import model_readers

    return model_readers()


# Each room is imported only where one of its readers is needed: PyTorch alone takes seconds.
ROOMS: dict[str, Callable[[], tuple[Reader, ...]]] = {
    **dict.fromkeys(("cadsight", "yolo", "coco", "via", "voc", "labelme", "cvat", "regression"), _labels),
    **dict.fromkeys(("stl", "ply", "obj", "glb", "step", "part", "recipe"), _parts),
    **dict.fromkeys(("image", "video"), _images),
    **dict.fromkeys(("card", "weights", "bag"), _models),
}


def reader(name: str) -> Reader:
    """The reader called ``name``, which is one of ``ROOMS``."""
    return next(reader for reader in ROOMS[name]() if reader.name == name)
