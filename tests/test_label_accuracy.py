"""Labels of rendered images of the simulated cell against the truth, with the errors that a real cell has."""

import numpy as np
import pytest
from cadsight_capture.labels.labelling import LabelReport, label_session
from cadsight_cell.arm import Arm
from cadsight_cell.simulation.renderer import CellRenderer
from cadsight_cell.simulation.world import World, WorldParameters, make_world
from cadsight_core.box import Box
from cadsight_core.camera import Camera
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.geometry import Pose, angle_between
from cadsight_core.parts.part import Part, load_part, load_part_mesh
from cadsight_core.parts.silhouette import silhouette
from cadsight_core.sample import Sample
from cell_nodes import PART

HOME = np.array([-0.4219, -1.2263, 2.1745, -2.5190, 1.5708, -1.1489])
SPREAD = np.array([0.35, 0.0, 0.0, 0.35, 0.35, 0.5])
MOUNT = Pose(np.eye(3), np.array([0.0, 0.0, 0.06]))
COUNT = 24
# In every sixth image one joint is read two degrees wrong.
FAULTY = range(0, COUNT, 6)


@pytest.fixture(scope="module")
def part() -> Part:
    return load_part(PART["part"])


@pytest.fixture(scope="module")
def captured(tmp_path_factory, part) -> tuple[Dataset, dict[str, Pose], World]:
    """A raw session with usual errors, and the true camera_from_part of each image."""
    world = make_world(WorldParameters(seed=5))
    camera = Camera.from_json(world.camera.to_json())
    renderer = CellRenderer(world, part, load_part_mesh(part), MOUNT)
    raw = Dataset.create(tmp_path_factory.mktemp("accuracy") / "raw", (part.name,))
    rng, arm = np.random.default_rng(5), Arm()
    poses = {}
    try:
        for i in range(COUNT):
            joints = HOME + SPREAD * rng.uniform(-1, 1, 6)
            read = joints + rng.normal(0, world.joint_noise, 6)
            if i in FAULTY:
                read[(i // 6) % 4 + 1] += np.radians(2)
            record = {
                "base_from_camera": world.base_from_camera_calibrated.to_json(),
                "base_from_tool": arm.forward(read).to_json(),
            }
            name = f"{i:06d}"
            raw.append(Sample(name, raw.folder, camera.size, camera, record=record), renderer.colour(joints, i))
            poses[name] = renderer.camera_from_part(joints)
    finally:
        renderer.close()
    return raw, poses, world


@pytest.fixture(scope="module")
def report(captured, part) -> LabelReport:
    return label_session(captured[0], part, MOUNT)


def test_no_wrong_label_is_kept_and_no_good_one_lost(captured, report):
    kept = set(Dataset.open(report.labelled).names)
    faulty = {f"{i:06d}" for i in FAULTY}
    assert not kept & faulty
    assert len(kept) >= 0.95 * (COUNT - len(faulty))


def test_boxes_and_normals_are_as_good_as_promised(captured, report, part):
    _, poses, world = captured
    mesh = load_part_mesh(part)
    colour, kinematic, before, angles = [], [], [], []
    for sample in Dataset.open(report.labelled):
        (instance,) = sample.instances
        true = Box.from_mask(silhouette(mesh, poses[sample.name], world.camera))
        colour.append(Box(*sample.record["colour_box"]).iou(true))
        kinematic.append(instance.box.iou(true))
        angles.append(angle_between(instance.normal, poses[sample.name].rotate(part.axis_of_interest)))
        nominal = Pose.from_json(report.correction["nominal_from_corrected"]) @ instance.camera_from_part
        before.append(Box.from_mask(silhouette(mesh, nominal, world.camera)).iou(true))
    assert np.mean(colour) >= 0.95
    assert np.mean(kinematic) >= 0.97
    assert np.mean(kinematic) > np.mean(before) + 0.01
    assert np.mean(angles) <= 0.5


def test_the_correction_brings_the_part_back_to_its_place(captured, report):
    _, poses, world = captured
    error = world.base_from_camera_calibrated.inverse() @ world.base_from_camera
    found = Pose.from_json(report.correction["nominal_from_corrected"])
    assert report.correction["applied"]
    middle = np.mean([pose.translation for pose in poses.values()], axis=0)
    left = (error.apply(middle) - found.apply(middle))[:2]
    assert np.linalg.norm(left) < 0.5e-3 < np.linalg.norm((error.apply(middle) - middle)[:2])
