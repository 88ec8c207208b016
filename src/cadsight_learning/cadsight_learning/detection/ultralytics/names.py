"""The names of ultralytics' detectors, out of the configurations that come with it; nothing of it is imported."""

import functools
import importlib.util
import re
from pathlib import Path

from cadsight_core.errors import CadsightError

from cadsight_learning.options import SIZES


def architecture_of(family: str, size: str) -> str:
    """Ultralytics' name of a network: of ``yolo11`` and ``nano`` it is ``yolo11n``, of ``rtdetr`` and ``large``
    ``rtdetr-l``; a whole name such as ``yolo12s`` or ``yolov9c`` stays as it is.

    Raises:
        CadsightError: for a family that ultralytics does not know, or a name of one size with another size beside it.
    """
    if family == "rtdetr":
        if not is_known(f"rtdetr-{SIZES[size]}"):
            raise CadsightError(f"the size is {size} and the family rtdetr, expected the size large or xlarge")
        return f"rtdetr-{SIZES[size]}"
    with_size = re.sub(r"^(yolov?\d+)(?=$|-)", rf"\g<1>{SIZES[size]}", family)
    if with_size != family and is_known(with_size):
        return with_size
    if not is_known(family):
        names = ", ".join(sorted(name for name in _configurations() if "-" not in name))
        raise CadsightError(f"the family is {family!r}, expected rtdetr or one of ultralytics': {names}")
    if size != "nano":
        raise CadsightError(f"the size is {size} and the family {family!r} has its size already: leave one of them out")
    return family


@functools.cache
def _configurations() -> dict[str, bool]:
    """Ultralytics' detectors by name, and whether a name is of several sizes."""
    spec = importlib.util.find_spec("ultralytics")
    assert spec is not None
    assert spec.origin is not None
    found = {}
    for path in sorted((Path(spec.origin).parent / "cfg" / "models").rglob("*.yaml")):
        text = path.read_text()
        if re.search(r"\b(v10Detect|Detect|RTDETRDecoder), \[nc\]", text):
            found[path.stem] = "\nscales:" in text and not re.search(r"\d[a-z]|^rtdetr-", path.stem)
    return found


def is_known(architecture: str) -> bool:
    """Whether ultralytics has a detector of that name; a file of anybody else's is none."""
    sized = re.fullmatch(r"(yolov?\d+)[nslmx](-.+)?", architecture)
    whole = _configurations().get(architecture) is False
    return whole or (sized is not None and _configurations().get(sized[1] + (sized[2] or ""), False))
