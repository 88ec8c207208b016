"""A scene as the Blender program reads it."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from cadsight_core.camera import Camera
from cadsight_core.geometry import Pose
from cadsight_core.imaging.lens import Lens

from cadsight_synthesis.rendering.scene import Body, Environment, Lamp, Quality, Scene, View


def is_transparent(view: View) -> bool:
    """Whether something else than the environment is seen where nothing stands."""
    return view.backdrop is not None or view.backdrop_colour is not None


@lru_cache(maxsize=16)
def lens_of(camera: Camera) -> Lens:
    """What bends the pinhole's image into the camera's."""
    return Lens(camera)


def scene_to_json(scene: Scene) -> dict[str, Any]:
    """The scene as ``blender/protocol.md`` describes it."""
    return {
        "bodies": [_body_to_json(body) for body in scene.bodies],
        "views": [_view_to_json(view) for view in scene.views],
        "lamps": [_lamp_to_json(lamp) for lamp in scene.lamps],
        "environment": _environment_to_json(scene.environment),
        "quality": _quality_to_json(scene.quality),
        "seed": scene.seed,
    }


def _body_to_json(body: Body) -> dict[str, Any]:
    look = body.material
    return {
        "mesh": _file(body.mesh),
        "world_from_body": _matrix(body.world_from_body),
        "material": {
            "colour": _numbers(look.colour),
            "roughness": float(look.roughness),
            "metallic": float(look.metallic),
            "texture": _file(look.texture),
            "texture_size_m": float(look.texture_size_m),
            "painted": bool(look.painted),
        },
    }


def _view_to_json(view: View) -> dict[str, Any]:
    camera = view.camera
    if camera.distortion:
        lens = lens_of(camera)
        width, height, fx, fy = lens.width, lens.height, lens.focal, lens.focal
        cx, cy = (lens.width - 1) / 2, (lens.height - 1) / 2
    else:
        width, height = camera.size.width, camera.size.height
        fx, fy, cx, cy = camera.fx, camera.fy, camera.cx, camera.cy
    pinhole = {"fx": fx, "fy": fy, "cx": cx, "cy": cy}
    return {
        "camera": {"width": width, "height": height, **{name: float(value) for name, value in pinhole.items()}},
        "world_from_camera": _matrix(view.world_from_camera),
        "transparent": is_transparent(view),
    }


def _lamp_to_json(lamp: Lamp) -> dict[str, Any]:
    return {
        "kind": lamp.kind,
        "position": _numbers(lamp.position),
        "target": _numbers(lamp.target),
        "energy": float(lamp.energy),
        "colour": _numbers(lamp.colour),
        "size": float(lamp.size),
    }


def _environment_to_json(environment: Environment) -> dict[str, Any]:
    return {
        "strength": float(environment.strength),
        "colour": _numbers(environment.colour),
        "image": _file(environment.image),
        "turn_deg": float(environment.turn_deg),
    }


def _quality_to_json(quality: Quality) -> dict[str, Any]:
    return {
        "samples": int(quality.samples),
        "bounces": int(quality.bounces),
        "denoise": bool(quality.denoise),
        "shadows": bool(quality.shadows),
        "ray_traced": bool(quality.ray_traced),
    }


def _file(path: Path | None) -> str | None:
    return None if path is None else str(Path(path).resolve())


def _matrix(pose: Pose) -> list[list[float]]:
    rows: list[list[float]] = pose.matrix.tolist()
    return rows


def _numbers(values: Any) -> list[float]:
    return [float(value) for value in values]
