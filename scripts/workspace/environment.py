"""The virtual environment and the pinned packages in it."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from pathlib import Path

from workspace.ros import Installation
from workspace.say import SetupError, call, python_version, say

GROUPS = ("core", "cell", "learning", "bags", "build", "dev")
WHEEL_GROUPS = ("rosidl",)
OLDEST, NEWEST = (3, 10), (3, 13)


def check_python() -> None:
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        raise SetupError(f"this is Python {python_version()}; 3.10 to 3.13 do: make setup PYTHON=python3.12")


def check_wheels_fit() -> None:
    machine = os.uname().machine
    if machine != "x86_64":
        raise SetupError(
            f"there are ROS wheels for x86_64 only, and this is {machine}: install ROS 2 Jazzy or Kilted and source it"
        )


def create(venv: Path, installation: Installation | None) -> None:
    """A virtual environment for this interpreter; one made for another interpreter or another ROS is made anew."""
    wanted = f"{sys.base_prefix} {python_version()} {installation.distribution if installation else 'wheels'} {venv}"
    note = venv / "cadsight-environment"
    if (venv / "bin/python").exists() and note.is_file() and note.read_text() == wanted:
        return
    if note.is_file():
        say("The virtual environment was made for another Python, ROS or place: making it anew")
        shutil.rmtree(venv)
    say(f"Making a virtual environment with Python {python_version()} in {venv}")
    site = ["--system-site-packages"] if installation else []
    # Where this runs in the environment itself, the interpreter below it makes the new one.
    interpreter = getattr(sys, "_base_executable", sys.executable)
    call([interpreter, "-m", "venv", *site, venv], "making the virtual environment", cwd=venv.parent)
    note.write_text(wanted)


def constraints(root: Path, installation: Installation | None) -> Path:
    """The pins to install by: an installed ROS has extensions that were built with its own NumPy, often a 1.26."""
    if installation is None:
        return root / "constraints.txt"
    try:
        first = importlib.metadata.version("numpy").split(".")[0]
    except importlib.metadata.PackageNotFoundError:
        first = "1"
    return root / ("constraints-ros.txt" if first == "1" else "constraints.txt")


def install(root: Path, venv: Path, installation: Installation | None) -> None:
    pins = constraints(root, installation)
    if not (venv / "bin/uv").exists():
        call(
            [venv / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", pins, "uv"],
            "installing uv",
            cwd=root,
        )
    groups = GROUPS if installation else GROUPS + WHEEL_GROUPS
    say(f"Installing Python packages: {', '.join(groups)}" + ("" if installation else " and ROS 2 from wheels"))
    command: list[str | Path] = [venv / "bin/uv", "pip", "install", "--python", venv / "bin/python", "-c", pins]
    command += ["--overrides", root / "overrides.txt"]
    for group in groups:
        command += ["--group", group]
    if installation is None:
        command += ["-r", root / "ros-wheels.txt"]
    call(command, "installing the Python packages", cwd=root, env={**os.environ, "VIRTUAL_ENV": str(venv)})
    # The `cadsight` command works from any shell: it brings the paths of ROS itself.
    link = venv / "bin/cadsight"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("../../bin/cadsight"))
