"""What this machine has of what CADsight uses, what it lacks, and what each missing thing would add."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from cadsight_cell.driver.facts.driver_facts import Driver
from cadsight_cell.driver.facts.drivers import DRIVERS
from cadsight_cell.driver.facts.installed import installed, passed
from cadsight_cell.driver.names import SCALED_CONTROLLER
from cadsight_core.errors import CadsightError

GIGABYTE = 1e9
# One Fast DDS segment of config/fastdds.xml a process, and a handful of processes.
SHARED_MEMORY_BYTES = 512e6
DISK_BYTES = 2 * GIGABYTE
MEMORY_BYTES = 4 * GIGABYTE


@dataclass(frozen=True)
class Finding:
    """`found` is a version or a place, None when the thing is missing; `adds` says what for; `how` how to get it."""

    name: str
    needed: bool
    found: str | None
    adds: str
    how: str

    @property
    def state(self) -> str:
        if self.found is not None:
            return "ok"
        return "MISSING" if self.needed else "absent"

    def to_json(self) -> dict[str, object]:
        return {**asdict(self), "state": self.state}


def distribution() -> str:
    """The ROS distribution that is sourced, or that of the wheels."""
    return os.environ.get("ROS_DISTRO") or "kilted"


def examine() -> Iterator[Finding]:
    """Every finding, needed things first. Takes a second or two: EGL is tried by drawing with it."""
    yield _python()
    yield _ros()
    for name, adds in _NEEDED_ROS:
        yield Finding(name, True, _ros_package(name), adds, "make setup")
    for name, adds in _NEEDED_PYTHON:
        yield Finding(name, True, _python_package(name), adds, "make setup")
    how = _apt("libegl1 libgl1-mesa-dri")
    if (backend := os.environ.get("MUJOCO_GL", "egl")) != "egl":
        how = f"MUJOCO_GL=egl, which is {backend} here"
    yield Finding("EGL", True, _egl(), "the simulated camera, without a display", how)
    yield _space("disk", shutil.disk_usage(Path.cwd()).free, DISK_BYTES, "room for a run of the demo")
    yield _space("memory", _memory_bytes(), MEMORY_BYTES, "training and the simulated cell side by side")
    yield _space(
        "shared memory", _shared_memory_bytes(), SHARED_MEMORY_BYTES, "large images between nodes", needed=False
    )
    yield _profile()
    for command, adds, packages in _COMMANDS:
        yield Finding(command, False, shutil.which(command), adds, _apt(packages))
    for name, adds in _OPTIONAL_ROS:
        yield Finding(name, False, _ros_package(name), adds, _ros_apt(name))
    for driver in DRIVERS:
        yield driver_finding(driver)
    yield Finding(
        "Blender",
        False,
        _apart(".venv-blender", "bpy"),
        "synthetic images by --engine cycles",
        "make blender, or its first use",
    )
    yield Finding(
        "datumaro",
        False,
        _apart(".venv-datumaro", "datumaro"),
        "data sets of other formats, by --with datumaro",
        "make datumaro, or its first use",
    )


_NEEDED_ROS = (
    ("cadsight_interfaces", "our messages, services and actions"),
    ("vision_msgs", "detections, as other ROS software reads them"),
    ("control_msgs", "trajectories to the arm"),
    ("tf2_msgs", "frames"),
    ("cadsight", "launch files and parameters"),
)
_NEEDED_PYTHON = (
    ("numpy", "arrays"),
    ("opencv-python-headless", "images"),
    ("scipy", "geometry and fits"),
    ("trimesh", "meshes"),
    ("cascadio", "STEP files"),
    ("mujoco", "the simulated cell"),
    ("pin", "kinematics and collisions of the arm"),
    ("ompl", "paths free of collision"),
    ("toppra", "trajectories inside the arm's limits"),
    ("torch", "the models"),
    ("ultralytics", "the YOLO detector"),
    ("timm", "features that tell sets of images apart"),
    ("rosbags", "MCAP bags"),
    ("jinja2", "the report"),
    ("matplotlib", "the report's curves"),
)
_COMMANDS = (
    ("colcon", "building the workspace again", "python3-colcon-common-extensions"),
    ("cmake", "building the interfaces again", "cmake"),
    ("c++", "building the interfaces again", "g++"),
)
_OPTIONAL_ROS = (
    ("ros2launch", "`ros2 launch`, which the drivers of a real cell need: simulated:=false"),
    ("rviz2", "watching the cell in RViz: rviz:=true"),
    ("cv_bridge", "images converted by OpenCV's own bridge instead of NumPy"),
    ("tf2_ros", "the hand-eye calibration of a real cell on /tf_static: simulated:=false"),
    ("ros2bag", "`ros2 bag play` and `ros2 bag info` of our recordings"),
)


def driver_finding(driver: Driver) -> Finding:
    """A driver of the real cell, and whether it understands what launch/cell.launch.xml gives to it."""
    finding = Finding(driver.package, False, None, driver.used_for, _ros_apt(driver.package))
    prefix, ours = _ros_package(driver.package), _ros_package("cadsight")
    if prefix is None or ours is None:
        return finding
    try:
        there = installed(driver, Path(prefix, "share", driver.package))
    except CadsightError as error:
        return replace(finding, how=f"another version: {error}")
    given = passed(Path(ours, "share", "cadsight", "launch", "cell.launch.xml"), driver.package)
    place = f"{there.version} in {prefix}"
    if unknown := sorted(given - there.arguments):
        return replace(finding, how=f"a version with the launch arguments {', '.join(unknown)}, not {place}")
    if there.controllers and SCALED_CONTROLLER not in there.controllers:
        place += "; start the cell with controller:=joint_trajectory_controller"
    return replace(finding, found=place)


def _apt(packages: str) -> str:
    return f"sudo apt-get install {packages}"


def _ros_apt(package: str) -> str:
    name = package.replace("_", "-")
    return f"ROS 2 by apt, then {_apt(f'ros-{distribution()}-{name}')}"


def _python() -> Finding:
    fits = (3, 10) <= sys.version_info[:2] <= (3, 13)
    found = f"{platform.python_version()} in {sys.prefix}"
    return Finding("Python", True, found if fits else None, "everything", "Python 3.10 to 3.13")


def _ros() -> Finding:
    prefix = _ros_package("rclpy")
    if prefix is None:
        return Finding("ROS 2", True, None, "nodes, topics and actions", "make setup")
    if Path(prefix) == Path(sys.prefix):
        found = f"rclpy {_python_package('ros-rclpy') or ''} from wheels".replace("  ", " ")
    else:
        found = f"{distribution()} in {prefix}"
    return Finding("ROS 2", True, found, "nodes, topics and actions", "make setup")


def _ros_package(name: str) -> str | None:
    try:
        return get_package_prefix(name)
    except (PackageNotFoundError, ValueError):
        return None


def _python_package(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _egl() -> str | None:
    """The renderer's name, asked in a process of its own: a broken driver ends that one and not this one."""
    if importlib.util.find_spec("mujoco") is None:
        return None
    code = (
        "import mujoco; context = mujoco.GLContext(16, 16); context.make_current();"
        "from OpenGL import GL; print(GL.glGetString(GL.GL_RENDERER).decode())"
    )
    environment = {"MUJOCO_GL": "egl", "PYOPENGL_PLATFORM": "egl", **os.environ}
    try:
        result = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60
        )
    except subprocess.TimeoutExpired:
        return None
    return result.stdout.strip() or None if result.returncode == 0 else None


def _memory_bytes() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _shared_memory_bytes() -> float:
    return shutil.disk_usage("/dev/shm").free if Path("/dev/shm").is_dir() else 0.0


def _space(name: str, there: float, required: float, adds: str, *, needed: bool = True) -> Finding:
    amount = f"{there / GIGABYTE:.1f} GB"
    how = f"{amount} here, {required / GIGABYTE:.1f} GB or more are wanted"
    return Finding(name, needed, amount if there >= required else None, adds, how)


def _profile() -> Finding:
    file = os.environ.get("FASTDDS_DEFAULT_PROFILES_FILE", "")
    found = file if file and Path(file).is_file() else None
    return Finding("Fast DDS profile", False, found, "images at full rate between nodes", ". ./env.sh")


def _apart(folder: str, package: str) -> str | None:
    """The version of a package in an environment of its own; the stamp is the last thing that setting it up writes."""
    environment = Path(os.environ.get("CADSIGHT_ROOT", "."), folder)
    if not (environment / "stamps" / "packages").is_file():
        return None
    folders = [str(site) for site in environment.glob("lib/python*/site-packages")]
    versions = [each.version for each in importlib.metadata.distributions(name=package, path=folders)]
    return f"{versions[0]} in {environment}" if versions else None
