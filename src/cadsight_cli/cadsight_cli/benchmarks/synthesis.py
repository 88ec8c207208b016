"""How fast synthetic images are drawn, beside what BlenderProc alone takes for the same scenes, and annotated."""

import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from cadsight_core.parts.part import load_part, load_part_mesh
from cadsight_core.running.own_environment import set_up
from cadsight_core.storage.json_text import json_text
from cadsight_ros.resources import resolve
from cadsight_synthesis.annotation.speed import measure_annotation
from cadsight_synthesis.rendering.cycles.engine import CyclesEngine
from cadsight_synthesis.rendering.cycles.process import environment_for_blender
from cadsight_synthesis.rendering.cycles.request import scene_to_json
from cadsight_synthesis.rendering.scene import Body, Environment, Lamp, Material, Quality, Scene, View

Show = Callable[[str, dict[str, Any]], None]

_PART = "package://cadsight/config/parts/bracket.yaml"
_CAMERA = Camera(ImageSize(640, 480), 600.0, 600.0, 319.5, 239.5)
_PARTS = 6
# Two calls show the time of one; a third changes nothing and takes another minute.
_CALLS = 2


@dataclass(frozen=True)
class SynthesisBenchmark:
    """Our engine against one BlenderProc call an image, on the same scenes and machine, one after the other."""

    images: int = parameter(12, "images that our engine draws, a scene each", minimum=1)
    annotated: int = parameter(1000, "images whose masks become contours, with a changed copy each", minimum=1)

    def __post_init__(self) -> None:
        check(self)

    def run(self, show: Show) -> dict[str, dict[str, Any]]:
        """The speeds, each shown as soon as it is known.

        Raises:
            CadsightError: when Blender cannot be set up, or a BlenderProc call fails.
        """
        python = set_up("blender", "the cycles engine")
        with tempfile.TemporaryDirectory(prefix="cadsight_benchmark_") as name:
            folder = Path(name)
            scenes = _scenes(folder, self.images)
            speeds = {"cycles": _engine(scenes)}
            show("cycles", speeds["cycles"])
            speeds["one_call"] = _calls(python, scenes[:_CALLS], folder)
            show("one_call", speeds["one_call"])
        times = speeds["cycles"]["pictures_per_minute"] / speeds["one_call"]["pictures_per_minute"]
        cpu = speeds["one_call"]["cpu_seconds_per_picture"] / speeds["cycles"]["cpu_seconds_per_picture"]
        speeds["ratio"] = {
            "times": times,
            "times_less_cpu": cpu,
            "width": _CAMERA.size.width,
            "height": _CAMERA.size.height,
        }
        show("ratio", speeds["ratio"])
        speeds["annotation"] = measure_annotation(self.annotated)
        show("annotation", speeds["annotation"])
        return speeds


def _scenes(folder: Path, count: int) -> list[Scene]:
    """Six parts on a table under a lamp and a grey sky, seen from above; other poses and an image each."""
    trimesh.creation.box((1.5, 1.5, 0.01)).apply_translation((0, 0, -0.005)).export(folder / "table.ply")
    part = load_part(resolve(_PART))
    mesh = load_part_mesh(part)
    trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).export(folder / "part.ply")
    table = Body("table", folder / "table.ply", Pose.identity(), Material((0.7, 0.7, 0.7), roughness=1.0))
    look = Material(part.display_colour, roughness=0.4)
    lamp, sky = Lamp("area", (0.4, 0.3, 0.9), 12.0, size=0.3), Environment(0.4)
    view = View(_CAMERA, Pose.from_rotvec([np.pi, 0, 0], [0, 0, 0.6]))
    scenes = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        poses = [Pose.from_rotvec(rng.normal(size=3), [*rng.uniform(-0.15, 0.15, 2), 0.05]) for _ in range(_PARTS)]
        parts = [Body(f"part {i}", folder / "part.ply", pose, look, part.class_id) for i, pose in enumerate(poses)]
        scenes.append(Scene((table, *parts), (view,), (lamp,), sky, Quality(), seed))
    return scenes


def _engine(scenes: list[Scene]) -> dict[str, Any]:
    engine = CyclesEngine()
    try:
        started = time.monotonic()
        engine.render(scenes[0])
        first = time.monotonic() - started
        started, used = time.monotonic(), _cpu_seconds(engine.pid)
        for scene in scenes:
            engine.render(scene)
        seconds, used = time.monotonic() - started, _cpu_seconds(engine.pid) - used
    finally:
        engine.close()
    quality = scenes[0].quality
    return {
        "pictures_per_minute": 60 * len(scenes) / seconds,
        "cpu_seconds_per_picture": used / len(scenes),
        "seconds_first_picture": first,
        "pictures": len(scenes),
        "samples": quality.samples,
        "bounces": quality.bounces,
    }


def _calls(python: Path, scenes: list[Scene], folder: Path) -> dict[str, Any]:
    """A process an image, with BlenderProc's defaults, its normals and its segmentation."""
    started, used = time.monotonic(), _cpu_seconds_of_ended()
    for number, scene in enumerate(scenes):
        file, out = folder / f"{number}.json", folder / f"call_{number}"
        file.write_text(json_text(scene_to_json(scene)))
        out.mkdir()
        words = [str(python), "-s", "-B", "-m", "cadsight_synthesis.blender.one_call", str(file), "0", str(out)]
        result = subprocess.run(
            words, env=environment_for_blender(os.environ), stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if result.returncode != 0 or not (out / "0.hdf5").is_file():
            raise CadsightError(f"the BlenderProc call ended with {result.returncode}: {result.stderr[-400:]}")
    seconds, used = time.monotonic() - started, _cpu_seconds_of_ended() - used
    return {
        "pictures_per_minute": 60 * len(scenes) / seconds,
        "cpu_seconds_per_picture": used / len(scenes),
        "pictures": len(scenes),
    }


def _cpu_seconds(pid: int | None) -> float:
    """Of a program that runs; what it takes does not depend on what else the machine does."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _cpu_seconds_of_ended() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
