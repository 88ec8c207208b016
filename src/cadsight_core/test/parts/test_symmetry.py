import numpy as np
import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose, angle_between, unit
from cadsight_core.parts.part import Symmetry
from cadsight_core.parts.symmetry import EqualNormals, equal_normal
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

X, Y, Z = np.eye(3)
FLIP, PLATE = Symmetry(axis=(1.0, 0.0, 0.0), order=2), Symmetry(axis=(0.0, 0.0, 1.0), order=4)
ROD, ROD_ALONG_X = Symmetry(axis=(0.0, 0.0, 2.0), order=0), Symmetry(axis=(1.0, 0.0, 0.0), order=0)
TILTED = unit([0.0, np.sin(np.radians(30.0)), np.cos(np.radians(30.0))])


@pytest.mark.parametrize(
    ("symmetry", "normal", "seen", "angle"),
    [
        ((), Z, -Z, 180.0),
        ((FLIP,), Z, -Z, 0.0),
        ((FLIP,), X, -X, 180.0),
        ((PLATE,), X, -Y, 0.0),
        ((PLATE,), X, unit([1.0, 1.0, 0.0]), 45.0),
        ((PLATE,), Z, -Z, 180.0),
        ((PLATE, FLIP), Z, -Z, 0.0),
        # On the cone of 30 degrees about z: 60 degrees from its middle, whichever way it is seen.
        ((ROD,), TILTED, X, 60.0),
        ((ROD,), TILTED, -Y, 60.0),
        ((ROD,), TILTED, Z, 30.0),
        ((ROD,), TILTED, -Z, 150.0),
        ((ROD, FLIP), TILTED, -Z, 30.0),
        ((ROD,), Z, -X, 90.0),
        ((ROD, ROD_ALONG_X), Z, unit([0.3, 0.2, -0.9]), 0.0),
    ],
)
def test_the_angle_is_the_smallest_over_what_looks_the_same(symmetry, normal, seen, angle):
    found = equal_normal(normal, seen, Pose.identity(), symmetry)
    assert np.linalg.norm(found) == pytest.approx(1.0)
    assert float(angle_between(found, seen)) == pytest.approx(angle, abs=1e-6)


numbers = st.floats(-1, 1, allow_nan=False)
directions = st.tuples(numbers, numbers, numbers).filter(lambda v: np.linalg.norm(v) > 0.1).map(unit)


@settings(max_examples=50, deadline=None)
@given(directions, directions, st.tuples(numbers, numbers, numbers), st.integers(2, 12))
def test_a_turn_of_the_symmetry_costs_nothing_and_the_part_may_be_turned_as_one_likes(normal, seen, turn, order):
    pose = Pose.from_rotvec(3 * np.array(turn), [0.1, 0.2, 0.3])
    symmetry = (Symmetry(axis=(0.0, 1.0, 1.0), order=order),)
    step = Rotation.from_rotvec(2 * np.pi / order * unit([0.0, 1.0, 1.0])).as_matrix()
    other = pose.rotate(step @ normal)
    assert float(angle_between(equal_normal(pose.rotate(normal), other, pose, symmetry), other)) < 1e-4
    by_hand = min(float(angle_between(np.linalg.matrix_power(step, k) @ normal, seen)) for k in range(order))
    found = equal_normal(pose.rotate(normal), pose.rotate(seen), pose, symmetry)
    assert float(angle_between(found, pose.rotate(seen))) == pytest.approx(by_hand, abs=1e-4)


@pytest.mark.parametrize(
    ("symmetry", "directions", "around"),
    [
        ((), [X], None),
        ((PLATE,), [X, Y, -X, -Y], None),
        ((FLIP,), [X], None),
        ((ROD,), [X], Z),
        ((ROD, PLATE), [X, Y, -X, -Y], Z),
    ],
)
def test_all_that_looks_the_same_is_known_before_anything_is_seen(symmetry, directions, around):
    same = EqualNormals.of(X, np.eye(3), symmetry)
    np.testing.assert_allclose(same.directions, directions, atol=1e-12)
    assert (same.axis is None) == (around is None)
    if around is not None:
        np.testing.assert_allclose(same.axis, around)


@settings(max_examples=50, deadline=None)
@given(
    directions, directions, st.tuples(numbers, numbers, numbers), st.sampled_from([(PLATE, FLIP), (ROD,), (), (FLIP,)])
)
def test_what_looks_the_same_turns_with_the_camera(normal, seen, turn, symmetry):
    rotation = Rotation.from_rotvec(2 * np.array(turn)).as_matrix()
    same = EqualNormals.of(normal, np.eye(3), symmetry)
    nearest = same.nearest(seen)
    turned = same.turned(rotation).nearest(rotation @ seen)
    # Two may be equally near: what counts is how near.
    assert float(angle_between(turned, rotation @ seen)) == pytest.approx(float(angle_between(nearest, seen)), abs=1e-4)


def test_turns_that_are_none_of_a_body_are_refused():
    odd = (Symmetry(axis=(0.0, 0.0, 1.0), order=7), Symmetry(axis=(0.3, 0.2, 1.0), order=5))
    with pytest.raises(CadsightError, match="makes more than 1000 directions of one, expected axes and orders"):
        equal_normal(unit([0.1, 0.5, 0.7]), Z, Pose.identity(), odd)
