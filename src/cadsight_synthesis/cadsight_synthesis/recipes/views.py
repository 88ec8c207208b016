"""The view sweep: each part alone, seen from all around (Morato, From CAD to classifier, section on the data set)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from numpy.typing import NDArray

from cadsight_synthesis.assets.pools import ImageEntry, sample_entry, sample_image
from cadsight_synthesis.assets.shape import shape_of
from cadsight_synthesis.recipes.base import QualityParameters, SceneRecipe
from cadsight_synthesis.recipes.scenery.looks import own_material
from cadsight_synthesis.recipes.scenery.placing import distance_that_fills, looking_at, on_sphere
from cadsight_synthesis.recipes.scenery.ranges import Span, check_section, sample_value
from cadsight_synthesis.rendering.scene import Body, Colour, Environment, Lamp, Scene, View


@dataclass(frozen=True)
class SweepParameters:
    """Angles of the camera about the part, degrees: first, last and step."""

    azimuth: Span = parameter((0.0, 360.0), "around the part's z axis", minimum=-360.0, maximum=360.0)
    elevation: Span = parameter((-40.0, 40.0), "above the part's xy plane", minimum=-90.0, maximum=90.0)
    tilt: Span = parameter((-15.0, 15.0), "about the camera's own axis", minimum=-180.0, maximum=180.0)
    azimuth_step: float = parameter(15.0, "step of the azimuth", minimum=0.1, maximum=360.0)
    elevation_step: float = parameter(15.0, "step of the elevation", minimum=0.1, maximum=180.0)
    tilt_step: float = parameter(15.0, "step of the tilt", minimum=0.1, maximum=360.0)

    def __post_init__(self) -> None:
        check_section(self)

    @property
    def angles(self) -> Array:
        """(N, 3) azimuth, elevation and tilt of all views; a full turn does not come twice."""
        azimuth = steps(self.azimuth, self.azimuth_step)
        if self.azimuth[1] - self.azimuth[0] >= 360:
            azimuth = azimuth[azimuth < self.azimuth[0] + 360 - 1e-9]
        grids = np.meshgrid(
            azimuth, steps(self.elevation, self.elevation_step), steps(self.tilt, self.tilt_step), indexing="ij"
        )
        return np.column_stack([g.ravel() for g in grids])


def steps(span: Span, step: float) -> NDArray[Any]:
    """From the first value by ``step`` up to the last, which is among them only where the steps meet it."""
    return span[0] + step * np.arange(0.0, int(np.floor((span[1] - span[0]) / step + 1e-9)) + 1)


@dataclass(frozen=True)
class BackgroundParameters:
    """What is seen behind the part."""

    colour: Colour = parameter((1.0, 1.0, 1.0), "red, green, blue, 0 to 1, linear", minimum=0.0, maximum=1.0)
    photographs: tuple[ImageEntry, ...] = parameter((), "pools of images shown instead of the colour")
    photograph_fraction: float = parameter(
        1.0,
        "fraction of the images that have a photograph, where there are any",
        minimum=0.0,
        maximum=1.0,
        earlier="photograph_share",
    )

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class ViewsRecipe(SceneRecipe):
    """A sweep of views. Images follow each other in a shuffled order, so that the first few go all around."""

    sweep: SweepParameters = parameter(SweepParameters(), "where the camera stands")
    fill: Span = parameter(
        (0.7, 0.85),
        "fraction of the image's shorter side that a sphere around the part covers",
        minimum=0.02,
        maximum=2.0,
    )
    background: BackgroundParameters = parameter(BackgroundParameters(), "what is seen behind the part")
    light: float = parameter(1.0, "brightness of the light", minimum=0.0, maximum=100.0)
    roughness: float = parameter(0.5, "of the part's surface", minimum=0.0, maximum=1.0)
    metallic: float = parameter(0.0, "of the part's surface", minimum=0.0, maximum=1.0)
    quality: QualityParameters = parameter(QualityParameters(ray_traced=False), "work that goes into an image")

    @property
    def images(self) -> int:
        """Images of the whole sweep of all parts."""
        return len(self.parts) * len(self.sweep.angles)


def scene(recipe: ViewsRecipe, number: int) -> Scene:
    """Scene ``number``: one part, the parts taking turns, and the next views of its sweep.

    After the last view of a sweep the next one begins, in another order and before other photographs.

    Raises:
        CadsightError: when the mesh cannot be read.
    """
    part = recipe.parts[number % len(recipe.parts)]
    shape = shape_of(part)
    angles = recipe.sweep.angles
    if not len(angles):
        raise CadsightError("the sweep has no view, expected at least one step")
    rng = recipe.generator(number)
    views = []
    first = number // len(recipe.parts) * recipe.views_per_scene
    for view_number in range(first, first + recipe.views_per_scene):
        order = recipe.generator(view_number // len(angles), part.class_id, 0x0D).permutation(len(angles))
        azimuth, elevation, tilt = (float(v) for v in angles[order[view_number % len(angles)]])
        camera = recipe.image.camera(rng)
        away = distance_that_fills(camera, shape.radius, sample_value(rng, recipe.fill))
        pose = looking_at(away * on_sphere(azimuth, elevation), (0.0, 0.0, 0.0), tilt)
        chosen = rng.uniform() < recipe.background.photograph_fraction
        photograph = sample_entry(rng, recipe.background.photographs) if recipe.background.photographs else None
        backdrop = sample_image(rng, photograph) if photograph is not None and chosen else None
        views.append(View(camera, pose, backdrop, recipe.background.colour, recipe.image.grey))
    material = own_material(part, shape, recipe.roughness, recipe.metallic)
    body = Body(part.name, shape.ply, shape.at(np.eye(3), (0.0, 0.0, 0.0)), material, part.class_id)
    lamps = tuple(
        Lamp("sun", tuple(on_sphere(azimuth, elevation).tolist()), energy * recipe.light, size=5.0)
        for azimuth, elevation, energy in ((40.0, 50.0, 1.3), (200.0, 30.0, 0.5))
    )
    return Scene(
        bodies=(body,),
        views=tuple(views),
        lamps=lamps,
        environment=Environment(0.45 * recipe.light),
        quality=recipe.quality.quality,
        seed=int(rng.integers(2**31)),
        record=recipe.record(number),
    )
