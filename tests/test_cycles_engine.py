"""The cycles engine draws for real, in Blender's own environment, which the first use sets up."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from cadsight_core.imaging.images import write_image
from cadsight_core.parts.mesh import Mesh
from cadsight_core.parts.silhouette import silhouette
from cadsight_core.running.own_environment import set_up
from cadsight_synthesis.assets.cache import ply_bytes
from cadsight_synthesis.rendering.backdrop import backdrop
from cadsight_synthesis.rendering.cycles.engine import CyclesEngine
from cadsight_synthesis.rendering.scene import Body, Environment, Lamp, Material, Quality, Scene, View

SIZE = ImageSize(160, 120)
# Off-centre, pixels that are not square.
CAMERA = Camera(SIZE, 210.0, 200.0, 83.5, 55.0)
BENT = Camera(SIZE, 210.0, 210.0, 83.5, 55.0, (-0.18, 0.07, 0.002, -0.001, 0.0))
QUICK = Quality(samples=2, bounces=1)
GREY_LIGHT = Environment(strength=0.8)


@pytest.fixture(scope="module", autouse=True)
def blender() -> None:
    """Set up once; a machine that can have no Blender says why, and a broken one fails."""
    try:
        set_up("blender", "the cycles engine")
    except CadsightError as error:
        if "want Python 3.11" in str(error) or os.uname().machine != "x86_64":
            pytest.skip(str(error))
        raise


@pytest.fixture(scope="module")
def engine():
    made = CyclesEngine()
    yield made
    made.close()


@pytest.fixture(scope="module")
def bracket(tmp_path_factory) -> tuple[Path, Mesh]:
    """An L with a hole, none of whose sides look alike."""
    shape = trimesh.creation.box((0.06, 0.04, 0.01)).union(
        trimesh.creation.box((0.01, 0.04, 0.05), transform=trimesh.transformations.translation_matrix((0.025, 0, 0.02)))
    )
    shape = shape.difference(trimesh.creation.cylinder(0.008, 0.1, sections=48).apply_translation((-0.01, 0.004, 0)))
    file = tmp_path_factory.mktemp("meshes") / "bracket.ply"
    shape.export(file)
    return file, Mesh(np.asarray(shape.vertices, float), np.asarray(shape.faces, np.int64))


@pytest.fixture(scope="module")
def plate(tmp_path_factory) -> Path:
    """A square of 0.4 m whose top is z = 0."""
    file = tmp_path_factory.mktemp("meshes") / "plate.ply"
    trimesh.creation.box((0.4, 0.4, 0.01)).apply_translation((0, 0, -0.005)).export(file)
    return file


def looking_down(height: float, tilt: float = 0.0, side: float = 0.0) -> Pose:
    """world_from_camera above the origin, x as the world's; tilted about x by ``tilt`` radians."""
    down = Pose.from_rotvec([np.pi, 0, 0], [side, 0, height])
    return down @ Pose.from_rotvec([tilt, 0, 0], [0, 0, 0])


def scene(bodies: tuple[Body, ...], camera: Camera = CAMERA, **more) -> Scene:
    view = View(camera, looking_down(0.3, 0.1), backdrop_colour=more.pop("backdrop_colour", (0.0, 0.0, 0.0)))
    more = {"environment": GREY_LIGHT, "quality": QUICK, **more}
    return Scene(bodies, more.pop("views", (view,)), **more)


def within_a_pixel(mask: np.ndarray, expected: np.ndarray) -> bool:
    kernel = np.ones((3, 3), np.uint8)
    grown, shrunk = cv2.dilate(expected.astype(np.uint8), kernel), cv2.erode(expected.astype(np.uint8), kernel)
    return bool(np.all(mask <= (grown > 0)) and np.all(mask >= (shrunk > 0)))


def covered(mesh: Mesh, camera_from_body: Pose, camera: Camera) -> np.ndarray:
    """(H, W): whether a pixel's centre lies in a projected triangle; without distortion."""
    v, u = np.mgrid[0 : camera.size.height, 0 : camera.size.width]
    mask = np.zeros(u.shape, bool)
    for a, b, c in camera.project(camera_from_body.apply(mesh.vertices))[mesh.faces]:
        sides = [(q[0] - p[0]) * (v - p[1]) - (q[1] - p[1]) * (u - p[0]) for p, q in ((a, b), (b, c), (c, a))]
        mask |= np.all([side >= 0 for side in sides], axis=0) | np.all([side <= 0 for side in sides], axis=0)
    return mask


def test_the_index_is_the_body_at_the_very_centre_of_a_pixel(engine, bracket):
    file, mesh = bracket
    pose = Pose.from_rotvec([0.5, -0.4, 0.9], [0.01, 0.02, 0.02])
    drawn = engine.render(scene((Body("a", file, pose),)))[0]
    expected = covered(mesh, looking_down(0.3, 0.1).inverse() @ pose, CAMERA)
    assert expected.sum() > 1000
    # A shift of a tenth of a pixel would change twenty.
    assert ((drawn.index == 0) != expected).sum() <= 2


@pytest.mark.parametrize("camera", [CAMERA, BENT], ids=["pinhole", "bent"])
def test_the_index_is_the_silhouette_within_a_pixel(engine, bracket, camera):
    file, mesh = bracket
    pose = Pose.from_rotvec([0.5, -0.4, 0.9], [0.04, 0.03, 0.02])
    drawn = engine.render(scene((Body("a", file, pose),), camera))[0]
    expected = silhouette(mesh, looking_down(0.3, 0.1).inverse() @ pose, camera)
    assert expected.sum() > 500
    assert within_a_pixel(drawn.index == 0, expected)


def test_every_body_has_its_own_index_and_nothing_is_minus_one(engine, bracket, plate):
    file, _ = bracket
    bodies = (
        Body("plate", plate, Pose.identity()),
        Body("left", file, Pose.from_rotvec([0, 0, 0], [-0.05, 0, 0.01])),
        Body("right", file, Pose.from_rotvec([0, 0, 1], [0.05, 0, 0.01])),
    )
    drawn = engine.render(scene(bodies[1:]))[0]
    assert drawn.index.dtype == np.int16
    assert set(np.unique(drawn.index)) == {-1, 0, 1}
    assert np.isinf(drawn.depth[drawn.index < 0]).all()
    assert np.isfinite(drawn.depth[drawn.index >= 0]).all()
    assert set(np.unique(engine.render(scene(bodies))[0].index)) == {0, 1, 2}


@pytest.mark.parametrize(("camera", "allowed"), [(CAMERA, 1e-5), (BENT, 4e-4)], ids=["pinhole", "bent"])
def test_depth_is_along_the_optical_axis(engine, plate, camera, allowed):
    pose = looking_down(0.3, 0.25)
    view = View(camera, pose, backdrop_colour=(0, 0, 0))
    drawn = engine.render(scene((Body("plate", plate, Pose.identity()),), views=(view,)))[0]
    v, u = np.nonzero(drawn.index == 0)
    rays = camera.rays(np.column_stack([u, v]))
    world = pose.rotate(rays)
    # The plate's top is z = 0: along each ray until the height is used up, then the part of it along the axis.
    expected = -0.3 / world[:, 2] * rays[:, 2]
    inner = (drawn.index == 0) & (cv2.erode((drawn.index == 0).astype(np.uint8), np.ones((5, 5))) > 0)
    error = np.abs(drawn.depth[v, u] - expected)[inner[v, u]]
    assert inner.sum() > 5000
    assert error.max() < allowed


def test_the_backdrop_is_seen_unchanged_where_nothing_stands(engine, bracket, tmp_path):
    photograph = np.random.default_rng(1).integers(0, 256, (240, 320, 3), np.uint8)
    write_image(tmp_path / "behind.png", photograph)
    view = View(CAMERA, looking_down(0.3), backdrop=tmp_path / "behind.png")
    drawn = engine.render(scene((Body("a", bracket[0], Pose.identity()),), views=(view,)))[0]
    far = cv2.dilate((drawn.index == 0).astype(np.uint8), np.ones((9, 9))) == 0
    assert np.array_equal(drawn.image[far], cv2.resize(photograph, (160, 120), interpolation=cv2.INTER_AREA)[far])
    assert not np.array_equal(drawn.image, cv2.resize(photograph, (160, 120), interpolation=cv2.INTER_AREA))


def test_a_grey_plate_in_a_white_world_has_the_colour_that_srgb_gives_it(engine, plate):
    look = Material(colour=(0.5, 0.25, 0.1), roughness=1.0)
    body = Body("plate", plate, Pose.identity(), look)
    quality = Quality(samples=16, bounces=1, denoise=False)
    drawn = engine.render(scene((body,), environment=Environment(strength=1.0), quality=quality))[0]
    inside = cv2.erode((drawn.index == 0).astype(np.uint8), np.ones((5, 5))) > 0
    # 0.5 is 188, 0.25 is 137 and 0.1 is 89 in sRGB; all of the sky lights the plate.
    assert np.allclose(drawn.image[inside].mean(axis=0), (188, 137, 89), atol=2)


def test_a_sun_from_the_left_lights_the_left_side_and_an_environment_all(engine, bracket):
    body = (Body("a", bracket[0], Pose.from_rotvec([0, 0, 0], [0, 0, 0])),)
    dark = Environment(strength=0.0)
    lamps = {x: Lamp("sun", (x, 0, 0.3), 3.0, target=(0, 0, 0)) for x in (-1.0, 1.0)}
    left, right = (engine.render(scene(body, environment=dark, lamps=(lamps[x],)))[0] for x in (-1.0, 1.0))
    flat = left.index == 0
    shadow = flat & (np.arange(160)[None] < 80)
    # The upright leg stands on the right: light from there leaves the base in its shadow.
    assert left.image[shadow].mean() > right.image[shadow].mean() + 20


@pytest.mark.parametrize("suffix", [".hdr", ".png"])
def test_the_environment_is_seen_where_the_other_engine_sees_it(engine, bracket, tmp_path, suffix):
    # Smooth, so that half a pixel more or less is no matter; no two directions alike.
    around = cv2.resize(np.random.default_rng(3).random((4, 8, 3)).astype(np.float32), (256, 128))
    file = tmp_path / f"around{suffix}"
    assert cv2.imwrite(str(file), around if suffix == ".hdr" else np.round(around * 255).astype(np.uint8))
    environment = Environment(strength=0.7, colour=(1.0, 0.8, 0.6), image=file, turn_deg=40.0)
    # Sideways, a little up, and rolled.
    pose = Pose.from_rotvec([0, 0, 0.3], [0, 0, 0]) @ Pose.from_rotvec([-1.7, 0, 0], [0, 0, 0])
    view = View(CAMERA, pose)
    behind = Body("behind", bracket[0], pose @ Pose.from_rotvec([0, 0, 0], [0, 0, -1]))
    quality = Quality(samples=8, bounces=1, denoise=False)
    drawn = engine.render(scene((behind,), views=(view,), environment=environment, quality=quality))[0]
    assert (drawn.index == -1).all()
    expected = backdrop(view, environment)
    assert np.abs(drawn.image.astype(int) - expected).max() <= 4
    assert np.ptp(expected) > 40


def test_the_same_scene_gives_the_same_bytes_whatever_came_before_and_with_any_threads(engine, bracket, plate):
    bodies = (
        Body("plate", plate, Pose.identity(), Material((0.7, 0.6, 0.5), 1.0)),
        Body("a", bracket[0], Pose.from_rotvec([0.5, 0, 0], [0, 0, 0.03]), Material((0.8, 0.3, 0.1), 0.3, 0.5)),
    )
    lamp = Lamp("area", (0.3, 0.2, 0.5), 5.0, size=0.2)
    views = tuple(View(BENT, looking_down(0.3, tilt)) for tilt in (0.0, 0.2))
    one_scene = scene(bodies, lamps=(lamp,), views=views, seed=7, quality=Quality(samples=4, bounces=2))
    first = engine.render(one_scene)
    engine.render(scene(bodies[1:]))
    again = engine.render(one_scene)
    alone = CyclesEngine(threads=1)
    try:
        single = alone.render(one_scene)
    finally:
        alone.close()
    for other in (again, single):
        for one, two in zip(first, other, strict=True):
            assert np.array_equal(one.image, two.image)
            assert np.array_equal(one.index, two.index)
            assert np.array_equal(one.depth, two.depth)
    assert not np.array_equal(first[0].image, engine.render(replace(one_scene, seed=8))[0].image)


def test_without_ray_tracing_a_face_has_one_shade_and_grey_is_grey(engine, plate):
    view = View(CAMERA, looking_down(0.3), backdrop_colour=(1, 1, 1), grey=True)
    body = Body("plate", plate, Pose.identity(), Material((0.5, 0.25, 0.1)))
    drawn = engine.render(scene((body,), views=(view,), quality=Quality(samples=4, ray_traced=False)))[0]
    assert np.ptp(drawn.image[cv2.erode((drawn.index == 0).astype(np.uint8), np.ones((5, 5))) > 0]) == 0
    assert np.array_equal(drawn.image[..., 0], drawn.image[..., 2])


def test_a_texture_is_laid_over_the_body_at_its_size(engine, plate, tmp_path):
    # Left half black, right half white, repeated every 0.1 m: seen from 0.3 m, every 70 pixels.
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, 32:] = 255
    write_image(tmp_path / "stripes.png", stripes)
    look = Material((1, 1, 1), 1.0, texture=tmp_path / "stripes.png", texture_size_m=0.1)
    body = Body("plate", plate, Pose.identity(), look)
    view = View(CAMERA, looking_down(0.3), backdrop_colour=(0, 0, 0))
    drawn = engine.render(scene((body,), views=(view,), quality=Quality(samples=8, ray_traced=False)))[0]
    edges = np.flatnonzero(np.diff(drawn.image[60, :, 0] > 60))
    assert len(edges) >= 4
    assert np.allclose(edges[2:] - edges[:-2], 70, atol=1)


def test_a_mesh_is_drawn_in_its_own_colours(engine, tmp_path):
    square = trimesh.creation.box((0.2, 0.1, 0.01)).apply_translation((0, 0, -0.005))
    corners = square.vertices[square.faces].reshape(-1, 3)
    left_red = np.where(corners[:, :1] < 0, (188, 0, 0), (0, 0, 188)).astype(np.uint8)
    (tmp_path / "plate.ply").write_bytes(
        ply_bytes(Mesh(corners, np.arange(len(corners)).reshape(-1, 3), colours=left_red))
    )
    body = Body("plate", tmp_path / "plate.ply", Pose.identity(), Material((1, 1, 1), 1.0, painted=True))
    view = View(CAMERA, looking_down(0.3), backdrop_colour=(0, 0, 0))
    white = engine.render(scene((replace(body, material=Material((1, 1, 1), 1.0)),), views=(view,)))[0].image
    image = engine.render(scene((body,), views=(view,)))[0].image.astype(int)
    seen = np.argwhere(white[55].max(axis=1) > 50)[:, 0]
    left, right = image[55, seen[3]], image[55, seen[-4]]
    # From red to blue in a line of linear light: near its ends hardly of the other.
    assert left[0] > 4 * left[2]
    assert right[2] > 4 * right[0]
    # 188 of 255 is half of the light.
    assert (left[0] / 255) ** 2.2 == pytest.approx(0.5 * (white[55, seen[3], 0] / 255) ** 2.2, rel=0.15)


def test_more_textures_than_are_kept_come_back_as_they_were(engine, plate, tmp_path):
    bodies = []
    for i in range(70):
        write_image(tmp_path / f"{i}.png", np.full((2, 2, 3), (3 * i, 255 - 3 * i, 90), np.uint8))
        look = Material((1, 1, 1), 1.0, texture=tmp_path / f"{i}.png")
        bodies.append(Body(str(i), plate, Pose.from_rotvec([0, 0, 0], [0.01 * i - 0.35, 0, 0.001 * i]), look))
    flat = Quality(samples=1, ray_traced=False)
    view = View(CAMERA, looking_down(0.6), backdrop_colour=(0, 0, 0))
    first = engine.render(scene(tuple(bodies), views=(view,), quality=flat))[0]
    for _ in range(2):
        engine.render(scene((Body("alone", plate, Pose.identity()),)))
    again = engine.render(scene(tuple(bodies), views=(view,), quality=flat))[0]
    assert len(np.unique(first.index)) > 30
    assert np.array_equal(first.image, again.image)


@pytest.mark.parametrize("what", ["mesh", "missing", "texture", "environment", "backdrop"])
def test_what_cannot_be_used_is_named_and_the_next_scene_is_drawn(engine, bracket, tmp_path, what):
    bad = tmp_path / f"bad-{what}.{'ply' if what == 'mesh' else 'png'}"
    if what != "missing":
        bad.write_text("this is no such thing")
    good = Body("a", bracket[0], Pose.identity())
    body = {
        "mesh": replace(good, mesh=bad),
        "missing": replace(good, mesh=bad),
        "texture": replace(good, material=Material(texture=bad)),
    }.get(what, good)
    surroundings = Environment(image=bad) if what == "environment" else GREY_LIGHT
    view = View(CAMERA, looking_down(0.3), backdrop=bad if what == "backdrop" else None)
    with pytest.raises(CadsightError, match=f"bad-{what}"):
        engine.render(scene((body,), views=(view,), environment=surroundings))
    assert (engine.render(scene((good,)))[0].index == 0).any()


def test_a_full_disk_is_told_and_the_next_scene_is_drawn(engine, bracket):
    one_scene = scene((Body("a", bracket[0], Pose.identity()),))
    before = engine.render(one_scene)[0]
    # As a full disk does, it lets files be made and not grow: 100 kB hold no image of 160 x 120 in floats.
    resource.prlimit(engine.pid, resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    try:
        with pytest.raises(CadsightError, match="disk full"):
            engine.render(one_scene)
    finally:
        resource.prlimit(engine.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert np.array_equal(engine.render(one_scene)[0].image, before.image)


def test_a_killed_program_is_started_again_and_draws_the_same(bracket):
    engine = CyclesEngine()
    try:
        one_scene = scene((Body("a", bracket[0], Pose.identity()),))
        before = engine.render(one_scene)[0]
        old = engine.pid
        os.kill(old, signal.SIGKILL)
        after = engine.render(one_scene)[0]
        assert engine.pid != old
    finally:
        engine.close()
    assert np.array_equal(before.image, after.image)


def test_nothing_is_left_behind_when_the_engine_is_closed(bracket, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    engine = CyclesEngine()
    engine.render(scene((Body("a", bracket[0], Pose.identity()),)))
    assert any(tmp_path.iterdir())
    engine.close()
    assert not any(tmp_path.iterdir())


def test_the_program_ends_with_a_parent_that_is_killed_and_leaves_nothing(tmp_path):
    code = (
        "import time; from cadsight_synthesis.rendering.cycles.process import *; "
        "from cadsight_core.running.own_environment import set_up; "
        "process = BlenderProcess(set_up('blender', 'the cycles engine'), 1); "
        "print(process.pid, flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    until = time.monotonic() + 120
    while time.monotonic() < until and (_runs(child) or any(tmp_path.iterdir())):
        time.sleep(0.05)
    assert not _runs(child)
    assert not any(tmp_path.iterdir())


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
