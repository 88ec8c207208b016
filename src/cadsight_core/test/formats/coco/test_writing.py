import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.formats.coco.writing import write_coco
from cadsight_core.geometry import Pose
from cadsight_core.imaging.images import write_image
from cadsight_core.sample import Instance, Sample, encode_mask
from cadsight_core.shapes import instance_mask
from faster_coco_eval import COCO
from hypothesis import given
from hypothesis import strategies as st
from set_parts import set_parts
from written import coco_of

SIZE = ImageSize(40, 30)


@pytest.fixture
def folder(tmp_path, image_file):
    image_file("set/a.png")
    return tmp_path / "set"


def by_id(entries):
    return sorted(entries, key=lambda e: e["id"])


def test_the_written_file_is_read_alike_by_cocos_own_reader(folder, tmp_path):
    mask = np.zeros((30, 40), bool)
    mask[3:9, 4:7] = mask[20:22, 30:31] = True
    image = folder / "a.png"
    instances = (
        Instance(0, Box(4, 3, 31, 22), mask=mask, source="kinematic"),
        Instance(
            1, Box(2, 1, 12, 11), attributes={"segmentation": [[2.0, 1.0, 12.0, 1.0, 12.0, 11.0]]}, source="human"
        ),
        Instance(1, Box(5.25, 6.5, 7.75, 9), source="human"),
    )
    (file,) = write_coco([Sample("a", image, SIZE, instances=instances)], ["plate", "bracket"], tmp_path / "set2")
    reader = COCO(str(file))
    assert [c["name"] for c in reader.loadCats(reader.getCatIds())] == ["plate", "bracket"]
    (entry,) = reader.loadImgs(reader.getImgIds())
    assert (entry["file_name"], entry["width"], entry["height"]) == ("a.png", 40, 30)
    read = by_id(reader.loadAnns(reader.getAnnIds()))
    assert [a["bbox"] for a in read] == [[4, 3, 27, 19], [2, 1, 10, 10], [5.25, 6.5, 2.5, 2.5]]
    assert [a["area"] for a in read] == [mask.sum(), 50, 6.25]
    np.testing.assert_array_equal(reader.annToMask(read[0]), mask)
    # Triangle: COCO's own fill and ours differ on the border alone.
    ours = instance_mask(instances[1], SIZE)
    assert np.abs(reader.annToMask(read[1]).astype(int) - ours).sum() <= 12


def test_an_own_sample_comes_back_with_mask_pose_normal_camera_and_record(folder, tmp_path):
    mask = np.zeros((30, 40), bool)
    mask[3:9, 4:7] = True
    instance = Instance(
        0,
        Box(4, 3, 7, 9),
        mask=mask,
        camera_from_part=Pose.from_rotvec((0.1, 0.2, 0.3), (0.01, 0.02, 0.5)),
        normal=np.array([0, 0.6, -0.8]),
        point=np.array([5.0, 6.0]),
        score=0.5,
        source="kinematic",
    )
    camera = Camera(SIZE, 50, 50, 20, 15, (0.1, 0, 0, 0, 0))
    sample = Sample("a", folder / "a.png", SIZE, camera, (instance,), "synthetic", "test", {"seed": 3})
    (file,) = write_coco([sample], ["bracket"], tmp_path / "set2")
    assert file.name == "instances_test.json"
    (back,), _, _ = set_parts(file)
    assert (back.camera, back.origin, back.split, back.record["seed"]) == (camera, "synthetic", "test", 3)
    got = back.instances[0]
    np.testing.assert_array_equal(got.mask, mask)
    np.testing.assert_allclose(got.camera_from_part.matrix, instance.camera_from_part.matrix, atol=1e-12)
    assert got.normal.tolist() == [0, 0.6, -0.8]
    assert got.point.tolist() == [5, 6]
    assert (got.score, got.source, got.box) == (0.5, "kinematic", instance.box)


@given(st.lists(st.booleans(), min_size=20, max_size=20))
def test_a_mask_comes_back_from_cocos_runs(tmp_path_factory, bits):
    mask = np.array(bits).reshape(4, 5)
    folder = tmp_path_factory.getbasetemp()
    write_image(folder / "m.png", np.zeros((4, 5, 3), np.uint8))
    instance = Instance(0, Box(0, 0, 5, 4), mask=mask, source="human")
    sample = Sample("m", folder / "m.png", ImageSize(5, 4), instances=(instance,))
    (annotation,) = coco_of([sample], ["x"], folder)["annotations"]
    assert annotation["segmentation"] == encode_mask(mask)
    assert annotation["area"] == sum(bits)


def test_boxes_are_made_square_on_request(folder, tmp_path):
    sample = Sample("a", folder / "a.png", SIZE, instances=(Instance(0, Box(10, 10, 20, 14), source="human"),))
    assert coco_of([sample], ["x"], tmp_path, square=True)["annotations"][0]["bbox"] == [10, 7, 10, 10]
