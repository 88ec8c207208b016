"""What fell, and the folder in which it is kept."""

import shutil
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path

from cadsight_core.storage.json_text import json_text

from fuzzing.inputs import Input

FALL_FILE = "fall.json"


@dataclass(frozen=True)
class Fall:
    """An input that a reader fell over.

    Attributes:
        reader: its name.
        number: of the input.
        kind: 'exception', 'hang', 'memory' or 'death'.
        place: what makes two falls the same one.
        words: the traceback, or what was measured.
    """

    reader: str
    number: int
    kind: str
    place: str
    words: str


def fall_of(error: BaseException, reader: str, number: int) -> Fall:
    """An exception as a fall; its place is the last line of ours and the last of all."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "/cadsight_" in f.filename and "/site-packages/" not in f.filename]
    lines = [f"{Path(f.filename).name}:{f.lineno}" for f in (*ours[-1:], *frames[-1:])]
    kind = "memory" if isinstance(error, MemoryError) else "exception"
    place = " ".join([type(error).__name__, *dict.fromkeys(lines)])
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return Fall(reader, number, kind, place, text[-8000:])


def keep(fall: Fall, one: Input, kept: Path, seed: int) -> Path:
    """Write the seed's folder with the changed file, and what is known of the fall; returns the new folder."""
    folder = kept / fall.reader / f"{fall.kind}-{fall.number}"
    if folder.exists():
        shutil.rmtree(folder)
    # The child goes on meanwhile, and changes files as it does.
    shutil.copytree(one.seed, folder / "input")
    for file, data in {**one.whole, one.file: one.data}.items():
        (folder / "input" / file.relative_to(one.seed)).write_bytes(data)
    again = f"python scripts/fuzz_readers.py --again {folder}"
    document = {**asdict(fall), "changed": str(one.file.relative_to(one.seed)), "seed": seed, "again": again}
    (folder / FALL_FILE).write_text(json_text(document, indent=1) + "\n")
    return folder
