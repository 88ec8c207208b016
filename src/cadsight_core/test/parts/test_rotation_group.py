import numpy as np
import pytest
from cadsight_core.parts.rotation_group import axes_of, exact_group
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation


@pytest.mark.parametrize(
    ("name", "size", "orders"),
    [
        ("C5", 5, [5]), ("D2", 4, [2, 2, 2]), ("D6", 12, [2] * 6 + [6]), ("T", 12, [2] * 3 + [3] * 4),
        ("O", 24, [2] * 6 + [3] * 4 + [4] * 3), ("I", 60, [2] * 15 + [3] * 10 + [5] * 6),
    ],
)  # fmt: skip
@given(st.integers(0, 2**20))
@settings(max_examples=10)
def test_rotations_that_are_half_a_degree_off_become_the_group_that_they_come_from(name, size, orders, seed):
    whole = Rotation.create_group(name)
    pose = Rotation.random(random_state=seed)
    rng = np.random.default_rng(seed)
    off = Rotation.from_rotvec(rng.normal(size=(len(whole), 3)) * np.deg2rad(0.3))
    group = exact_group((off * pose * whole * pose.inv()).as_matrix())
    assert len(group) == size
    products = np.einsum("iab,jbc->ijac", group, group).reshape(-1, 3, 3)
    nearest = np.abs(products[:, None] - group[None]).max(axis=(2, 3)).min(axis=1)
    assert nearest.max() < 1e-12
    assert sorted(order for _, order in axes_of(group)) == orders


def test_a_group_grows_from_some_of_its_turns():
    quarter = Rotation.from_euler("z", 90, degrees=True).as_matrix()
    half = Rotation.from_euler("x", 180, degrees=True).as_matrix()
    group = exact_group([quarter, half])
    assert sorted(order for _, order in axes_of(group)) == [2, 2, 2, 2, 4]


def test_turns_that_never_come_back_are_no_group():
    assert exact_group([Rotation.from_euler("z", 50, degrees=True).as_matrix(),
                        Rotation.from_euler("x", 50, degrees=True).as_matrix()]) is None  # fmt: skip


def test_no_turn_is_the_group_of_none():
    group = exact_group([])
    assert group.tolist() == [np.eye(3).tolist()]
    assert axes_of(group) == ()
