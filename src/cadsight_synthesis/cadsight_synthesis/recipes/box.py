"""Parts in a box under a camera (Comillas, Comparative analysis of real and synthetic datasets, section 3.4).

Parts fall into a box by rigid-body physics, or are held up to the camera as the cell does it. Camera, light and the
parts' colour are the recipe's, or those of a captured session, which makes the synthetic cell a twin of the real one.
The world is the robot's base_link where there is a session; without one the box stands under the origin.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from cadsight_core.camera import Camera
from cadsight_core.config.parameters import parameter
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, Pose, unit
from cadsight_core.parts.mesh import Mesh
from cadsight_core.parts.part import Part
from numpy.random import Generator
from scipy.spatial.transform import Rotation

from cadsight_synthesis.assets.cache import ply_of
from cadsight_synthesis.assets.pools import MeshEntry, Source, sample_entry, sample_image
from cadsight_synthesis.assets.shape import Shape, shape_of
from cadsight_synthesis.physics.parameters import DropParameters
from cadsight_synthesis.recipes.base import SceneRecipe
from cadsight_synthesis.recipes.scenery.lighting import TableLight, light_of_table
from cadsight_synthesis.recipes.scenery.looks import Look, sample_material
from cadsight_synthesis.recipes.scenery.placing import fraction_outside
from cadsight_synthesis.recipes.scenery.ranges import Count, Span, check_section, sample_count, sample_value
from cadsight_synthesis.recipes.scenery.session import Session, read_session
from cadsight_synthesis.recipes.scenery.temperature import of_temperature
from cadsight_synthesis.rendering.scene import Body, Colour, Environment, Lamp, Material, Scene, View

_TABLE_M, _TABLE_THICK_M = 4.0, 0.02
_PLATE_THICK_M = 0.006
# Of a part that is held as a captured one was, about its position there.
_HELD_SPREAD_M = 0.02
_WHITE = 0.9  # what a white surface sends back


@dataclass(frozen=True)
class BoxParameters:
    """The box on its table."""

    length_m: float = parameter(0.4, "inner length, along the image's width", minimum=0.01, maximum=2.0)
    width_m: float = parameter(0.3, "inner width", minimum=0.01, maximum=2.0)
    height_m: float = parameter(0.06, "height of the walls; 0 is a bare table", minimum=0.0, maximum=1.0)
    wall_m: float = parameter(0.005, "thickness of the walls", minimum=0.0005, maximum=0.1)
    floor_m: float | None = parameter(
        None, "height of its floor in the world; left out, where a session's parts were held, else 0"
    )
    looks: tuple[Look, ...] = parameter((Look(colour=(0.9, 0.9, 0.9)),), "what box and table look like")

    def __post_init__(self) -> None:
        check_section(self)
        if not self.looks:
            raise CadsightError("the pool looks is empty, expected at least one look of the box")


@dataclass(frozen=True)
class HeldParameters:
    """Parts that are held up to the camera, as by the arm, instead of dropped."""

    fraction: float = parameter(
        0.0, "fraction of the scenes in which parts are held", minimum=0.0, maximum=1.0, earlier="share"
    )
    count: Count = parameter((1, 1), "number of parts", minimum=1, maximum=20)
    tilt_deg: Span = parameter(
        (0.0, 30.0), "angle between the axis of interest and straight up", minimum=0.0, maximum=180.0
    )
    turn_deg: Span = parameter((0.0, 360.0), "about the axis of interest", minimum=-360.0, maximum=360.0)
    height_m: Span = parameter((0.0, 0.1), "free space under the part and its plate", minimum=0.0, maximum=2.0)
    as_captured_deg: float | None = parameter(
        None,
        "with a session of labelled images: hold each part as one of those was held, turned by up to this about any "
        "axis; left out, tilt_deg, turn_deg and height_m say how",
        minimum=0.0,
        maximum=180.0,
    )
    plate_m: float = parameter(0.08, "radius of the white plate behind the part, 0 for none", minimum=0.0, maximum=1.0)

    def __post_init__(self) -> None:
        check_section(self)


@dataclass(frozen=True)
class ClutterParameters:
    """Things that are not wanted and fall with the parts."""

    count: Count = parameter((0, 0), "number of bodies", minimum=0, maximum=50)
    meshes: tuple[MeshEntry, ...] = parameter((MeshEntry(Source("built-in:distractors")),), "pools of meshes")
    looks: tuple[Look, ...] = parameter((Look(colour=(0.35, 0.37, 0.4), spread=0.6),), "what they look like")
    size: Span = parameter((0.5, 1.5), "diameter, in diameters of the largest part", minimum=0.05, maximum=10.0)

    def __post_init__(self) -> None:
        check_section(self)
        if self.count[1] and not (self.meshes and self.looks):
            raise CadsightError("the clutter's pool of meshes or looks is empty, expected one where count is above 0")


@dataclass(frozen=True)
class CameraParameters:
    """Where the camera hangs; with a session its pose comes from there and only the spreads are used."""

    height_m: float = parameter(0.55, "above the floor, looking straight down", minimum=0.02, maximum=10.0)
    spread_m: float = parameter(0.01, "how far it may hang from there, along each axis", minimum=0.0, maximum=1.0)
    tilt_deg: float = parameter(2.0, "how far it may tilt about each axis", minimum=0.0, maximum=60.0)

    def __post_init__(self) -> None:
        check_section(self)


@dataclass(frozen=True)
class BoxLightParameters:
    """Lamp and light from everywhere; with a session they are found in its background image."""

    ambient: Span = parameter((0.25, 0.4), "brightness of white in light from everywhere", minimum=0.0, maximum=20.0)
    direct: Span = parameter((0.3, 0.5), "brightness that the lamp adds at the box", minimum=0.0, maximum=20.0)
    distance_m: Span = parameter((0.9, 1.6), "of the lamp from the box", minimum=0.05, maximum=20.0)
    elevation_deg: Span = parameter((45.0, 85.0), "of the lamp above the table", minimum=5.0, maximum=90.0)
    kelvin: Span = parameter((4500.0, 7500.0), "colour temperature of the lamp", minimum=1000.0, maximum=40000.0)
    size_m: Span = parameter((0.05, 0.3), "side of the lamp: small ones throw hard shadows", minimum=0.001, maximum=5.0)
    variation: float = parameter(
        0.1, "with a session: how far brightness varies, and the lamp's position as a fraction of its distance",
        minimum=0.0, maximum=1.0,
    )  # fmt: skip

    def __post_init__(self) -> None:
        check_section(self)


@dataclass(frozen=True)
class BoxRecipe(SceneRecipe):
    """Parts in a box."""

    from_session: Source | None = parameter(
        None, "folder of a captured session, relative to the recipe: camera, light, colour and height come from it"
    )
    count: Count = parameter((1, 6), "parts that are dropped", minimum=1, maximum=200)
    box: BoxParameters = parameter(BoxParameters(), "the box")
    drop: DropParameters = parameter(DropParameters(), "how things fall")
    held: HeldParameters = parameter(HeldParameters(), "parts held up to the camera instead")
    clutter: ClutterParameters = parameter(ClutterParameters(), "things that are not wanted")
    looks: tuple[Look, ...] = parameter((Look(spread=0.1),), "what the parts look like")
    camera: CameraParameters = parameter(CameraParameters(), "where the camera hangs")
    light: BoxLightParameters = parameter(BoxLightParameters(), "light")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.looks:
            raise CadsightError("the pool looks is empty, expected at least one look of the parts")

    def checks(self) -> dict[str, Callable[[], object]]:
        return {"from_session": lambda: self.session}

    @property
    def session(self) -> Session | None:
        return read_session(self.from_session.name) if self.from_session is not None else None


def scene(recipe: BoxRecipe, number: int) -> Scene:
    """Scene ``number``; sampled anew while a part falls out of the box or out of view, at most ``tries`` times.

    Raises:
        CadsightError: naming the part that most often would not stay, and why.
    """
    reasons: Counter[str] = Counter()
    for attempt in range(recipe.tries):
        sampled = _sample_scene(recipe, number, recipe.generator(number, attempt))
        if isinstance(sampled, Scene):
            return sampled
        reasons[sampled] += 1
    reason, count = reasons.most_common(1)[0]
    raise CadsightError(
        f"scene {number} of {recipe.name} was given up after {recipe.tries} tries: {reason} in {count} of them; "
        "expected a larger box, fewer parts or a camera that sees it"
    )


@dataclass(frozen=True, eq=False)
class _Site:
    """Where the box stands.

    Attributes:
        world_from_room: of the box; held parts are above its floor.
        world_from_table: below the camera, too; apart from the room's where a session's parts were held over a table.
        light: of the session's table, where there is a session with an image of it.
    """

    world_from_room: Pose
    world_from_table: Pose
    camera: Camera
    world_from_camera: Pose
    light: TableLight | None = None

    def nearness(self) -> float:
        """Brightness of the session's white table as a fraction of what it would have where parts were held."""
        if self.light is None:
            return 1.0
        ambient, direct, lamp = self.light.ambient.mean(), self.light.direct.mean(), self.light.position
        far, near = (float(np.linalg.norm(lamp - p)) for p in (self.light.middle, self.world_from_room.translation))
        return float((ambient + direct) / (ambient + direct * (far / near) ** 2))


def _sample_scene(recipe: BoxRecipe, number: int, rng: Generator) -> Scene | str:
    """A scene, or why it cannot be used."""
    # Brings MuJoCo with it, which a recipe is read without.
    from cadsight_synthesis.physics.drop import Room, drop

    held = bool(rng.uniform() < recipe.held.fraction)
    site = _site(recipe, held, rng)
    count = sample_count(rng, recipe.held.count if held else recipe.count)
    parts = [recipe.parts[int(rng.integers(len(recipe.parts)))] for _ in range(count)]
    shapes = [shape_of(part) for part in parts]
    clutter = _clutter(recipe.clutter, 2 * max(s.radius for s in shapes), rng)
    room = Room(recipe.box.length_m, recipe.box.width_m, 0.0 if held else recipe.box.height_m)
    falling = [*([] if held else shapes), *(shape for shape, _ in clutter)]
    landings = drop(falling, room, recipe.drop, rng)
    for part, landing in zip(parts if not held else [], landings, strict=False):
        if landing.trouble:
            return f"the part {part.name} {landing.trouble}"
    plates: list[Body] = []
    if held:
        found = _hold(recipe, parts, shapes, site, rng)
        if isinstance(found, str):
            return found
        poses, plates = found
    else:
        poses = [site.world_from_room @ landing.pose for landing in landings[: len(parts)]]

    # What a session's image shows of a colour is brighter the nearer the part was to the lamp.
    own = (
        {k: _colour(_WHITE * site.nearness() * np.asarray(v)) for k, v in recipe.session.colours.items()}
        if recipe.session
        else {}
    )
    bodies = [
        Body(
            f"{p.name}-{i}",
            s.ply,
            pose,
            sample_material(rng, recipe.looks, own.get(p.class_id, p.display_colour), s.coloured),
            p.class_id,
        )
        for i, (p, s, pose) in enumerate(zip(parts, shapes, poses, strict=True))
    ]
    views = tuple(_view(recipe, site, rng) for _ in range(recipe.views_per_scene))
    unseen = _unseen(parts, shapes, poses, views)
    if unseen is not None:
        return f"the part {unseen} never falls into view"
    rest = [
        Body(f"clutter-{i}", shape.ply, site.world_from_table @ landing.pose, material)
        for i, ((shape, material), landing) in enumerate(
            zip(clutter, landings[len(falling) - len(clutter) :], strict=True)
        )
        if not landing.trouble
    ]
    lamps, environment = _light(recipe, site, rng)
    return Scene(
        bodies=(*bodies, *plates, *rest, *_furniture(recipe, site, held, rng)),
        views=views,
        lamps=lamps,
        environment=environment,
        quality=recipe.quality.quality,
        seed=int(rng.integers(2**31)),
        record=recipe.record(number),
    )


def _site(recipe: BoxRecipe, held: bool, rng: Generator) -> _Site:
    session = recipe.session
    if session is None:
        floor = recipe.box.floor_m or 0.0
        # The image's right is the world's x, its upper edge the world's y.
        down = np.diag([1.0, -1.0, -1.0])
        above = Pose(down, np.array([0.0, 0.0, floor + recipe.camera.height_m]))
        room = Pose(np.eye(3), np.array([0.0, 0.0, floor]))
        return _Site(room, room, recipe.image.camera(rng), above)
    camera, pose = session.cameras[int(rng.integers(len(session.cameras)))]
    floor = recipe.box.floor_m if recipe.box.floor_m is not None else _held_height(recipe, session)
    axis = pose.rotation[:, 2]
    if axis[2] > -0.2 or floor >= pose.translation[2]:
        raise CadsightError(
            f"the camera of {session.folder} does not look down on a floor at {floor:g} m, expected one that does"
        )
    along = unit(pose.rotation[:, 0] * (1.0, 1.0, 0.0))
    level = np.column_stack([along, np.cross((0.0, 0.0, 1.0), along), (0.0, 0.0, 1.0)])
    # Where the camera looks, at a box's floor, and at the table that the robot stands on.
    room, table = (Pose(level, pose.translation + axis * (z - pose.translation[2]) / axis[2]) for z in (floor, 0.0))
    light = _table_light(str(session.folder)) if held else None
    return _Site(room, table if held else room, camera.resized(recipe.image.size), pose, light)


@lru_cache(maxsize=4)
def _table_light(folder: str) -> TableLight | None:
    session = read_session(folder)
    return light_of_table(session.background, *session.cameras[0]) if session.background is not None else None


def _held_height(recipe: BoxRecipe, session: Session) -> float:
    """Where the floor must be for parts that stand on it to be as far from the camera as those of the session."""
    heights = [
        pose.apply(shape_of(part).middle)[2] - shape_of(part).mesh.extents.min() / 2
        for part in recipe.parts
        for pose in session.poses.get(part.class_id, ())
    ]
    return float(np.mean(heights)) if heights else 0.0


def _view(recipe: BoxRecipe, site: _Site, rng: Generator) -> View:
    p = recipe.camera
    turn = Pose.from_rotvec(np.deg2rad(p.tilt_deg) * rng.uniform(-1, 1, 3))
    shift = Pose(np.eye(3), p.spread_m * rng.uniform(-1, 1, 3))
    # Turned about where it looks, so that a tilt does not lose the box.
    away = float(np.linalg.norm(site.world_from_room.translation - site.world_from_camera.translation))
    pivot = Pose(np.eye(3), np.array([0.0, 0.0, away]))
    pose = site.world_from_camera @ pivot @ turn @ pivot.inverse() @ shift
    camera = site.camera if recipe.session is not None else recipe.image.camera(rng)
    return View(camera, pose, None, (_WHITE, _WHITE, _WHITE), recipe.image.grey)


def _unseen(parts: list[Part], shapes: list[Shape], poses: list[Pose], views: tuple[View, ...]) -> str | None:
    """The name of a part that no view shows by half."""
    for part, shape, pose in zip(parts, shapes, poses, strict=True):
        if all(fraction_outside(shape, v.camera, v.world_from_camera.inverse() @ pose) > 0.5 for v in views):
            return part.name
    return None


def _clutter(p: ClutterParameters, unit_m: float, rng: Generator) -> list[tuple[Shape, Material]]:
    found = []
    for _ in range(sample_count(rng, p.count)):
        entry = sample_entry(rng, p.meshes)
        path, size = sample_image(rng, entry), float(np.linspace(*p.size, 5)[int(rng.integers(5))])
        found.append((entry.shape(path, size * unit_m), sample_material(rng, p.looks)))
    return found


def _hold(
    recipe: BoxRecipe, parts: list[Part], shapes: list[Shape], site: _Site, rng: Generator
) -> tuple[list[Pose], list[Body]] | str:
    """Poses in the world, and the plates behind the parts."""
    p, poses, plates, taken = recipe.held, [], [], list[tuple[Array, float]]()
    for i, (part, shape) in enumerate(zip(parts, shapes, strict=True)):
        plate = _plate(p.plate_m, part, shape) if p.plate_m > 0 else None
        pose = (
            _above_floor(recipe, part, shape, plate, site, taken, rng)
            if p.as_captured_deg is None
            else _as_captured(recipe, p.as_captured_deg, part, shape, taken, rng)
        )
        if pose is None:
            return f"the part {part.name} found no place beside the others"
        poses.append(pose)
        if plate is not None:
            plates.append(Body(f"plate-{i}", ply_of(plate), pose, Material((_WHITE * site.nearness(),) * 3, 0.6)))
    return poses, plates


def _above_floor(
    recipe: BoxRecipe,
    part: Part,
    shape: Shape,
    plate: Mesh | None,
    site: _Site,
    taken: list[tuple[Array, float]],
    rng: Generator,
) -> Pose | None:
    """A pose beside those ``taken`` (position and radius each), which it is added to; None where none is free."""
    p, reach = recipe.held, max(shape.radius, recipe.held.plate_m)
    spare = np.maximum(np.array([recipe.box.length_m, recipe.box.width_m]) / 2 - shape.radius, 0)
    for _ in range(50):
        position = np.array([*(rng.uniform(-1, 1, 2) * spare), 0.0])
        if _is_free(position, reach, taken):
            break
    else:
        return None
    rotation = _upright(part, sample_value(rng, p.tilt_deg), rng.uniform(0, 360), sample_value(rng, p.turn_deg))
    standing = shape.at(rotation, position)
    corners = shape.mesh.vertices if plate is None else np.vstack([shape.mesh.vertices, plate.vertices])
    lift = sample_value(rng, p.height_m) - float(standing.apply(corners)[:, 2].min())
    return site.world_from_room @ Pose(np.eye(3), np.array([0.0, 0.0, lift])) @ standing


def _as_captured(
    recipe: BoxRecipe, turn_deg: float, part: Part, shape: Shape, taken: list[tuple[Array, float]], rng: Generator
) -> Pose | None:
    """As :func:`_above_floor`, one of the session's poses, turned and shifted a little."""
    reach = max(shape.radius, recipe.held.plate_m)
    captured = recipe.session.poses.get(part.class_id, ()) if recipe.session is not None else ()
    if not captured:
        raise CadsightError(
            f"held.as_captured_deg asks for the poses of the part {part.name} in a session, expected from_session with "
            "labelled images of it"
        )
    for _ in range(50):
        pose = captured[int(rng.integers(len(captured)))]
        turn = Rotation.from_rotvec(np.deg2rad(turn_deg) * rng.uniform(-1, 1, 3) / np.sqrt(3)).as_matrix()
        position = pose.apply(shape.middle) + _HELD_SPREAD_M * rng.uniform(-1, 1, 3)
        if _is_free(position, reach, taken):
            return shape.at(turn @ pose.rotation, position)
    return None


def _is_free(position: Array, reach: float, taken: list[tuple[Array, float]]) -> bool:
    """Whether nothing is near ``position`` (3,), which is taken then."""
    if any(float(np.linalg.norm(position - other)) <= reach + theirs for other, theirs in taken):
        return False
    taken.append((position, reach))
    return True


def _upright(part: Part, tilt_deg: float, towards_deg: float, turn_deg: float) -> Array:
    """Rotation that brings the axis of interest up, turned about it, then tilts it towards a direction."""
    axis = np.asarray(part.axis_of_interest)
    up, _ = Rotation.align_vectors([[0.0, 0.0, 1.0]], [axis])
    direction = np.deg2rad(towards_deg)
    tilt = Rotation.from_rotvec(np.deg2rad(tilt_deg) * np.array([-np.sin(direction), np.cos(direction), 0.0]))
    return (tilt * Rotation.from_euler("z", turn_deg, degrees=True) * up).as_matrix()


def _plate(radius: float, part: Part, shape: Shape) -> Mesh:
    """A disc in the part's frame that the part stands on, its back to the axis of interest."""
    axis = np.asarray(part.axis_of_interest)
    lowest = float((shape.mesh.vertices @ axis).min())
    foot = shape.middle + axis * (lowest - shape.middle @ axis - _PLATE_THICK_M / 2 - 1e-4)
    up, _ = Rotation.align_vectors([axis], [[0.0, 0.0, 1.0]])
    disc = trimesh.creation.cylinder(radius, _PLATE_THICK_M, sections=96)
    return Mesh(up.apply(disc.vertices) + foot, np.asarray(disc.faces, np.int64))


def _furniture(recipe: BoxRecipe, site: _Site, held: bool, rng: Generator) -> list[Body]:
    """The table, and the box where parts fell into one."""
    b, make = recipe.box, trimesh.creation.box
    material = sample_material(rng, b.looks, (_WHITE,) * 3)
    table = make((_TABLE_M, _TABLE_M, _TABLE_THICK_M))
    table.apply_translation((0, 0, -_TABLE_THICK_M / 2))
    bodies = [Body("table", _ply(table), site.world_from_table, material)]
    if held or b.height_m <= 0:
        return bodies
    long, wide = b.length_m / 2 + b.wall_m / 2, b.width_m / 2 + b.wall_m / 2
    walls = []
    for sign in (-1, 1):
        end = make((b.wall_m, b.width_m + 2 * b.wall_m, b.height_m))
        end.apply_translation((sign * long, 0, b.height_m / 2))
        side = make((b.length_m, b.wall_m, b.height_m))
        side.apply_translation((0, sign * wide, b.height_m / 2))
        walls += [end, side]
    return [*bodies, Body("box", _ply(trimesh.util.concatenate(walls)), site.world_from_room, material)]


def _ply(mesh: Any) -> Path:
    return ply_of(Mesh(np.asarray(mesh.vertices, float), np.asarray(mesh.faces, np.int64)))


def _light(recipe: BoxRecipe, site: _Site, rng: Generator) -> tuple[tuple[Lamp, ...], Environment]:
    p, lit = recipe.light, site.world_from_table.translation
    found = _table_light(str(recipe.session.folder)) if recipe.session is not None else None
    if found is not None:
        vary = lambda: 1 + p.variation * rng.uniform(-1, 1)  # noqa: E731
        away = found.position - found.middle
        position = found.position + p.variation * float(np.linalg.norm(away)) * rng.uniform(-1, 1, 3)
        ambient, direct = found.ambient * vary(), found.direct * vary()
    else:
        azimuth, elevation = rng.uniform(0, 2 * np.pi), np.deg2rad(sample_value(rng, p.elevation_deg))
        flat = np.cos(elevation)
        direction = np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)])
        position = lit + direction * sample_value(rng, p.distance_m)
        ambient = sample_value(rng, p.ambient) * np.ones(3)
        direct = sample_value(rng, p.direct) * np.asarray(of_temperature(sample_value(rng, p.kelvin)))
    # An area of P watts sends P cos / pi; a surface at r gets that times cos / r^2, and a white one shows 1 / pi of it.
    reach = position - lit
    distance = float(np.linalg.norm(reach))
    cosine = max(float(reach[2]) / distance, 0.05)
    power = float(direct.max()) / _WHITE * np.pi**2 * distance**2 / cosine
    lamp = Lamp(
        "area", _colour(position), power, _colour(direct / direct.max()), sample_value(rng, p.size_m), _colour(lit)
    )
    strength = float(ambient.max()) / _WHITE
    return (lamp,), Environment(strength, _colour(ambient / max(float(ambient.max()), 1e-9)))


def _colour(values: Array) -> Colour:
    a, b, c = (float(v) for v in values)
    return (a, b, c)
