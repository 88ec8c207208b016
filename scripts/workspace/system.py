"""What the wheels leave to the operating system: a compiler, CMake, Python's headers and Mesa's EGL."""

from __future__ import annotations

import ctypes.util
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workspace.say import SetupError, say


@dataclass(frozen=True)
class Need:
    """`packages` are Debian's names; `there` looks whether what they bring is on this machine."""

    packages: tuple[str, ...]
    there: Callable[[], bool]


def _command(name: str) -> Callable[[], bool]:
    return lambda: shutil.which(name) is not None


def _library(name: str) -> Callable[[], bool]:
    return lambda: ctypes.util.find_library(name) is not None


def _mesa_driver() -> bool:
    folders = [
        Path("/usr/lib/x86_64-linux-gnu"),
        Path("/usr/lib/aarch64-linux-gnu"),
        Path("/usr/lib64"),
        Path("/usr/lib"),
    ]
    return any(next(folder.glob(name), None) for folder in folders for name in ("dri/swrast_dri.so", "libgallium*.so"))


def _python_package(suffix: str) -> str:
    """Debian's own interpreter takes Debian's packages; the version is in their names."""
    return f"python3.{sys.version_info.minor}-{suffix}"


NEEDS = (
    Need(("cmake",), _command("cmake")),
    Need(("g++",), _command("c++")),
    Need(("make",), _command("make")),
    Need((_python_package("dev"),), lambda: Path(sysconfig.get_paths()["include"], "Python.h").is_file()),
    Need((_python_package("venv"),), lambda: importlib.util.find_spec("ensurepip") is not None),
    Need(("libegl1",), _library("EGL")),
    Need(("libgl1",), _library("GL")),
    Need(("libegl-mesa0", "libgl1-mesa-dri"), _mesa_driver),
)

# What only tests want; without it they are skipped.
TEST_SHELLS = tuple(Need((name,), _command(name)) for name in ("zsh", "fish"))


def missing_packages(needs: tuple[Need, ...] = NEEDS) -> list[str]:
    """Debian packages of what is not there."""
    return [package for need in needs if not need.there() for package in need.packages]


def install_missing(needs: tuple[Need, ...] = NEEDS) -> None:
    """Install what is missing when that is allowed; raise `SetupError` with the line that installs it when not."""
    packages = missing_packages(needs)
    if not packages:
        return
    if shutil.which("apt-get") is None:
        raise SetupError(f"these are missing (by Debian's names), and there is no apt-get here: {' '.join(packages)}")
    prefix = _root_prefix()
    line = f"apt-get update && apt-get install -y --no-install-recommends {' '.join(packages)}"
    if prefix is None:
        raise SetupError(f"some system packages are missing; this installs them:\n  sudo sh -c '{line}'")
    say(f"Installing system packages: {' '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-q"], ["apt-get", "install", "-qy", "--no-install-recommends", *packages]):
        if subprocess.run([*prefix, *command], env=environment, stdin=subprocess.DEVNULL).returncode != 0:
            raise SetupError(f"`{' '.join(command)}` failed; run it by hand to see why")
    still = missing_packages(needs)
    if still:
        raise SetupError(f"these were installed, but what they bring is not found: {' '.join(still)}")


def install_wished(needs: tuple[Need, ...]) -> None:
    """Install what is missing where we are root, as in CI; where that fails, report it and go on."""
    packages = missing_packages(needs)
    if not packages or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    say(f"Installing {' '.join(packages)} for the tests of them")
    variables = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # A machine without a network shall know so soon.
    apt = ["apt-get", "-q", "-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=10"]
    for command in ([*apt, "update"], [*apt, "install", "-y", "--no-install-recommends", *packages]):
        subprocess.run(command, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    still = missing_packages(needs)
    if still:
        say(f"{' '.join(still)} could not be installed; the tests of them are skipped")


def _root_prefix() -> list[str] | None:
    """What to put before a command so that root runs it; None where that would need a password."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    return None
