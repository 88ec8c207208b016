"""Domain randomisation (Eversberg and Lambrecht, Combining Synthetic Images and Deep Active Learning, section 3.1).

The options are those of the authors' program blender-gen, with lengths counted in diameters of the part so that one
recipe fits parts of any size.
"""

from dataclasses import dataclass

import numpy as np
from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_core.parts.part import Part
from numpy.random import Generator

from cadsight_synthesis.assets.pools import EnvironmentEntry, ImageEntry, MeshEntry, Source, sample_entry, sample_image
from cadsight_synthesis.assets.shape import Shape, shape_of
from cadsight_synthesis.recipes.base import ImageParameters, SceneRecipe
from cadsight_synthesis.recipes.scenery.looks import Look, sample_material
from cadsight_synthesis.recipes.scenery.placing import aimed, any_rotation, fraction_outside, looking_at, on_sphere
from cadsight_synthesis.recipes.scenery.ranges import Count, Span, check_section, sample_count, sample_value
from cadsight_synthesis.recipes.scenery.temperature import of_temperature
from cadsight_synthesis.rendering.scene import Body, Colour, Environment, Lamp, Scene, View


@dataclass(frozen=True)
class ShellParameters:
    """The shell around the parts on which the camera stands."""

    distance: Span = parameter(
        (1.8, 5.0), "from the parts' middle, in diameters of the largest", minimum=0.6, maximum=100.0
    )
    azimuth: Span = parameter((0.0, 360.0), "around z, degrees", minimum=-360.0, maximum=360.0)
    elevation: Span = parameter((-90.0, 90.0), "above the xy plane, degrees", minimum=-90.0, maximum=90.0)
    tilt: Span = parameter((-180.0, 180.0), "about the camera's axis, degrees", minimum=-180.0, maximum=180.0)
    aside: float = parameter(
        0.7, "how far from the image's middle the parts' middle may lie, 1 is its border", minimum=0.0, maximum=2.0
    )

    def __post_init__(self) -> None:
        check_section(self)


@dataclass(frozen=True)
class PlacementParameters:
    """How the parts of a scene lie."""

    count: Count = parameter((1, 1), "number of parts", minimum=1, maximum=50)
    apart: float = parameter(1.2, "distance between the parts, in diameters of the largest", minimum=0.0, maximum=20.0)
    turned: bool = parameter(True, "turned at random; false leaves them as in their CAD file")
    most_outside: float = parameter(
        0.3, "off-image filter: fraction of a part's box that may lie outside the image", minimum=0.0, maximum=1.0
    )

    def __post_init__(self) -> None:
        check_section(self)


@dataclass(frozen=True)
class DistractorParameters:
    """Things that are not wanted."""

    count: Count = parameter((0, 3), "number of distractors", minimum=0, maximum=50)
    meshes: tuple[MeshEntry, ...] = parameter((MeshEntry(Source("built-in:distractors")),), "pools of meshes")
    looks: tuple[Look, ...] = parameter((Look(Source("built-in:textures")),), "what they look like")
    size: Span = parameter((0.4, 1.2), "diameter, in diameters of the largest part", minimum=0.05, maximum=10.0)
    gap: Span = parameter(
        (0.0, 0.8), "free space between them and the parts, in diameters of the largest part", minimum=0.0, maximum=20.0
    )

    def __post_init__(self) -> None:
        check_section(self)


@dataclass(frozen=True)
class LampParameters:
    """Point lights around the parts."""

    count: Count = parameter((0, 2), "number of lamps", minimum=0, maximum=16)
    kelvin: Span = parameter((3000.0, 8000.0), "colour temperature", minimum=1000.0, maximum=40000.0)
    distance: Span = parameter((2.0, 6.0), "in diameters of the largest part", minimum=0.5, maximum=100.0)
    elevation: Span = parameter((0.0, 90.0), "above the xy plane, degrees", minimum=-90.0, maximum=90.0)
    brightness: Span = parameter(
        (0.2, 1.2),
        "of a white surface that faces the lamp at the parts' middle, 1 is white",
        minimum=0.0,
        maximum=100.0,
    )
    size: Span = parameter((0.05, 0.5), "radius, in diameters of the largest part", minimum=0.0, maximum=10.0)

    def __post_init__(self) -> None:
        check_section(self)


@dataclass(frozen=True)
class EnvironmentParameters:
    """Light from everywhere."""

    images: tuple[EnvironmentEntry, ...] = parameter(
        (EnvironmentEntry(Source("built-in:environments")),),
        "pools of HDR images; an empty list is even white light",
        earlier="pictures",
    )
    strength: Span = parameter((0.4, 1.4), "factor on the light", minimum=0.0, maximum=100.0)
    turn: Span = parameter((0.0, 360.0), "about z, degrees", minimum=-360.0, maximum=360.0)

    def __post_init__(self) -> None:
        check_section(self)


@dataclass(frozen=True)
class BehindParameters:
    """What is seen where nothing stands."""

    photographs: tuple[ImageEntry, ...] = parameter(
        (ImageEntry(Source("built-in:photographs")),),
        "pools of images; an empty list shows the environment or the colour",
    )
    colour: Colour | None = parameter(
        None, "red, green, blue, linear, where there is no photograph; without one the environment is seen"
    )

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class RandomisedRecipe(SceneRecipe):
    """Everything chosen at random."""

    image: ImageParameters = parameter(
        ImageParameters(field_of_view_deg=(35.0, 75.0), distortion=0.1, off_centre=0.02),
        "size and lens",
        earlier="picture",
    )
    shell: ShellParameters = parameter(ShellParameters(), "where the camera stands")
    placement: PlacementParameters = parameter(PlacementParameters(), "how the parts lie")
    looks: tuple[Look, ...] = parameter((Look(),), "what the parts look like")
    distractors: DistractorParameters = parameter(DistractorParameters(), "things that are not wanted")
    lamps: LampParameters = parameter(LampParameters(), "point lights")
    environment: EnvironmentParameters = parameter(EnvironmentParameters(), "light from everywhere")
    background: BehindParameters = parameter(BehindParameters(), "what is seen where nothing stands")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.looks:
            raise CadsightError("the pool looks is empty, expected at least one look of the parts")
        if self.distractors.count[1] and not (self.distractors.meshes and self.distractors.looks):
            raise CadsightError(
                "the distractors' pool of meshes or looks is empty, expected one where count is above 0"
            )


def scene(recipe: RandomisedRecipe, number: int) -> Scene:
    """Scene ``number``; sampled anew while a part is too far out of the image, at most ``tries`` times.

    Raises:
        CadsightError: naming the part that never came into view.
    """
    outside: dict[str, int] = {}
    for attempt in range(recipe.tries):
        rng = recipe.generator(number, attempt)
        sampled, lost = _sample_scene(recipe, number, rng)
        if lost is None:
            return sampled
        outside[lost] = outside.get(lost, 0) + 1
    name, count = max(outside.items(), key=lambda item: item[1])
    raise CadsightError(
        f"the part {name} never falls into view: in scene {number} of {recipe.name} it lay outside the image by more "
        f"than {recipe.placement.most_outside:g} of its box in {count} of {recipe.tries} tries; bring shell.aside "
        "down, or shell.distance or placement.most_outside up"
    )


def _sample_scene(recipe: RandomisedRecipe, number: int, rng: Generator) -> tuple[Scene, str | None]:
    """A scene, and the name of a part that is not enough in view."""
    chosen = [
        recipe.parts[int(rng.integers(len(recipe.parts)))] for _ in range(sample_count(rng, recipe.placement.count))
    ]
    shapes = [shape_of(part) for part in chosen]
    unit = 2 * max(shape.radius for shape in shapes)
    bodies = _parts(recipe, chosen, shapes, unit, rng)
    reach = float(
        max(np.linalg.norm(b.world_from_body.apply(s.middle)) + s.radius for b, s in zip(bodies, shapes, strict=True))
    )
    views = tuple(_view(recipe, unit, reach, rng) for _ in range(recipe.views_per_scene))
    lost = next(
        (
            part.name
            for view in views
            for part, shape, body in zip(chosen, shapes, bodies, strict=False)
            if fraction_outside(shape, view.camera, view.world_from_camera.inverse() @ body.world_from_body)
            > recipe.placement.most_outside
        ),
        None,
    )
    entry = sample_entry(rng, recipe.environment.images) if recipe.environment.images else None
    sampled = Scene(
        bodies=(*bodies, *_distractors(recipe.distractors, unit, reach, views, rng)),
        views=views,
        lamps=_lamps(recipe.lamps, unit, rng),
        environment=Environment(
            sample_value(rng, recipe.environment.strength),
            image=sample_image(rng, entry) if entry is not None else None,
            turn_deg=sample_value(rng, recipe.environment.turn),
        ),
        quality=recipe.quality.quality,
        seed=int(rng.integers(2**31)),
        record=recipe.record(number),
    )
    return sampled, lost


def _parts(
    recipe: RandomisedRecipe, chosen: list[Part], shapes: list[Shape], unit: float, rng: Generator
) -> list[Body]:
    """Parts side by side about the origin, none in another."""
    positions = _scattered(len(chosen), recipe.placement.apart * unit, rng)
    bodies = []
    for i, (part, shape) in enumerate(zip(chosen, shapes, strict=True)):
        rotation = any_rotation(rng) if recipe.placement.turned else np.eye(3)
        material = sample_material(rng, recipe.looks, part.display_colour, shape.coloured)
        bodies.append(Body(f"{part.name}-{i}", shape.ply, shape.at(rotation, positions[i]), material, part.class_id))
    return bodies


def _scattered(count: int, apart: float, rng: Generator) -> Array:
    """(N, 3) positions about the origin, at least ``apart`` from each other: a jittered grid's nearest to it."""
    if count == 1:
        return np.zeros((1, 3))
    side = int(np.ceil(count ** (1 / 3))) + 1
    grid = np.stack(np.meshgrid(*[np.arange(side) - (side - 1) / 2] * 3), axis=-1).reshape(-1, 3) @ any_rotation(rng).T
    nearest = grid[np.argsort(np.linalg.norm(grid, axis=1), kind="stable")[:count]] * apart
    return nearest - nearest.mean(axis=0)


def _distractors(
    d: DistractorParameters, unit: float, reach: float, views: tuple[View, ...], rng: Generator
) -> list[Body]:
    """Things around the parts, none in them; what would stand in a camera is left out."""
    bodies = []
    for i in range(sample_count(rng, d.count)):
        entry = sample_entry(rng, d.meshes)
        # Few sizes, so that the cache holds few files.
        size = float(np.linspace(*d.size, 9)[int(rng.integers(9))])
        shape = entry.shape(sample_image(rng, entry), size * unit)
        away = reach + shape.radius + sample_value(rng, d.gap) * unit
        position = away * on_sphere(rng.uniform(0, 360), float(np.rad2deg(np.arcsin(rng.uniform(-1, 1)))))
        pose, material = shape.at(any_rotation(rng), position), sample_material(rng, d.looks)
        free = min(float(np.linalg.norm(v.world_from_camera.translation - position)) for v in views)
        if free > 1.5 * shape.radius:
            bodies.append(Body(f"distractor-{i}", shape.ply, pose, material))
    return bodies


def _view(recipe: RandomisedRecipe, unit: float, reach: float, rng: Generator) -> View:
    shell, camera = recipe.shell, recipe.image.camera(rng)
    # Outside all parts, however near the shell is.
    away = max(sample_value(rng, shell.distance) * unit, 1.05 * reach)
    low, high = np.sin(np.deg2rad(shell.elevation))
    elevation = float(np.rad2deg(np.arcsin(np.clip(rng.uniform(low, high), -1, 1))))
    pose = looking_at(
        away * on_sphere(sample_value(rng, shell.azimuth), elevation), (0.0, 0.0, 0.0), sample_value(rng, shell.tilt)
    )
    half = np.array([camera.size.width, camera.size.height]) / 2
    pixel = half - 0.5 + rng.uniform(-1, 1, 2) * shell.aside * half
    pools = recipe.background.photographs
    backdrop = sample_image(rng, sample_entry(rng, pools)) if pools else None
    return View(camera, aimed(pose, camera, pixel), backdrop, recipe.background.colour, recipe.image.grey)


def _lamps(p: LampParameters, unit: float, rng: Generator) -> tuple[Lamp, ...]:
    lamps = []
    for _ in range(sample_count(rng, p.count)):
        away = sample_value(rng, p.distance) * unit
        position = away * on_sphere(rng.uniform(0, 360), sample_value(rng, p.elevation))
        # A point of P watts lights a surface at r with P / (4 pi r^2), of which a white one sends back 1 / pi.
        energy = sample_value(rng, p.brightness) * 4 * np.pi**2 * away**2
        colour = of_temperature(sample_value(rng, p.kelvin))
        lamps.append(Lamp("point", tuple(position.tolist()), float(energy), colour, sample_value(rng, p.size) * unit))
    return tuple(lamps)
