from pathlib import Path

import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.datasets.choice import farthest_point_sample, random_sample
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Instance, Sample
from hypothesis import given
from hypothesis import strategies as st

SQUARE = Box(0.0, 0.0, 4.0, 4.0)


def tilted(degrees, name=None):
    angle = np.radians(degrees)
    normal = np.array([np.sin(angle), 0.0, -np.cos(angle)])
    return Sample(
        name or f"at{degrees}",
        Path("a.png"),
        ImageSize(8, 8),
        instances=(Instance(0, SQUARE, normal=normal, source="human"),),
    )


def names(samples):
    return [s.name for s in samples]


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, ["at10"]),
        (2, ["at10", "at40"]),
        (3, ["at-10", "at10", "at40"]),
        (4, ["at-10", "at10", "at22", "at40"]),
    ],
)
def test_each_next_image_is_the_farthest_from_those_taken(count, expected):
    poses = [tilted(d) for d in (-10, -9, 9, 10, 11, 22, 40)]
    assert names(farthest_point_sample(poses, count)) == expected


def test_images_of_one_pose_are_taken_once_each():
    same = [tilted(5, f"p{n}") for n in range(4)]
    assert names(farthest_point_sample(same, 3)) == ["p0", "p1", "p2"]


@given(st.lists(st.integers(-60, 60), min_size=2, max_size=30, unique=True), st.data())
def test_no_normal_is_farther_from_its_nearest_than_the_taken_are_apart(angles, data):
    count = data.draw(st.integers(2, len(angles)))
    taken = [int(s.name[2:]) for s in farthest_point_sample([tilted(a) for a in angles], count)]
    apart = min(abs(a - b) for a in taken for b in taken if a != b)
    assert len(set(taken)) == count
    assert max(min(abs(a - b) for b in taken) for a in angles) <= apart


def test_a_smaller_choice_of_a_seed_is_a_part_of_a_larger_one():
    many = [tilted(d) for d in range(40)]
    assert set(names(random_sample(many, 5, 3))) < set(names(random_sample(many, 20, 3)))
    assert names(random_sample(many, 5, 3)) != names(random_sample(many, 5, 4))
    assert list(random_sample(many, 40, 0)) == many


def test_more_than_there_are_and_images_without_a_normal_are_refused():
    with pytest.raises(CadsightError, match="3 images are to be taken of 2, expected 1 to 2"):
        farthest_point_sample([tilted(0), tilted(1)], 3)
    with pytest.raises(CadsightError, match="0 images are to be taken of 2"):
        random_sample([tilted(0), tilted(1)], 0, 0)
    bare = Sample("bare", Path("a.png"), ImageSize(8, 8))
    with pytest.raises(CadsightError, match="1 of 2 images have no normal, the first is bare, expected one in each"):
        farthest_point_sample([tilted(0), bare], 1)
