"""Data sets of formats that we do not read, read by datumaro in an environment of its own and taken from it as COCO."""

import contextlib
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_core.formats.account import LeftOut
from cadsight_core.formats.reading.finding import looks_like_labels
from cadsight_core.formats.reading.tree import Tree
from cadsight_core.running import own_environment
from cadsight_core.running.child_process import end_with_parent
from cadsight_core.running.progress import step

NAME = "datumaro"
_PROGRAM = Path(__file__).with_name("program.py")
_LAST_WORDS = 400


@dataclass(frozen=True)
class ReadByDatumaro:
    """A data set that datumaro has read.

    Attributes:
        folder: of COCO's JSON and images, links to those of the source where they are files.
        format: datumaro's name of it.
        version: datumaro's.
        read: what it read: images, and annotations by their kind.
        left_out: what of that COCO does not hold.
    """

    folder: Path
    format: str
    version: str
    read: dict[str, int]
    left_out: tuple[LeftOut, ...]

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.read.items())
        return f"datumaro {self.version} as {self.format}: {kinds or 'nothing'}"

    def to_json(self) -> dict[str, Any]:
        return {"version": self.version, "format": self.format, "read": self.read}


@contextlib.contextmanager
def through_datumaro(source: str | Path, name: str = "") -> Iterator[ReadByDatumaro]:
    """The data set ``source``, readable by us as long as the context lasts.

    Args:
        name: datumaro's name of the format; '' where it is to find that itself.

    Raises:
        CadsightError: when datumaro cannot be set up, knows no format of the name, recognises none or several, or
            cannot read the data.
    """
    source = Path(source)
    if not source.exists():
        raise CadsightError(f"{source} does not exist, expected a data set")
    python = own_environment.set_up(NAME, "datumaro")
    with tempfile.TemporaryDirectory(prefix="cadsight_datumaro_") as folder:
        if not name:
            name = _only(_run_program(python, "detect", source, Path(folder)), source)
        out = Path(folder, "set")
        out.mkdir()
        with step(f"read by datumaro as {name}"):
            answer = _run_program(python, "read", source, Path(folder), "--format", name, "--out", str(out))
        if "error" in answer and name not in answer["known"]:
            raise CadsightError(f"datumaro has no format {name!r}, expected one of {', '.join(answer['known'])}")
        if "error" in answer:
            raise CadsightError(f"datumaro could not read {source} as {name}: {answer['error']}")
        left = [LeftOut(one["what"], one["count"], one["why"], one["first"]) for one in answer["left_out"]]
        left += _passed_over(source.resolve(), out, answer["read"])
        yield ReadByDatumaro(out, name, answer["version"], answer["read"], tuple(left))


def offer(source: str | Path) -> str:
    """Whether and how datumaro reads what we do not, in words for the user; it is asked where it is set up."""
    if not own_environment.is_there(NAME):
        return "datumaro reads more formats: --with datumaro sets it up on its first use, `make datumaro` beforehand"
    with tempfile.TemporaryDirectory(prefix="cadsight_datumaro_") as folder:
        try:
            python = own_environment.set_up(NAME, "datumaro")
            formats = _run_program(python, "detect", Path(source), Path(folder)).get("formats", [])
        except CadsightError as error:
            return f"--with datumaro would not help either: {error}"
    if formats:
        return f"datumaro would read it as {' or '.join(formats)}: --with datumaro:{formats[0]}"
    return "datumaro recognises none of its formats either; --with datumaro:FORMAT names one, such as kitti_detection"


def _passed_over(source: Path, out: Path, read: Mapping[str, int]) -> Iterator[LeftOut]:
    """What datumaro does not report: files that look like labels where it read none, and images that it did not take.

    Where masks were read, images are labels too, and are not reported.
    """
    if not source.is_dir():
        return
    tree = Tree.of(source)
    files = [file for file in tree.files if looks_like_labels(file)] if not set(read) - {"images"} else []
    if files:
        yield LeftOut("label files", len(files), "datumaro read no label from them", str(files[0]))
    taken = {image.resolve() for image in Tree.of(out).images}
    lost = [image for image in tree.images if image.resolve() not in taken] if "mask" not in read else []
    if lost:
        yield LeftOut("images", len(lost), "datumaro did not read them", str(lost[0]))


def _only(answer: dict[str, Any], source: Path) -> str:
    formats = answer.get("formats", [])
    # Of voc, voc_detection and voc_classification the first holds the others.
    whole = [name for name in formats if all(other.startswith(name) for other in formats)]
    if whole:
        return str(whole[0])
    if formats:
        named = " or ".join(formats)
        raise CadsightError(f"datumaro may read {source} as {named}, expected one named: --with datumaro:{formats[0]}")
    why = f" ({answer['error']})" if "error" in answer else ""
    raise CadsightError(
        f"datumaro recognises none of its formats in {source}{why}, expected one named, as --with datumaro:NAME, of "
        f"{', '.join(answer['known'])}"
    )


def _run_program(python: Path, action: str, source: Path, folder: Path, *words: str) -> dict[str, Any]:
    """What the program answers.

    Raises:
        CadsightError: when it ends without an answer.
    """
    answer = folder / "answer.json"
    answer.unlink(missing_ok=True)
    # Isolated: beside the program lie modules of ours. What datumaro prints meanwhile is dropped.
    result = subprocess.run(
        [str(python), "-I", "-B", str(_PROGRAM), action, str(source.resolve()), "--answer", str(answer), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=own_environment.variables(os.environ),
        preexec_fn=end_with_parent,
    )
    if not answer.is_file():
        last = " ".join(result.stderr.decode(errors="replace").split())[-_LAST_WORDS:]
        raise CadsightError(f"datumaro ended with status {result.returncode}; its last words: {last or 'none'}")
    content: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return content
