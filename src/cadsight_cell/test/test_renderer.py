"""What the cell draws lies where the geometry says, for the shipped part and for any other."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from cadsight_cell.simulation.renderer import CellRenderer
from cadsight_cell.simulation.truth import FRAMES_FILE, SCENE_FILE, Truth, TruthRecorder, truth_files
from cadsight_cell.simulation.world import World, WorldParameters, make_world, moved_lamp
from cadsight_core.box import Box
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from cadsight_core.parts.part import Part, load_part, load_part_mesh
from cadsight_core.parts.silhouette import silhouette

PARTS = Path(__file__).parents[3] / "config/parts"
MOUNT = Pose.from_quaternion([0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.06])
HOME = np.array([-0.4219, -1.2263, 2.1745, -2.519, 1.5708, -1.1489])
POSES = [HOME + offset for offset in ([0] * 6, [0.3, 0, 0, 0.3, -0.3, 0.4], [-0.3, 0, 0, -0.3, 0.3, -0.5])]


@pytest.fixture(scope="module")
def part() -> Part:
    return load_part(PARTS / "bracket.yaml")


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(WorldParameters(seed=2))


@pytest.fixture(scope="module")
def renderer(part: Part, world: World):  # type: ignore[no-untyped-def]
    cell_renderer = CellRenderer(world, part, load_part_mesh(part), MOUNT)
    yield cell_renderer
    cell_renderer.close()


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("pose", range(len(POSES)))
def test_the_mask_is_the_projected_silhouette(renderer: CellRenderer, part: Part, pose: int) -> None:
    mask = renderer.mask(POSES[pose])
    expected = silhouette(load_part_mesh(part), renderer.camera_from_part(POSES[pose]), renderer.world.camera)
    assert iou(mask, expected) >= 0.98
    rendered, projected = Box.from_mask(mask), Box.from_mask(expected)
    assert rendered is not None
    assert projected is not None
    assert rendered.as_tuple() == pytest.approx(projected.as_tuple(), abs=1.0)


# From where the bracket's wall does not hide it.
@pytest.mark.parametrize("joints", [POSES[0], POSES[2], HOME + [0.3, 0, 0, -0.1, 0.1, 0.3]])  # noqa: RUF005
def test_the_depth_at_the_point_of_interest_is_its_distance(
    renderer: CellRenderer, part: Part, joints: np.ndarray
) -> None:
    point = renderer.camera_from_part(joints).apply(np.array([part.point_of_interest]))
    u, v = np.rint(renderer.world.camera.project(point)[0]).astype(int)
    assert renderer.depth(joints)[v, u] == pytest.approx(point[0, 2], abs=1e-3)


def test_the_same_seed_and_frame_give_the_same_bytes(renderer: CellRenderer, part: Part, world: World) -> None:
    first = renderer.colour(POSES[1], 5)
    other = CellRenderer(world, part, load_part_mesh(part), MOUNT)
    try:
        assert np.array_equal(first, other.colour(POSES[1], 5))
        assert not np.array_equal(first, other.colour(POSES[1], 6))
    finally:
        other.close()


def test_a_moved_lamp_changes_the_shadows_and_nothing_that_labels_rest_on(renderer: CellRenderer, world: World) -> None:
    before, mask = renderer.colour(POSES[0]), renderer.mask(POSES[0])
    renderer.relight(moved_lamp(world, 1))
    after, same_mask = renderer.colour(POSES[0]), renderer.mask(POSES[0])
    renderer.relight(moved_lamp(world, 0))
    assert np.abs(after.astype(int) - before).mean() > 3
    assert (same_mask == mask).all()
    assert (renderer.colour(POSES[0]) == before).all()


def test_the_part_is_orange_on_near_white(renderer: CellRenderer) -> None:
    image, mask = renderer.colour(HOME), renderer.mask(HOME)
    red, green, blue = np.median(image[mask], axis=0)
    assert red > 2 * green > 2 * blue
    assert np.median(image[:100], axis=(0, 1)).min() > 190


STAND = """name: stand
class_id: 0
mesh: {mesh}
unit: mm
colour: [{{low: [2, 90, 40], high: [22, 255, 255]}}]
display_colour: [0.85, 0.28, 0.03]
"""


@pytest.mark.parametrize("kind", ["stl below its origin", "step"])
def test_any_other_part_is_drawn_where_it_is_held(kind: str, tmp_path: Path, world: World) -> None:
    if kind == "step":
        mesh = PARTS / "bracket/bracket.step"
    else:
        mesh = tmp_path / "stand.stl"
        trimesh.creation.box((50, 30, 20)).export(mesh)
    (tmp_path / "stand.yaml").write_text(STAND.format(mesh=mesh))
    part = load_part(tmp_path / "stand.yaml")
    shape = load_part_mesh(part)
    renderer = CellRenderer(world, part, shape, MOUNT)
    try:
        mask = renderer.mask(HOME)
        # A part whose origin is its middle reaches below the mount; the holder must not swallow that half.
        assert iou(mask, silhouette(shape, renderer.camera_from_part(HOME), world.camera)) >= 0.98
        near, far = renderer.depth(HOME)[mask].min(), renderer.depth(HOME)[mask].max()
        assert 0.005 < far - near < shape.diameter
    finally:
        renderer.close()


def test_a_recorded_frame_drawn_again_is_what_was_recorded(
    renderer: CellRenderer, part: Part, world: World, tmp_path: Path
) -> None:
    recorder = TruthRecorder(tmp_path, world, part, MOUNT)
    recorder.frame(1_000, POSES[0])
    recorder.frame(2_000, POSES[2])
    with (tmp_path / FRAMES_FILE).open("a") as file:
        file.write('{"stamp_ns": 3000, "joi')  # killed while writing
    truth = Truth(tmp_path)
    assert truth.stamps == (1_000, 2_000)
    frame = truth.at(2_000)
    assert np.array_equal(frame.mask, renderer.mask(POSES[2]))
    assert frame.box == Box.from_mask(frame.mask)
    pose = renderer.camera_from_part(POSES[2])
    np.testing.assert_allclose(frame.camera_from_part.matrix, pose.matrix, atol=1e-12)
    np.testing.assert_allclose(frame.normal, pose.rotation[:, 2], atol=1e-12)
    with pytest.raises(CadsightError, match="knows no frame stamped 1500, expected one of 2"):
        truth.at(1_500)


def test_frames_after_a_half_written_one_are_kept(part: Part, world: World, tmp_path: Path) -> None:
    TruthRecorder(tmp_path, world, part, MOUNT).frame(1_000, HOME)
    with (tmp_path / FRAMES_FILE).open("a") as file:
        file.write('{"stamp_ns": 2000, "joi')
    TruthRecorder(tmp_path, world, part, MOUNT).frame(3_000, HOME)
    assert Truth(tmp_path).stamps == (1_000, 3_000)


def test_a_folder_with_the_truth_of_another_scene_is_refused(part: Part, world: World, tmp_path: Path) -> None:
    TruthRecorder(tmp_path, world, part, MOUNT)
    before = (tmp_path / SCENE_FILE).read_text()
    with pytest.raises(CadsightError, match="holds the truth of another scene"):
        TruthRecorder(tmp_path, make_world(WorldParameters(seed=3)), part, MOUNT)
    assert (tmp_path / SCENE_FILE).read_text() == before
    assert json.loads(before)["world"]["seed"] == 2


def test_a_folder_with_another_mesh_of_the_same_name_is_refused(part: Part, world: World, tmp_path: Path) -> None:
    TruthRecorder(tmp_path / "truth", world, part, MOUNT)
    trimesh.creation.box((50, 30, 20)).export(tmp_path / "bracket.stl")
    with pytest.raises(CadsightError, match="expected an empty folder or the same part"):
        TruthRecorder(tmp_path / "truth", world, replace(part, mesh=str(tmp_path / "bracket.stl")), MOUNT)


def test_a_folder_without_a_scene_is_named(tmp_path: Path) -> None:
    with pytest.raises(CadsightError, match=r"holds no truth of a simulated cell"):
        Truth(tmp_path)


@pytest.mark.parametrize(("name", "words"), [("part.stl", "is not"), (FRAMES_FILE, f"has no {SCENE_FILE} beside it")])
def test_files_of_others_where_the_truth_goes_stay(
    part: Part, world: World, tmp_path: Path, name: str, words: str
) -> None:
    theirs = tmp_path / name.replace(".stl", Path(part.mesh).suffix.lower())
    theirs.write_bytes(b"mine")
    with pytest.raises(CadsightError, match=words):
        TruthRecorder(tmp_path, world, part, MOUNT)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == {theirs: b"mine"}


def test_our_files_of_a_truth_are_recognised(part: Part, world: World, tmp_path: Path) -> None:
    assert truth_files(tmp_path) is None
    TruthRecorder(tmp_path, world, part, MOUNT).frame(1_000, HOME)
    assert sorted(truth_files(tmp_path) or ()) == sorted(path.name for path in tmp_path.iterdir())
    for text in ("[]", '{"world": 1}', "{"):
        (tmp_path / SCENE_FILE).write_text(text)
        assert truth_files(tmp_path) is None
