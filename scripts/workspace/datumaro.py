"""datumaro, in a virtual environment of its own: it wants older OpenCV and Pillow than ours."""

from __future__ import annotations

import sys
from pathlib import Path

from workspace import apart
from workspace.say import python_version

FOLDER = ".venv-datumaro"
PINS = "constraints-datumaro.txt"


def set_up(root: Path) -> bool:
    """Make the environment where it is not there or not by our pins; False when there was nothing to do.

    Raises:
        SetupError: without a package registry.
    """
    return apart.make(
        root,
        FOLDER,
        PINS,
        what="datumaro",
        size="0.15 GB to fetch, 0.5 GB on the disk",
        # Where this runs in an environment, the interpreter below it outlives the environment.
        interpreter=lambda: getattr(sys, "_base_executable", sys.executable),
        depends_on=[python_version()],
        module="datumaro",
    )
