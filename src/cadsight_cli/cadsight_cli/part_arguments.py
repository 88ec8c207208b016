"""Parts on the command line."""

import dataclasses
from collections.abc import Sequence

from cadsight_core.errors import CadsightError
from cadsight_core.part import Part, load_part


def parts_of(paths: Sequence[str], names: Sequence[str]) -> list[Part]:
    """The parts of YAML files, each with its place in the class ``names`` as its class id.

    Raises:
        CadsightError: for a file that cannot be used, a part that is no class, or one that is given twice.
    """
    parts: list[Part] = []
    for path in paths:
        part = load_part(path)
        if part.name not in names:
            raise CadsightError(f"{path} is of the part {part.name}, expected one of the data: {', '.join(names)}")
        if any(part.name == other.name for other in parts):
            raise CadsightError(f"the part {part.name} is given twice, expected each once")
        parts.append(dataclasses.replace(part, class_id=names.index(part.name)))
    return parts
