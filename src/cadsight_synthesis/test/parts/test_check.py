"""What is missing or wrong in a part's YAML is told before anything is captured."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from cadsight_core.parts.mesh import load_mesh
from cadsight_core.parts.part import ColourRange, Part, Symmetry
from cadsight_synthesis.parts.check import check_part
from cadsight_synthesis.parts.drawing import explained_image_of

# A brick of 40 x 30 x 10 mm; display_colour by default has OpenCV's hue 12 as a screen shows it.
GOOD = Part(
    name="brick",
    mesh="brick.stl",
    colour=(ColourRange((5, 90, 60), (25, 255, 255)),),
    symmetry=tuple(Symmetry(axis, 2) for axis in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))),
    point_of_interest=(0.0, 0.0, 0.005),
)


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    path = tmp_path_factory.mktemp("mesh") / "brick.stl"
    trimesh.creation.box((40, 30, 10)).export(path)
    return load_mesh(path)


def test_of_a_part_that_is_right_nothing_is_said(mesh):
    assert check_part(GOOD, mesh) == ()


@pytest.mark.parametrize(
    ("change", "words", "wrong"),
    [
        ({"point_of_interest": (0.0, 0.0, 0.008)}, "lies 3.0 mm off the surface", True),
        ({"point_of_interest": (0.0, 0.0, 0.0)}, "lies 5.0 mm off the surface", True),
        ({"axis_of_interest": (0.0, 0.0, -1.0)}, "points into the part: it is 180 degrees off the normal", True),
        ({"axis_of_interest": (1.0, 0.0, 1.0)}, "points beside the normal: it is 45 degrees off the normal", True),
        ({"colour": ()}, "colour is empty", True),
        ({"colour": (ColourRange((0, 90, 60), (100, 255, 255)),)}, "colour[0] holds 101 of 180 hues", True),
        ({"colour": (ColourRange((5, 10, 60), (25, 255, 255)),)}, "colour[0] begins at the saturation 10", True),
        ({"display_colour": (0.5, 0.5, 0.5)}, "[0.5, 0.5, 0.5] is grey, which is not in colour", False),
        ({"display_colour": (0.0, 0.5, 0.0)}, "has the hue 60, which is not in colour", False),
        ({"symmetry": (Symmetry((0.0, 0.0, 1.0), 4),)}, "symmetry[0] says 1/4 of a turn about [0, 0, 1]", True),
        ({"symmetry": GOOD.symmetry[:2]}, "symmetry does not name 1/2 of a turn about [0, 0, 1]", False),
    ],
)  # fmt: skip
def test_what_is_wrong_or_missing_is_said(mesh, change, words, wrong):
    found = check_part(replace(GOOD, **change), mesh)
    assert [(words in f.sentence, f.wrong) for f in found[:1]] == [(True, wrong)]


def test_at_an_edge_either_normal_will_do(mesh):
    for axis in ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0)):
        assert check_part(replace(GOOD, point_of_interest=(0.02, 0.0, 0.005), axis_of_interest=axis), mesh) == ()


def test_red_on_both_sides_of_the_circle_of_hues_is_in_its_range(mesh):
    red = replace(GOOD, colour=(ColourRange((170, 90, 60), (10, 255, 255)),), display_colour=(0.8, 0.0, 0.0))
    assert check_part(red, mesh) == ()


def test_a_turn_counts_that_is_part_of_a_written_one(tmp_path):
    trimesh.creation.cylinder(10, 40, sections=60).export(tmp_path / "rod.stl")
    rod = load_mesh(tmp_path / "rod.stl")
    part = replace(GOOD, point_of_interest=(0.0, 0.0, 0.02), symmetry=(Symmetry((0.0, 0.0, 1.0), 0),))
    (found,) = check_part(part, rod)
    assert found.sentence.startswith("symmetry does not name 1/2 of a turn about")


def test_the_image_shows_the_normal_and_the_colours_of_the_range(mesh):
    image = explained_image_of(GOOD, mesh)
    assert image.shape == (780, 960, 3)
    bare = explained_image_of(replace(GOOD, colour=()), mesh)
    assert np.array_equal(image[:720], bare[:720])
    # Hue 15 of 180 lies at column 80 and is strong, 100 at 533 and is faded.
    assert image[770, 80].min() < 10
    assert image[770, 533].min() > 200
    magenta = (image[:720].astype(int) @ [1, -2, 1] > 350).reshape(2, 360, 2, 480)
    assert (magenta.sum(axis=(1, 3)) > 20).all()  # in each of the four images
