"""ROS 2: a sourced installation where there is one, and else the wheels, mended so that packages build against them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workspace.say import SetupError, call, say

COMPAT = ("control_msgs", "controller_manager_msgs", "tf2_msgs", "ur_dashboard_msgs", "vision_msgs")
SUPPORTED = ("jazzy", "kilted")
_BUILD_PYTHON = re.compile(r"/opt/python/cp\d+-cp\d+/include/python3\.\d+")
_BUILD_NUMPY = re.compile(r"/opt/python/cp\d+-cp\d+/lib/python3\.\d+/site-packages/numpy/_core/include")


@dataclass(frozen=True)
class Installation:
    """A sourced ROS 2: its name and its prefixes."""

    distribution: str
    prefixes: tuple[Path, ...]

    def has(self, package: str) -> bool:
        return any(
            (prefix / "share/ament_index/resource_index/packages" / package).is_file() for prefix in self.prefixes
        )


def find_installation(environment: Mapping[str, str], root: Path) -> Installation | None:
    """The ROS 2 that the calling shell has sourced; our own workspace's paths are not one."""
    ours = root.resolve()
    prefixes = tuple(
        path
        for path in map(Path, filter(None, environment.get("AMENT_PREFIX_PATH", "").split(":")))
        if ours not in (path.resolve(), *path.resolve().parents)
    )
    distribution = environment.get("ROS_DISTRO", "")
    found = Installation(distribution, prefixes)
    if not distribution or not found.has("rclpy"):
        return None
    if distribution not in SUPPORTED:
        raise SetupError(
            f"ROS 2 {distribution} is sourced; {' and '.join(SUPPORTED)} are supported: open a shell without it to use "
            "the wheels instead"
        )
    return found


def mend_wheels(venv: Path) -> int:
    """The wheels' CMake files name the folders of the machine that built them: name ours. Returns how many changed."""
    script = "import numpy, sysconfig; print(sysconfig.get_paths()['include']); print(numpy.get_include())"
    answer = subprocess.run([venv / "bin/python", "-c", script], capture_output=True, text=True, check=True).stdout
    python_include, numpy_include = answer.splitlines()
    changed = 0
    for file in sorted(venv.glob("share/*/cmake/*.cmake")):
        before = file.read_text()
        after = _BUILD_NUMPY.sub(numpy_include, _BUILD_PYTHON.sub(python_include, before))
        if after != before:
            file.write_text(after)
            changed += 1
    # Without these colcon warns about the prefix, and install/setup.bash would not restore it.
    for shell in ("sh", "bash", "zsh"):
        (venv / f"local_setup.{shell}").touch()
    return changed


def build_compat(root: Path, venv: Path, environment: Mapping[str, str], installation: Installation | None) -> None:
    """Build the interface packages that ROS does not bring here, into a prefix of their own beside the wheels."""
    missing = [name for name in COMPAT if installation is None or not installation.has(name)]
    if not missing:
        return
    say(f"Building the interfaces that this ROS lacks: {', '.join(missing)} (some minutes)")
    prefix = venv / "compat"
    call(
        [
            venv / "bin/colcon", "--log-base", prefix / "log", "build", "--merge-install",
            "--base-paths", ".", "--install-base", prefix, "--build-base", prefix / "build",
            "--packages-select", *missing, "--cmake-args", "-DBUILD_TESTING=OFF",
        ],
        "building the interface packages in compat/",
        cwd=root / "compat",
        env=environment,
    )  # fmt: skip


def environment_with(root: Path, variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a shell has after sourcing env.sh; the caller's variables stay."""
    before = dict(os.environ if variables is None else variables)
    result = subprocess.run(
        ["bash", "-c", '. "$0" && exec env -0', root / "env.sh"], env=before, capture_output=True, text=True
    )
    if result.returncode != 0:
        raise SetupError(f"env.sh failed: {result.stderr.strip()}")
    environment = dict(entry.split("=", 1) for entry in result.stdout.split("\0") if "=" in entry)
    # Without flags of ours colcon tells make to wait while the machine has other work, which can be for ever.
    environment["MAKEFLAGS"] = f"-j{os.cpu_count()}"
    return environment
