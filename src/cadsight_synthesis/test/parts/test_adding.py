"""A CAD file becomes a part that the rest of the workspace reads."""

import numpy as np
import pytest
import trimesh
import yaml
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import read_image
from cadsight_core.parts.part import load_part_mesh, load_parts
from cadsight_synthesis.parts.adding import add_part


def plate(tmp_path, name="plate.stl", shift=(0, 0, 0)):
    made = trimesh.creation.box((40, 40, 10))
    made.apply_translation(shift)
    made.export(tmp_path / name)
    return tmp_path / name


def test_a_square_plate_becomes_a_part_with_its_mesh_symmetry_and_image(tmp_path):
    added = add_part(plate(tmp_path), "plate", tmp_path / "parts", "mm")
    (part,) = load_parts(tmp_path / "parts")
    assert part == added.part
    assert (part.name, part.class_id, part.unit) == ("plate", 0, "m")
    mesh = load_part_mesh(part)
    np.testing.assert_allclose(mesh.extents, [0.04, 0.04, 0.01], atol=1e-7)
    assert mesh.is_closed
    assert (part.symmetry[0].axis, part.symmetry[0].order) == ((0.0, 0.0, 1.0), 4)
    assert sorted(s.order for s in part.symmetry) == [2, 2, 2, 2, 4]
    assert abs(part.point_of_interest[2]) == pytest.approx(0.005)
    assert part.axis_of_interest == (0.0, 0.0, np.sign(part.point_of_interest[2]))
    image = read_image(added.image_path)
    assert image.shape == (720, 960, 3)
    assert (image[:3] > 250).all()
    for y in (180, 540):
        for x in (240, 720):
            assert image[y, x].min() < 230  # the part is in the middle of each of the four views


def test_parts_of_a_folder_count_on_and_a_name_that_is_taken_is_refused(tmp_path):
    file = plate(tmp_path)
    add_part(file, "plate", tmp_path / "parts")
    assert add_part(file, "other", tmp_path / "parts").part.class_id == 1
    with pytest.raises(CadsightError, match=r"plate\.yaml is there already"):
        add_part(file, "plate", tmp_path / "parts")


@pytest.mark.parametrize("name", ["plate.ply", "plate.jpg"])
def test_a_file_of_others_in_a_parts_folder_stays(tmp_path, name):
    theirs = tmp_path / "parts" / "plate" / name
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"mine")
    with pytest.raises(CadsightError, match=rf"{name} is there and .*, expected another"):
        add_part(plate(tmp_path), "plate", tmp_path / "parts")
    assert [path for path in (tmp_path / "parts").rglob("*") if path.is_file()] == [theirs]
    assert theirs.read_bytes() == b"mine"


def test_a_part_whose_yaml_was_removed_is_added_again(tmp_path):
    file = plate(tmp_path)
    add_part(file, "plate", tmp_path / "parts").path.unlink()
    assert add_part(file, "plate", tmp_path / "parts").image_path is not None


@pytest.mark.parametrize("name", ["", "two words", "../plate", ".hidden"])
def test_a_name_that_is_no_word_is_refused(tmp_path, name):
    with pytest.raises(CadsightError, match="expected one word"):
        add_part(plate(tmp_path), name, tmp_path / "parts")
    assert not (tmp_path / "parts").exists()


def test_a_part_in_the_wrong_unit_leaves_nothing_behind(tmp_path):
    with pytest.raises(CadsightError, match="check its unit"):
        add_part(plate(tmp_path), "plate", tmp_path / "parts", "m")
    assert not (tmp_path / "parts").exists()


def test_an_axis_beside_the_origin_is_found_but_not_written(tmp_path):
    added = add_part(plate(tmp_path, shift=(20, 0, 0)), "plate", tmp_path / "parts")
    assert sorted(s.order for s in added.symmetries) == [2, 2, 2, 2, 4]
    # Through the origin goes the axis along x alone.
    assert [(s.axis, s.order) for s in added.part.symmetry] == [((1.0, 0.0, 0.0), 2)]


def test_a_tolerance_lets_a_small_notch_pass(tmp_path):
    brick, notch = trimesh.creation.box((40, 30, 10)), trimesh.creation.box((2, 40, 1))
    notch.apply_translation((15, 0, 5))
    trimesh.boolean.difference([brick, notch], engine="manifold").export(tmp_path / "brick.stl")
    assert add_part(tmp_path / "brick.stl", "strict", tmp_path / "parts").part.symmetry == ()
    loose = add_part(tmp_path / "brick.stl", "loose", tmp_path / "parts", tolerance_m=0.0008).part
    assert sorted(s.axis for s in loose.symmetry) == [(0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)]


@pytest.mark.parametrize("name", ["4711", "0603", "off", "1e3", "2026-01-02", "null", "#1", "a:b", "schlüssel", "'"])
def test_a_name_that_yaml_could_take_for_something_else_stays_a_name(tmp_path, name):
    made = add_part(plate(tmp_path), name, tmp_path / "parts")
    (read,) = load_parts(tmp_path / "parts")
    assert read == made.part
    assert read.name == name
    assert yaml.safe_load(made.path.read_text())["name"] == name  # for readers of YAML 1.1 too


def test_a_point_a_few_micrometres_off_the_origin_is_read_again(tmp_path):
    # 4e-06, which YAML 1.1 takes for a text.
    made = add_part(plate(tmp_path, shift=(0.004, 0, 0)), "plate", tmp_path / "parts")
    assert made.part.point_of_interest == pytest.approx((4e-06, 0, 0.005), abs=1e-9)
    assert yaml.safe_load(made.path.read_text())["point_of_interest"][0] == 4e-06
    assert load_parts(tmp_path / "parts") == (made.part,)


def test_a_part_is_replaced_by_force_and_keeps_its_class(tmp_path):
    folder = tmp_path / "parts"
    for name in ("one", "two"):
        add_part(plate(tmp_path), name, folder)
    trimesh.creation.box((30, 20, 10)).export(tmp_path / "brick.stl")
    made = add_part(tmp_path / "brick.stl", "one", folder, force=True)
    assert made.part.class_id == 0
    assert load_part_mesh(load_parts(folder)[0]).extents == pytest.approx([0.03, 0.02, 0.01])
    (folder / "one.yaml").write_text("name: [\n")
    assert add_part(tmp_path / "brick.stl", "one", folder, force=True).part.class_id == 2


def test_nothing_is_written_beside_a_part_that_cannot_be_read(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "old.yaml").write_text("name: old\nname: new\n")
    with pytest.raises(CadsightError, match=r"old\.yaml has the key 'name' in line 1 and in line 2"):
        add_part(plate(tmp_path), "plate", folder)
    assert [p.name for p in folder.iterdir()] == ["old.yaml"]
