"""The virtual environment and the pinned packages in it."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from workspace.ros import Installation
from workspace.say import SetupError, call, python_version, say

GROUPS = ("core", "synthesis", "cell", "learning", "inference", "bags", "build", "dev")
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
    mark = f"{sys.base_prefix} {python_version()} {installation.distribution if installation else 'wheels'} {venv}"
    note = venv / "cadsight-environment"
    if (venv / "bin/python").exists() and note.is_file() and note.read_text() == mark:
        return
    if note.is_file():
        say("The virtual environment was made for another Python, ROS or place: making it anew")
        shutil.rmtree(venv)
    say(f"Making a virtual environment with Python {python_version()} in {venv}")
    site = ["--system-site-packages"] if installation else []
    # Where this runs in the environment itself, the interpreter below it makes the new one.
    interpreter = getattr(sys, "_base_executable", sys.executable)
    call([interpreter, "-m", "venv", *site, venv], "making the virtual environment", cwd=venv.parent)
    note.write_text(mark)


def distribution_numpy(installation: Installation | None) -> str:
    """The version of an installed ROS's NumPy where it is older than our pin, and else an empty string.

    Its extensions were built with it (1.26 on Ubuntu 24.04), so it stays. Ours were built with a NumPy 2, which makes
    extensions that a 1.26 runs as well, whatever their metadata asks for.
    """
    if installation is None:
        return ""
    try:
        version = importlib.metadata.version("numpy")
    except importlib.metadata.PackageNotFoundError:
        return ""
    return version if version.startswith("1.") else ""


def pins(root: Path, venv: Path, numpy: str) -> tuple[Path, Path]:
    """The files of constraints and of overrides to install by; `numpy` by `distribution_numpy`."""
    constraints, overrides = root / "constraints.txt", root / "overrides.txt"
    if not numpy:
        return constraints, overrides
    own_constraints, own_overrides = venv / "constraints.txt", venv / "overrides.txt"
    lines = constraints.read_text().splitlines(keepends=True)
    own_constraints.write_text("".join(line for line in lines if not line.startswith("numpy==")))
    own_overrides.write_text(f"{overrides.read_text()}numpy=={numpy}\n")
    return own_constraints, own_overrides


def with_byte_code(variables: Mapping[str, str]) -> dict[str, str]:
    """`variables` for a call that is there to write byte code, which containers often forbid to all of Python."""
    return {name: value for name, value in variables.items() if name != "PYTHONDONTWRITEBYTECODE"}


def uv_install(uv: Path, venv: Path, words: Sequence[str | Path], *, cwd: Path) -> None:
    """`uv pip install` into `venv`, byte code included: importing torch takes twice the processor time without it."""
    # uv brings certificates of its own; those of a company's proxy are known to the machine alone.
    variables = {"UV_SYSTEM_CERTS": "1", **with_byte_code(os.environ), "VIRTUAL_ENV": str(venv)}
    command = [uv, "pip", "install", "--compile-bytecode", "--python", venv / "bin/python", *words]
    call(command, "installing the Python packages", cwd=cwd, env=variables)


def install(root: Path, venv: Path, installation: Installation | None) -> None:
    constraints, overrides = pins(root, venv, distribution_numpy(installation))
    if not (venv / "bin/uv").exists():
        call(
            [
                venv / "bin/python",
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "-c",
                constraints,
                "uv",
            ],
            "installing uv",
            cwd=root,
        )
    groups = GROUPS if installation else GROUPS + WHEEL_GROUPS
    say(f"Installing Python packages: {', '.join(groups)}" + ("" if installation else " and ROS 2 from wheels"))
    words: list[str | Path] = ["-c", constraints, "--overrides", overrides]
    for group in groups:
        words += ["--group", group]
    if installation is None:
        words += ["-r", root / "ros-wheels.txt"]
    uv_install(venv / "bin/uv", venv, words, cwd=root)
    # The `cadsight` command works from any shell: it brings the paths of ROS itself.
    link = venv / "bin/cadsight"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("../../bin/cadsight"))
    completion = "import argcomplete; print(argcomplete.shellcode(['cadsight']))"
    script = subprocess.run([venv / "bin/python", "-c", completion], capture_output=True, text=True, check=True).stdout
    (venv / "share/cadsight-completion.sh").write_text(script)
