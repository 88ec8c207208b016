"""What the rasteriser says of a pixel is what the geometry says of its centre."""

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
from cadsight_core.parts.part import load_part_mesh
from cadsight_core.parts.silhouette import silhouette
from cadsight_synthesis.assets.cache import ply_of
from cadsight_synthesis.rendering.raster.engine import RasterEngine
from cadsight_synthesis.rendering.scene import Body, Environment, Lamp, Material, Quality, Scene, View
from hand_made import BENT, CAMERA, box_ply, bracket, bracket_ply, looking, painted_plate, ply, table_scene
from scipy.spatial.transform import Rotation

SMALL = Camera(ImageSize(160, 120), 150.0, 150.0, 79.5, 59.5)
SKY = Environment(1.0)


@pytest.fixture(scope="module")
def engine():  # type: ignore[no-untyped-def]
    made = RasterEngine()
    yield made
    made.close()


def one(engine: RasterEngine, *bodies: Body, camera: Camera = CAMERA, **view):  # type: ignore[no-untyped-def]
    """Drawn by a camera at the world's origin that looks along z."""
    scene = Scene(bodies, (View(camera, Pose.identity(), **view),), (), SKY)
    return engine.render(scene)[0]


def at(x: float, y: float, z: float, rotation: np.ndarray | None = None) -> Pose:
    return Pose(np.eye(3) if rotation is None else rotation, np.array([x, y, z]))


def test_a_box_lies_where_it_projects_by_hand(engine: RasterEngine, tmp_path: Path) -> None:
    # 100 x 60 x 40 mm with its front 0.5 m away, 12 mm to the right and 9 mm down, f = 600:
    # x from 319.5 + 600 (0.012 - 0.05) / 0.5 = 273.9 to 393.9, y from 239.5 + 600 (0.009 - 0.03) / 0.5 = 214.3 to
    # 286.3.
    body = Body("box", box_ply(tmp_path, "box", 0.1, 0.06, 0.04), at(0.012, 0.009, 0.52))
    drawn = one(engine, body)
    rows, columns = np.flatnonzero((drawn.index == 0).any(1)), np.flatnonzero((drawn.index == 0).any(0))
    assert (columns[0], columns[-1]) == (274, 393)
    assert (rows[0], rows[-1]) == (215, 286)
    assert (drawn.index == 0).sum() == 120 * 72
    np.testing.assert_allclose(drawn.depth[drawn.index == 0], 0.5, atol=2e-5)
    assert np.isinf(drawn.depth[drawn.index == -1]).all()


def test_depth_along_a_slope_is_that_of_the_pixels_ray(engine: RasterEngine, tmp_path: Path) -> None:
    # A face turned by 30 degrees about y through (0, 0, 0.4): z = 0.4 + x tan(30) for a ray x = z (u - cx) / f.
    turned = Rotation.from_euler("y", -30, degrees=True).as_matrix()
    plate = Body("plate", box_ply(tmp_path, "plate", 0.2, 0.1, 0.0001), at(0, 0, 0.4, turned))
    drawn = one(engine, plate)
    for u in (250, 320, 380):
        slope = (u - 319.5) / 600
        assert drawn.depth[240, u] == pytest.approx(0.4 / (1 - slope * np.tan(np.pi / 6)), abs=2e-4)


@pytest.mark.parametrize("camera", [CAMERA, BENT, replace(CAMERA, cx=333.1, cy=220.4)], ids=["plain", "bent", "aside"])
def test_the_index_is_the_silhouette_within_a_pixel_at_many_poses(
    engine: RasterEngine, tmp_path: Path, camera: Camera
) -> None:
    mesh, path = load_part_mesh(bracket()), bracket_ply(tmp_path)
    around = np.ones((3, 3), np.uint8)
    for seed in range(12):
        rng = np.random.default_rng(seed)
        pose = at(*rng.uniform((-0.08, -0.05, 0.25), (0.08, 0.05, 0.6)), Rotation.random(random_state=rng).as_matrix())
        mask = (one(engine, Body("part", path, pose), camera=camera).index == 0).astype(np.uint8)
        expected = silhouette(mesh, pose, camera).astype(np.uint8)
        assert not (mask & ~cv2.dilate(expected, around) & 1).any()
        assert not (expected & ~cv2.dilate(mask, around) & 1).any()
        # On the outline itself they differ where the silhouette's own tenth of a pixel decides.
        assert (mask != expected).sum() < 0.08 * cv2.morphologyEx(expected, cv2.MORPH_GRADIENT, around).sum()


def test_the_nearer_body_is_the_one_that_is_seen(engine: RasterEngine, tmp_path: Path) -> None:
    cube = box_ply(tmp_path, "cube", 0.1, 0.1, 0.1)
    drawn = one(engine, Body("far", cube, at(0, 0, 0.8)), Body("near", cube, at(0.05, 0, 0.5)))
    assert drawn.index[240, 310] == 0
    assert drawn.index[240, 330] == 1
    assert set(np.unique(drawn.index)) == {-1, 0, 1}


def test_colour_texture_and_what_stands_behind(engine: RasterEngine, tmp_path: Path) -> None:
    halves = np.zeros((64, 64, 3), np.uint8)
    halves[:, :32], halves[:, 32:] = (255, 0, 0), (0, 0, 255)
    write_image(tmp_path / "halves.png", halves)
    write_image(tmp_path / "behind.png", np.full((90, 200, 3), (10, 200, 30), np.uint8))
    plate = box_ply(tmp_path, "plate", 0.2, 0.1, 0.01)
    material = Material((1.0, 1.0, 1.0), 1.0, texture=tmp_path / "halves.png", texture_size_m=0.2)
    image = one(engine, Body("plate", plate, at(0, 0, 0.5), material), backdrop=tmp_path / "behind.png").image
    assert image[10, 10].tolist() == [10, 200, 30]
    left, right = image[240, 250].astype(int), image[240, 390].astype(int)
    assert left[0] > 100 > left[2] + left[1]
    assert right[2] > 100 > right[0] + right[1]


def test_a_mesh_is_drawn_in_its_own_colours_beside_itself_with_a_texture(engine: RasterEngine, tmp_path: Path) -> None:
    write_image(tmp_path / "green.png", np.full((8, 8, 3), (0, 255, 0), np.uint8))
    plate = ply_of(painted_plate())
    looks = Material((1.0, 1.0, 1.0), 1.0, painted=True), Material((1.0,) * 3, 1.0, texture=tmp_path / "green.png")
    upper, lower = (Body(str(y), plate, at(0, y, 0.505), m) for y, m in zip((-0.06, 0.06), looks, strict=True))
    image = one(engine, upper, lower).image.astype(int)
    # At 0.5 m a metre is 1200 pixels: the plates cover 199 to 439, rows 108 to 228 and 252 to 372.
    for row, column, channel in ((168, 210, 0), (168, 250, 0), (168, 390, 2), (168, 428, 2), (312, 210, 1)):
        others = [c for c in range(3) if c != channel]
        assert image[row, column, channel] > 100
        assert image[row, column, others].max() < 5, (row, column)


def test_a_texture_covers_the_metres_that_it_is_said_to(engine: RasterEngine, tmp_path: Path) -> None:
    halves = np.zeros((64, 64, 3), np.uint8)
    halves[:, :32] = 255
    write_image(tmp_path / "stripes.png", halves)
    plate = box_ply(tmp_path, "plate", 0.2, 0.1, 0.01)
    material = Material((1.0, 1.0, 1.0), 1.0, texture=tmp_path / "stripes.png", texture_size_m=0.05)
    row = one(engine, Body("plate", plate, at(0, 0, 0.505), material)).image[240, 200:440, 0] > 100
    # 0.2 m hold four light stripes of 0.025 m, which are 30 pixels each at 0.5 m.
    assert np.abs(np.diff(row[2:-2].astype(int))).sum() == 7
    assert row.sum() == pytest.approx(120, abs=4)


def test_a_shadow_falls_away_from_the_lamp_and_softens_with_its_size(engine: RasterEngine, tmp_path: Path) -> None:
    table = Body("table", box_ply(tmp_path, "table", 1.0, 1.0, 0.01), at(0, 0, -0.005))
    post = Body("post", box_ply(tmp_path, "post", 0.03, 0.03, 0.1), at(0, 0, 0.05), class_id=0)
    view = View(SMALL, looking((0.0, -0.01, 0.6)), backdrop_colour=(0, 0, 0))

    def shades(size: float, **work: bool) -> np.ndarray:
        lamp = Lamp("area", (-0.5, 0.0, 0.5), 8.0, size=size)
        quality = Quality(samples=5, **work)
        return engine.render(Scene((table, post), (view,), (lamp,), Environment(0.05), quality))[0].image[..., 1]

    hard, soft, none = shades(0.001), shades(0.3), shades(0.001, shadows=False)
    assert np.array_equal(none, shades(0.001, ray_traced=False))
    # The lamp is on the left at 45 degrees: the shadow reaches 0.1 m to the right, 25 pixels from the post's foot.
    assert hard[60, 95] < 0.6 * none[60, 95]
    assert abs(int(hard[60, 55]) - int(none[60, 55])) <= 5  # five lamps are rounded five times
    assert len(np.unique(soft[60, 86:125])) > len(np.unique(hard[60, 86:125])) + 2


def test_twice_the_watts_are_brighter_and_none_is_dark(engine: RasterEngine, tmp_path: Path) -> None:
    table = Body("table", box_ply(tmp_path, "table", 1.0, 1.0, 0.01), at(0, 0, -0.005), Material((0.5, 0.5, 0.5), 1.0))
    view = View(SMALL, looking((0.0, -0.01, 0.6)))
    seen = []
    for watts in (0.0, 4.0, 8.0):
        lamp = Lamp("point", (0.0, 0.0, 0.5), watts)
        seen.append(int(engine.render(Scene((table,), (view,), (lamp,), Environment(0.0)))[0].image[60, 80, 1]))
    assert seen[0] == 0
    # 4 W at 0.5 m give 4 / (4 pi^2 0.25) = 0.405 of white, half of which is reflected: 0.2 or 123 of 255.
    assert 100 < seen[1] < 150
    assert 1.25 * seen[1] < seen[2] < 1.6 * seen[1]


def test_a_warm_lamp_makes_a_warm_image_and_grey_has_no_colour(engine: RasterEngine, tmp_path: Path) -> None:
    scene = table_scene(tmp_path)
    warm = replace(scene, lamps=(replace(scene.lamps[0], colour=(1.0, 0.6, 0.3)),))
    image = engine.render(warm)[0].image
    assert image[..., 0].mean() > 1.1 * image[..., 2].mean()
    grey = engine.render(replace(warm, views=(replace(warm.views[0], grey=True),)))[0].image
    assert (grey[..., 0] == grey[..., 1]).all()
    assert (grey[..., 0] == grey[..., 2]).all()


def test_the_environment_shows_where_nothing_stands_and_turns(engine: RasterEngine, tmp_path: Path) -> None:
    # Red towards +x, which is the image's middle, blue towards -x.
    panorama = np.zeros((32, 64, 3), np.uint8)
    panorama[:, :16], panorama[:, 16:48], panorama[:, 48:] = (0, 0, 255), (255, 0, 0), (0, 0, 255)
    write_image(tmp_path / "sky.png", panorama)
    ball = Body("ball", ply(tmp_path, "ball", trimesh.creation.icosphere(2, 0.02)), at(0.5, 0, 0))
    view = View(SMALL, looking((0.0, 0.0, 0.0), (1.0, 0.0, 0.0)))
    for turn, channel in ((0.0, 0), (180.0, 2)):
        scene = Scene((ball,), (view,), (), Environment(1.0, image=tmp_path / "sky.png", turn_deg=turn))
        assert engine.render(scene)[0].image[5, 5].argmax() == channel


def test_images_do_not_depend_on_what_was_drawn_before(tmp_path: Path) -> None:
    scene = table_scene(tmp_path, seed=3, views=2, camera=BENT)
    fresh, used = RasterEngine(), RasterEngine()
    try:
        expected = fresh.render(scene)
        used.render(table_scene(tmp_path, seed=8, count=5))
        write_image(tmp_path / "grain.png", np.random.default_rng(0).integers(0, 255, (40, 40, 3)).astype(np.uint8))
        other = table_scene(tmp_path, seed=9)
        textured = replace(other.bodies[0], material=Material(texture=tmp_path / "grain.png"))
        used.render(replace(other, bodies=(textured, *other.bodies[1:])))
        for a, b in zip(expected, used.render(scene), strict=True):
            assert np.array_equal(a.image, b.image)
            assert np.array_equal(a.index, b.index)
            assert np.array_equal(a.depth, b.depth)
    finally:
        fresh.close()
        used.close()


def test_an_engine_that_is_dropped_takes_nothing_from_another(tmp_path: Path) -> None:
    scene = table_scene(tmp_path, seed=3, camera=SMALL)
    dropped, kept = RasterEngine(), RasterEngine()
    (expected,) = kept.render(scene)
    dropped.render(scene)
    del dropped
    for engine in (kept, RasterEngine()):
        (drawn,) = engine.render(scene)
        assert np.array_equal(drawn.image, expected.image)
        assert np.array_equal(drawn.index, expected.index)
        engine.close()


def test_a_mesh_with_flipped_faces_or_a_hole_is_drawn_whole(engine: RasterEngine, tmp_path: Path) -> None:
    cube = trimesh.creation.box((0.1, 0.1, 0.1))
    flipped = trimesh.Trimesh(cube.vertices, cube.faces[:, ::-1], process=False)
    # Without the two triangles in front one looks at the inner side of the back.
    front = cube.face_normals[:, 2] < -0.5
    holed = trimesh.Trimesh(cube.vertices, cube.faces[~front], process=False)
    whole = one(engine, Body("cube", ply(tmp_path, "cube", cube), at(0, 0, 0.5)))
    for name, mesh in (("flipped", flipped), ("holed", holed)):
        drawn = one(engine, Body(name, ply(tmp_path, name, mesh), at(0, 0, 0.5)))
        assert np.array_equal(drawn.index, whole.index), name


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mesh": "nowhere.ply"}, "nowhere.ply could not be read"),
        ({"mesh": "text.ply"}, "text.ply could not be read"),
        ({"mesh": "points.ply"}, "has no triangles"),
        ({"texture": "text.ply"}, "the image .*text.ply could not be read"),
        ({"backdrop": "text.ply"}, "the image .*text.ply could not be read"),
        ({"sky": "text.hdr"}, "the environment .*text.hdr could not be read"),
    ],
)
def test_what_cannot_be_drawn_is_named(engine: RasterEngine, tmp_path: Path, change: dict, words: str) -> None:
    for name in ("text.ply", "text.hdr"):
        (tmp_path / name).write_text("no image and no mesh")
    trimesh.PointCloud(np.eye(3)).export(tmp_path / "points.ply")
    mesh = tmp_path / change["mesh"] if "mesh" in change else box_ply(tmp_path, "box", 0.1, 0.1, 0.1)
    material = Material(texture=tmp_path / change["texture"] if "texture" in change else None)
    view = View(SMALL, Pose.identity(), tmp_path / change["backdrop"] if "backdrop" in change else None)
    sky = Environment(1.0, image=tmp_path / change["sky"] if "sky" in change else None)
    with pytest.raises(CadsightError, match=words):
        engine.render(Scene((Body("thing", mesh, at(0, 0, 0.5), material),), (view,), (), sky))
