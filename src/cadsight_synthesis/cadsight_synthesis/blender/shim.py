"""Lets BlenderProc run in this process, on the ``bpy`` of a wheel. Imported before anything of BlenderProc.

BlenderProc 2.8 runs inside a Blender that it has downloaded and fills with packages by pip. Here both are installed
already, so what would fetch them is replaced, and what it does to the process is undone.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import types
from collections.abc import Sequence
from pathlib import Path

import bpy
import numpy as np

# Imported by parts of BlenderProc that we do not use: loaders of data sets, physics, GIFs. They would take most
# of the time that the program takes to start.
_UNUSED = ("git", "matplotlib", "png", "scipy", "skimage", "sklearn", "trimesh")


class _SetupUtility:
    """Stands in for the class that would run pip."""

    @staticmethod
    def setup(*_arguments: object, **_more: object) -> list[str]:
        return sys.argv

    @staticmethod
    def setup_pip(*_arguments: object, **_more: object) -> str:
        return ""


class _Unused:
    """Can be called while modules are imported, and has nothing to be used."""

    def __init__(self, *_arguments: object, **_more: object) -> None:
        pass


class _UnusedModule(types.ModuleType):
    """Can be imported, with whatever is imported from it, and not used."""

    def __getattr__(self, name: str) -> type[_Unused]:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Unused


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] not in _UNUSED:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _UnusedModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass


def _prepare() -> None:
    os.environ["INSIDE_OF_THE_INTERNAL_BLENDER_PYTHON_ENVIRONMENT"] = "1"
    if not hasattr(np, "string_"):  # NumPy 2 has dropped the name
        np.string_ = np.bytes_  # type: ignore[attr-defined]
    sys.meta_path.insert(0, _Finder())
    module = types.ModuleType("blenderproc.python.utility.SetupUtility")
    module.SetupUtility = _SetupUtility  # type: ignore[attr-defined]
    sys.modules[module.__name__] = module
    # It takes the first entry of its own folder out of the path, where everything that it imports next lies as well.
    spec = importlib.util.find_spec("blenderproc")
    assert spec is not None
    assert spec.origin is not None
    sys.path.append(str(Path(spec.origin).parents[1]))


_prepare()
import blenderproc as bproc  # noqa: E402
from blenderproc.python.utility import Initializer  # noqa: E402
from blenderproc.python.utility.Utility import Utility  # noqa: E402


def init(folder: Path) -> None:
    """What ``bproc.init`` does, without the language switch that the wheel refuses; ``folder`` is for its files."""
    Utility.temp_dir = str(folder)
    # A user's own start-up file is for his own images.
    bpy.ops.wm.read_factory_settings(use_empty=True)
    Initializer.clean_up(clean_up_camera=True)
    bpy.context.scene.render.engine = "CYCLES"
    bproc.renderer.set_render_devices()
    Initializer._Initializer.set_default_parameters()


__all__ = ["bproc", "init"]
