"""Files that are nearly right, made of files that are."""

from collections.abc import Sequence
from random import Random

from fuzzing import containers, octets, pngs, trees, words
from fuzzing.trees import Change

# What knows the structure of a kind of file, by suffix.
_STRUCTURED: dict[str, Change] = {
    ".json": trees.json_changed,
    ".jsonl": trees.lines_of_json_changed,
    ".yaml": trees.yaml_changed,
    ".xml": trees.xml_changed,
    ".csv": trees.table_changed,
    ".glb": containers.glb_changed,
    ".pt": containers.zip_changed,
    ".png": pngs.png_changed,
}
_TEXT = (".json", ".jsonl", ".yaml", ".xml", ".csv", ".txt", ".data", ".names", ".obj", ".mtl", ".step", ".ply", ".stl")
_LARGEST = 1_000_000


def mutated(data: bytes, suffix: str, others: Sequence[bytes], rng: Random) -> bytes:
    """``data``, of a file that ends in ``suffix``, changed at one or a few positions; below 1 MB.

    Args:
        others: files of the same kind, parts of which may be put in.
    """
    structured = _STRUCTURED.get(suffix)
    is_text = suffix in _TEXT and b"\0" not in data[:1000]
    for _ in range(_rounds(rng)):
        new = None
        value = rng.random()
        if structured is not None and value < 0.75:
            new = structured(data, rng)
        elif is_text and value < 0.93:
            new = words.changed(data, rng)
        data = (octets.changed(data, others, rng) if new is None else new)[:_LARGEST]
    return data


def _rounds(rng: Random) -> int:
    rounds = 1
    while rng.random() < 0.4:
        rounds += 1
    return rounds
