import textwrap

import pytest
import trimesh
from cadsight_core.errors import CadsightError
from cadsight_core.parts.part import load_part, load_part_mesh, load_parts

GOOD = """
    name: bracket
    class_id: 0
    mesh: bracket.stl
    unit: mm
    colour:
      - {low: [170, 80, 60], high: [10, 255, 255]}
    symmetry:
      - {axis: [0, 0, 1], order: 2}
    point_of_interest: [0.0, 0.01, 0.005]
    axis_of_interest: [0, 0, 2]
"""


def write(folder, text, name="bracket.yaml"):
    path = folder / name
    path.write_text(textwrap.dedent(text))
    return path


def test_a_part_is_read_with_its_mesh_beside_it_and_its_axis_made_a_unit_vector(tmp_path):
    part = load_part(write(tmp_path, GOOD))
    assert (part.name, part.class_id, part.unit) == ("bracket", 0, "mm")
    assert str(part.mesh) == str(tmp_path / "bracket.stl")
    assert part.axis_of_interest == (0, 0, 1)
    assert part.colour[0].low == (170, 80, 60)
    assert part.symmetry[0].order == 2


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("name: bracket", "name: two words", "'two words', expected one word"),
        ("unit: mm", "display_colour: [300, 0, 0]", "display_colour is 300.0, expected at least 0 and at most 1"),
        ("name: bracket", "", "name is '', expected one word"),
        ("class_id: 0", "class_id: -1", "class_id is -1, expected at least 0"),
        ("class_id: 0", "class_id: zero", "class_id is 'zero', expected int"),
        ("mesh: bracket.stl", "", "lacks the key 'mesh'"),
        ("unit: mm", "unit: cm", "unit is 'cm'"),
        ("unit: mm", "colour_of: red", "unknown key 'colour_of'"),
        ("unit: mm", "colour_of: red\n    1.5: red", "unknown key 1.5"),
        ("[170, 80, 60]", "[200, 80, 60]", "expected hue 0..179"),
        ("[170, 80, 60]", "[170, 80]", "low"),
        ("high: [10, 255, 255]", "high: [10, 70, 255]", "expected saturation and value to rise"),
        ("order: 2", "order: 1", "expected 0, 2 or more"),
        ("axis: [0, 0, 1]", "axis: [0, 0, 0]", "a symmetry has the axis (0.0, 0.0, 0.0), expected a direction"),
        ("axis_of_interest: [0, 0, 2]", "axis_of_interest: [0, 0, 0]", "expected a direction"),
        ("axis_of_interest: [0, 0, 2]", "axis_of_interest: [0, .nan, 1]", "expected a finite number"),
        ("point_of_interest: [0.0, 0.01, 0.005]", "point_of_interest: [0.0, 0.01]", "point_of_interest"),
        ("point_of_interest: [0.0,", f"point_of_interest: [{10**400},", "expected a finite number"),
        ("mesh: bracket.stl", 'mesh: "a\\0.stl"', "is that of no file"),
        ("symmetry:", "symmetry: round\n    x:", "symmetry is 'round', expected a list"),
    ],
)
def test_a_wrong_part_file_is_refused_in_a_sentence_that_names_file_and_key(tmp_path, old, new, words):
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(CadsightError) as caught:
        load_part(path)
    assert words in str(caught.value)
    assert "bracket.yaml" in str(caught.value)


def test_a_file_that_is_missing_or_no_yaml_or_no_mapping_is_refused(tmp_path):
    with pytest.raises(CadsightError, match=r"none\.yaml could not be read"):
        load_part(tmp_path / "none.yaml")
    with pytest.raises(CadsightError, match="is not YAML"):
        load_part(write(tmp_path, "name: [1, 2"))
    with pytest.raises(CadsightError, match="expected keys such as name"):
        load_part(write(tmp_path, "just a line"))


def test_parts_of_a_folder_come_in_the_order_of_their_class_ids(tmp_path):
    write(tmp_path, GOOD.replace("class_id: 0", "class_id: 1"), "a.yaml")
    write(tmp_path, GOOD.replace("name: bracket", "name: plate"), "b.yaml")
    assert [p.name for p in load_parts(tmp_path)] == ["plate", "bracket"]


@pytest.mark.parametrize(("key", "other"), [("name", "class_id: 1"), ("class_id", "name: plate")])
def test_two_parts_with_the_same_name_or_class_id_are_refused(tmp_path, key, other):
    write(tmp_path, GOOD, "a.yaml")
    old = "class_id: 0" if other.startswith("class_id") else "name: bracket"
    write(tmp_path, GOOD.replace(old, other), "b.yaml")
    with pytest.raises(CadsightError, match=f"have the {key}"):
        load_parts(tmp_path)


def test_a_folder_without_parts_and_a_part_without_its_mesh_are_refused(tmp_path):
    with pytest.raises(CadsightError, match="holds no part"):
        load_parts(tmp_path)
    with pytest.raises(CadsightError, match=r"bracket\.stl does not exist"):
        load_part_mesh(load_part(write(tmp_path, GOOD)))


@pytest.mark.parametrize("name", ["on", "0603", "2026-01-02"])
def test_a_name_that_only_older_yaml_takes_for_something_else_is_a_name(tmp_path, name):
    assert load_part(write(tmp_path, GOOD.replace("bracket", name, 1))).name == name


def test_a_mesh_whose_name_is_too_long_for_the_disk_is_not_there(tmp_path):
    part = load_part(write(tmp_path, GOOD.replace("bracket.stl", f"{'a' * 300}.stl")))
    with pytest.raises(CadsightError, match="does not exist, expected a file"):
        load_part_mesh(part)


def test_a_point_metres_away_from_the_mesh_is_refused_when_the_mesh_is_read(tmp_path):
    trimesh.creation.box((40, 30, 10)).export(tmp_path / "bracket.stl")
    assert load_part_mesh(load_part(write(tmp_path, GOOD))).is_closed
    away = load_part(write(tmp_path, GOOD.replace("0.01, 0.005", "8, 0.005")))
    with pytest.raises(CadsightError, match=r"\[0\.0, 8\.0, 0\.005\], 7\.99 m away from its mesh"):
        load_part_mesh(away)
