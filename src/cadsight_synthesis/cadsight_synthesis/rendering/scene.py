"""A scene with nothing left to chance: what an engine draws, and all that it may know.

A scene says where everything is, what it looks like and from where it is seen. Whatever was random or settled by
physics is in it as a number, so that the same scene gives the same images from the same engine.
Positions are in metres in the scene's world, z up; colours are linear, 0 to 1.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from cadsight_core.camera import Camera
from cadsight_core.geometry import Pose
from numpy.typing import NDArray

Colour: TypeAlias = tuple[float, float, float]
LampKind: TypeAlias = Literal["point", "area", "sun"]


@dataclass(frozen=True)
class Material:
    """What a surface looks like.

    Attributes:
        colour: base colour, multiplied with the texture where there is one.
        texture: image laid over the surface, projected from the sides of the body's box.
        texture_size_m: width that the texture covers once, in metres.
        painted: the colours of the mesh's own vertices, in place of a texture, multiplied with ``colour``.
    """

    colour: Colour = (0.8, 0.8, 0.8)
    roughness: float = 0.5
    metallic: float = 0.0
    texture: Path | None = None
    texture_size_m: float = 0.1
    painted: bool = False


@dataclass(frozen=True, eq=False)
class Body:
    """A thing in the scene.

    Attributes:
        name: unique in its scene.
        mesh: triangles in metres, as PLY.
        world_from_body: where it is.
        class_id: what it is labelled as; None for a distractor, an occluder or the table.
    """

    name: str
    mesh: Path
    world_from_body: Pose
    material: Material = Material()
    class_id: int | None = None


@dataclass(frozen=True)
class Lamp:
    """A light at ``position``; an area or a sun shines towards ``target``.

    Attributes:
        energy: radiant power in watts; of a sun, irradiance in watts a square metre.
        size: side of an area in metres, radius of a point's sphere in metres, angle of a sun in degrees.
    """

    kind: LampKind
    position: Colour
    energy: float
    colour: Colour = (1.0, 1.0, 1.0)
    size: float = 0.1
    target: Colour = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Environment:
    """Light from everywhere: an HDR image turned by ``turn_deg`` about z, or one colour, times ``strength``."""

    strength: float = 1.0
    colour: Colour = (1.0, 1.0, 1.0)
    image: Path | None = None
    turn_deg: float = 0.0


@dataclass(frozen=True, eq=False)
class View:
    """One image of the scene.

    Attributes:
        camera: lens and size; its distortion is in the image and in the labels.
        world_from_camera: pose of the optical frame (x right, y down, z forward).
        backdrop: image seen where nothing stands; None shows ``backdrop_colour``.
        grey: three equal channels.
    """

    camera: Camera
    world_from_camera: Pose
    backdrop: Path | None = None
    backdrop_colour: Colour | None = None
    grey: bool = False


@dataclass(frozen=True)
class Quality:
    """How much work an engine puts into an image; what an engine does not know it ignores."""

    samples: int = 4
    bounces: int = 2
    denoise: bool = True
    shadows: bool = True
    ray_traced: bool = True


@dataclass(frozen=True, eq=False)
class Scene:
    """Bodies, light and the views of them.

    Attributes:
        seed: of the engine's own noise.
        record: what made the scene, kept in the samples.
    """

    bodies: tuple[Body, ...]
    views: tuple[View, ...]
    lamps: tuple[Lamp, ...] = ()
    environment: Environment = Environment()
    quality: Quality = Quality()
    seed: int = 0
    record: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Rendering:
    """What an engine answers for one view, all in the view's pixels with its distortion.

    Attributes:
        image: (H, W, 3) RGB.
        index: (H, W) position in ``scene.bodies`` of the body that the pixel's centre shows, -1 for none.
        depth: (H, W) metres along the optical axis, infinite where nothing stands.
    """

    image: NDArray[np.uint8]
    index: NDArray[np.int16]
    depth: NDArray[np.float32]


class Engine(Protocol):
    """Draws scenes; one belongs to one process and one thread."""

    name: str

    def render(self, scene: Scene) -> list[Rendering]:
        """One rendering for each view, in their order.

        Raises:
            CadsightError: for a mesh, texture or backdrop that cannot be used, or an engine that stopped.
        """
        ...

    def close(self) -> None:
        """Give processes and memory back."""
        ...
