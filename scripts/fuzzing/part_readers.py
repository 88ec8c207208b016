"""Readers of parts, meshes and recipes."""

import re
import shutil
from pathlib import Path

import numpy as np
import trimesh
from cadsight_core.camera import ImageSize
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.parts.mesh import load_mesh
from cadsight_core.parts.part import load_part, load_part_mesh
from cadsight_core.sample import Sample
from cadsight_synthesis.recipes.reader import read_recipe
from PIL import Image

from fuzzing.reader import Reader

_ROOT = Path(__file__).parents[2]
_STEPS = _ROOT / "src" / "cadsight_core" / "test" / "data"


def part_readers() -> tuple[Reader, ...]:
    meshes = tuple(
        Reader(kind, (f".{kind}", ".mtl") if kind == "obj" else (f".{kind}",), seeds, _read_mesh)
        for kind, seeds in (("stl", _stl), ("ply", _ply), ("obj", _obj), ("glb", _glb), ("step", _step))
    )
    return (
        *meshes,
        Reader("part", (".yaml",), _parts, _read_part),
        Reader("recipe", (".yaml",), _recipes, _read_recipe),
    )


def _read_mesh(folder: Path) -> None:
    (file,) = (f for f in folder.iterdir() if f.stem == "part")
    mesh = load_mesh(file)
    _ = mesh.volume, mesh.is_closed, mesh.hull_vertices


def _solid() -> trimesh.Trimesh:
    """A box with a rod through it, of 40 x 30 x 20 mm."""
    box, rod = trimesh.creation.box((40, 30, 8)), trimesh.creation.cylinder(5, 20, sections=8)
    faces = np.vstack([box.faces, rod.faces + len(box.vertices)])
    return trimesh.Trimesh(np.vstack([box.vertices, rod.vertices]), faces, process=False)


def _exported(solid: trimesh.Trimesh, kind: str, **options: str) -> bytes:
    data = solid.export(file_type=kind, **options)
    return data.encode() if isinstance(data, str) else bytes(data)


def _coloured(solid: trimesh.Trimesh) -> trimesh.Trimesh:
    colours = np.random.default_rng(0).integers(0, 256, (len(solid.vertices), 4), dtype=np.uint8)
    return trimesh.Trimesh(solid.vertices, solid.faces, vertex_colors=colours, process=False)


def _textured(solid: trimesh.Trimesh) -> trimesh.Trimesh:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8))
    visual = trimesh.visual.TextureVisuals(uv=solid.vertices[:, :2] / 40 + 0.5, image=image)
    return trimesh.Trimesh(solid.vertices, solid.faces, visual=visual, process=False)


def _write(folder: Path, name: str, suffix: str, data: bytes | str) -> None:
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / f"part{suffix}").write_bytes(data.encode() if isinstance(data, str) else data)


def _stl(folder: Path) -> None:
    _write(folder, "binary", ".stl", _exported(_solid(), "stl"))
    _write(folder, "text", ".stl", _exported(_solid(), "stl_ascii"))


def _ply(folder: Path) -> None:
    for encoding in ("binary", "ascii"):
        _write(folder, encoding, ".ply", _exported(_coloured(_solid()), "ply", encoding=encoding))
    header = "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n"
    strips = "element tristrips 1\nproperty list int int vertex_indices\nend_header\n"
    _write(folder, "strips", ".ply", f"{header}{strips}0 0 0\n40 0 0\n0 30 0\n0 0 8\n6 0 1 2 3 -1 0\n")


def _obj(folder: Path) -> None:
    quads = "v 0 0 0\nv 40 0 0\nv 40 30 0 1 0 0\nv 0 30 0\nv 0 0 8\nvt 0 0\nvt 1 0\nvn 0 0 1\n"
    _write(
        folder, "faces", ".obj", f"# a\no part\ng one\n{quads}f 1 2 3 4\nf -5/1/1 -4/2/1 -1//1\nf 1/1 3/2 5/1\ns off\n"
    )
    text, files = trimesh.exchange.obj.export_obj(_textured(_solid()), return_texture=True)
    _write(folder, "texture", ".obj", text)
    for name, data in files.items():
        (folder / "texture" / name).write_bytes(data)


def _glb(folder: Path) -> None:
    for name, solid in (("plain", _solid()), ("colours", _coloured(_solid())), ("texture", _textured(_solid()))):
        solid.apply_scale(0.001)
        _write(folder, name, ".glb", _exported(solid, "glb"))


def _step(folder: Path) -> None:
    for file in _STEPS.glob("*.step"):
        _write(folder, file.stem, ".step", file.read_bytes())
    shutil.copytree(_STEPS / "assembly", folder / "several")
    (folder / "several" / "assembly.step").rename(folder / "several" / "part.step")


def _parts(folder: Path) -> None:
    whole = """name: clamp
class_id: 0
mesh: clamp.stl
unit: mm
colour:
  - low: [55, 90, 30]
    high: [77, 255, 255]
symmetry:
  - {axis: [0, 0, 1], order: 4}
  - {axis: [1, 0, 0], order: 2}
point_of_interest: [0.0, 0.0, 0.008]
axis_of_interest: [0.0, 0.0, 1.0]
display_colour: [0.03, 0.45, 0.12]
"""
    for name, text in (("whole", whole), ("short", "name: clamp\nmesh: clamp.stl\n")):
        (folder / name).mkdir(parents=True)
        (folder / name / "clamp.yaml").write_text(text)
        (folder / name / "clamp.stl").write_bytes(_exported(_solid(), "stl"))


def _read_part(folder: Path) -> None:
    load_part_mesh(load_part(folder / "clamp.yaml"))


def _recipes(folder: Path) -> None:
    for file in sorted((_ROOT / "config" / "recipes").glob("*.yaml")):
        home = folder / file.stem
        _parts(home / "made")
        (home / "made" / "whole").rename(home / "parts")
        shutil.rmtree(home / "made")
        (home / "parts" / "clamp.yaml").rename(home / "parts" / "bracket.yaml")
        # What is built in is drawn once more at each reading.
        text = re.sub("built-in:(textures|environments|photographs)", "../image.png", file.read_text())
        Image.new("RGB", (640, 480)).save(home / "image.png")
        if file.stem == "composed":
            text = text.replace("../../runs/demo/sessions/train/labelled", "set").replace(
                "../../runs/demo/sessions/train/background.png", "background.png"
            )
            (home / "recipes").mkdir()
            pixels = np.full((30, 40, 3), 99, np.uint8)
            Dataset.create(home / "recipes" / "set", ["clamp"]).append(
                Sample("a", Path("a.png"), ImageSize(40, 30)), pixels
            )
            Image.fromarray(pixels).save(home / "recipes" / "background.png")
        (home / "recipes").mkdir(exist_ok=True)
        (home / "recipes" / "recipe.yaml").write_text(text)


def _read_recipe(folder: Path) -> None:
    read_recipe(folder / "recipes" / "recipe.yaml")
