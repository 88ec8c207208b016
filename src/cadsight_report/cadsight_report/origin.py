"""Which software and which settings made a run."""

import importlib.metadata
import os
import platform
import sys
from typing import Any

from cadsight_core.storage.folders.run_folder import RunFolder, read_json

_PACKAGES = (
    "numpy",
    "scipy",
    "opencv-python-headless",
    "torch",
    "torchvision",
    "ultralytics",
    "mujoco",
    "pin",
    "ompl",
    "rclpy",
)


def versions() -> dict[str, str]:
    """Versions of the software that figures depend on; what is not installed is left out."""
    found = {
        "Python": sys.version.split()[0],
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
    }
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def step_seconds(run: RunFolder) -> dict[str, float]:
    """Seconds that each finished step took, over all the times that it was gone on with."""
    steps = (read_json(run.steps) or {}).get("steps", {})
    return {name: float(step["seconds"]) for name, step in steps.items() if step.get("done")}


def settings(run: RunFolder) -> dict[str, Any]:
    """The options of the run, seeds included."""
    return read_json(run.settings) or {}
