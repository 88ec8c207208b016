"""Blender and BlenderProc, in a virtual environment of their own: Python 3.11 and older packages than ours."""

from __future__ import annotations

import ctypes.util
import functools
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from workspace import apart, system
from workspace.say import SetupError

FOLDER = ".venv-blender"
PINS = "constraints-blender.txt"
# The one Python that Blender's wheels of our version are built for.
PYTHON = (3, 11)


def _library_is_there(name: str) -> bool:
    return ctypes.util.find_library(name) is not None


def _needs(*libraries: tuple[str, str]) -> tuple[system.Need, ...]:
    return tuple(system.Need((package,), functools.partial(_library_is_there, name)) for package, name in libraries)


NEEDS = _needs(
    ("libegl1", "EGL"),
    ("libgl1", "GL"),
    ("libsm6", "SM"),
    ("libxfixes3", "Xfixes"),
    ("libxi6", "Xi"),
    ("libxkbcommon0", "xkbcommon"),
    ("libxrender1", "Xrender"),
    ("libxxf86vm1", "Xxf86vm"),
)


def set_up(root: Path) -> bool:
    """Make the environment where it is not there or not by our pins; False when there was nothing to do.

    Raises:
        SetupError: without a Python 3.11, a wheel for this machine, the system's libraries or a package registry.
    """
    return apart.make(
        root,
        FOLDER,
        PINS,
        what="Blender",
        size="0.6 GB to fetch, 2 GB on the disk",
        interpreter=find_python,
        depends_on=[str(PYTHON)],
        needs=NEEDS,
        module="bpy",
    )


def find_python() -> str:
    """A Python that Blender's wheels fit: the one below us, or one of the path."""
    version = ".".join(map(str, PYTHON))
    for candidate in _candidates(f"python{version}"):
        words = [candidate, "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"]
        answer = subprocess.run(words, capture_output=True, text=True)
        if answer.returncode == 0 and answer.stdout.strip() == version:
            return candidate
    raise SetupError(
        f"Blender's wheels want Python {version}, and there is none beside this {sys.version_info.major}."
        f"{sys.version_info.minor}: install one (`uv python install {version}`), or use --engine raster"
    )


def _candidates(name: str) -> Iterator[str]:
    # Where this runs in an environment, the interpreter below it outlives the environment.
    yield getattr(sys, "_base_executable", sys.executable)
    on_path = shutil.which(name)
    if on_path:
        yield on_path
    managed = Path.home() / ".local/bin" / name
    if managed.exists():
        yield str(managed)
