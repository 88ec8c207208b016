import pytest
from cadsight_core.config.yaml_file import read_yaml
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.formats import read
from cadsight_core.formats.convert import convert
from cadsight_core.formats.reading.key_points import for_yolo, from_yolo, mirror_orders, mirrored, order_of_names
from hypothesis import given
from hypothesis import strategies as st

# As https://cocodataset.org names those of a person.
SIDES = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
PERSON = ["nose", *(f"{side}_{name}" for name in SIDES for side in ("left", "right"))]
# As Ultralytics' coco-pose.yaml says.
FLIP_IDX = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]


def test_the_sides_of_a_person_are_exchanged_as_in_ultralytics():
    assert order_of_names(PERSON) == tuple(FLIP_IDX)


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (["Left", "Right"], (1, 0)),
        (["leftEye", "rightEye", "nose"], (1, 0, 2)),
        (["eye-l", "eye-r"], (1, 0)),
        (["L_hand", "tail", "R_hand"], (2, 1, 0)),
        (["left_hole", "hole"], (0, 1)),
        (["bright", "pearl"], (0, 1)),
        (["left", "left", "right"], (0, 1, 2)),  # which of them is meant is not known
    ],
)
def test_the_other_side_is_found_by_the_name(names, order):
    assert order_of_names(names) == order


@given(st.lists(st.sampled_from([*PERSON, "hole", "l_a", "r_a"]), unique=True))
def test_a_mirror_of_a_mirror_is_the_original(names):
    order = order_of_names(names)
    points = [float(v) for v in range(3 * len(names))]
    assert mirrored(mirrored(points, order), order) == points


def test_the_order_in_a_file_counts_before_the_names():
    categories = [{"name": "bolt"}, {"name": "plate", "keypoints": ["left", "right", "a"], "flip_idx": [2, 1, 0]}]
    assert mirror_orders({"categories": categories}, ["plate", "bolt"]) == {0: (2, 1, 0)}
    assert mirror_orders({"categories": [{"name": "plate", "flip_idx": [0, 1]}]}, ["plate"]) == {}
    assert mirror_orders({}, ["plate"]) == {}


def test_another_number_of_points_is_refused():
    with pytest.raises(CadsightError, match="a label has 1 key points, expected 2 as its class names"):
        mirrored([1, 2, 2], (1, 0))


@pytest.mark.parametrize("order", [[0, 0], [0], [1, 2], "10", [True, False]])
def test_a_flip_idx_that_is_no_order_is_refused(tmp_path, order):
    with pytest.raises(CadsightError, match="expected each of 0 to 1 once"):
        from_yolo({"flip_idx": order}, 2, ["plate"], tmp_path / "data.yaml")


def test_classes_that_are_mirrored_otherwise_have_no_flip_idx_in_common():
    categories = [{"name": "a", "flip_idx": [1, 0]}, {"name": "b", "flip_idx": [0, 1]}]
    assert for_yolo({"categories": categories}, ["a", "b"], 2) == {}


def test_flip_idx_and_names_come_back_through_coco_and_our_own_set(tmp_path, image_file):
    image_file("yolo/images/train/a.png")
    (tmp_path / "yolo/labels/train").mkdir(parents=True)
    (tmp_path / "yolo/labels/train/a.txt").write_text("0 0.5 0.5 0.5 0.5 0.3 0.5 2 0.6 0.5 2 0.5 0.3 1\n")
    (tmp_path / "yolo/data.yaml").write_text(
        "train: images/train\nnames: [face]\nkpt_shape: [3, 3]\nflip_idx: [1, 0, 2]\nkpt_names: {0: [a, b, c]}\n"
    )
    convert(tmp_path / "yolo", tmp_path / "coco", "coco")
    convert(tmp_path / "coco", tmp_path / "own", "cadsight")
    done = convert(tmp_path / "own", tmp_path / "again", "yolo")
    config = read_yaml(done.path)
    assert (config["kpt_shape"], config["flip_idx"], config["kpt_names"]) == ([3, 3], [1, 0, 2], {0: ["a", "b", "c"]})
    for folder in ("yolo", "coco", "own", "again"):
        loaded = read(tmp_path / folder)
        assert mirror_orders(loaded.extra, loaded.classes) == {0: (1, 0, 2)}
    assert Dataset.open(tmp_path / "own").extra["categories"][0]["keypoints"] == ["a", "b", "c"]
