"""Lets BlenderProc run in this process, on the ``bpy`` of a wheel. Imported before anything of BlenderProc.

BlenderProc 2.8 runs inside a Blender that it has downloaded and fills with packages by pip. Here both are installed
already, so what would fetch them is replaced, and what it does to the process is undone.
"""

import importlib.util
import os
import sys
import types
from pathlib import Path

import bpy
import numpy as np

os.environ["INSIDE_OF_THE_INTERNAL_BLENDER_PYTHON_ENVIRONMENT"] = "1"
if not hasattr(np, "string_"):  # NumPy 2 has dropped the name
    np.string_ = np.bytes_  # type: ignore[attr-defined]


class _SetupUtility:
    """Stands in for the class that would run pip."""

    @staticmethod
    def setup(*_arguments: object, **_more: object) -> list[str]:
        return sys.argv

    @staticmethod
    def setup_pip(*_arguments: object, **_more: object) -> str:
        return ""


_module = types.ModuleType("blenderproc.python.utility.SetupUtility")
_module.SetupUtility = _SetupUtility  # type: ignore[attr-defined]
sys.modules[_module.__name__] = _module

# It takes the first entry of its own folder out of the path, where everything that it imports next lies as well.
_packages = str(Path(importlib.util.find_spec("blenderproc").origin).parents[1])  # type: ignore
sys.path.append(_packages)
import blenderproc as bproc  # noqa: E402
from blenderproc.python.utility import Initializer  # noqa: E402
from blenderproc.python.utility.Utility import Utility  # noqa: E402


def init(folder: Path) -> None:
    """What ``bproc.init`` does, without the language switch that the wheel refuses; ``folder`` is for its files."""
    Utility.temp_dir = str(folder)
    # A user's own start-up file is for his own pictures.
    bpy.ops.wm.read_factory_settings(use_empty=True)
    Initializer.clean_up(clean_up_camera=True)
    bpy.context.scene.render.engine = "CYCLES"
    bproc.renderer.set_render_devices()
    Initializer._Initializer.set_default_parameters()


__all__ = ["bproc", "init"]
