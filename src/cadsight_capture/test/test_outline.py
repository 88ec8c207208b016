import numpy as np
from cadsight_capture.outline import directions, reach_of_mask, reach_of_points
from hypothesis import given
from hypothesis import strategies as st


def test_four_directions_are_right_down_left_up():
    np.testing.assert_allclose(directions(4), [(1, 0), (0, 1), (-1, 0), (0, -1)], atol=1e-12)


def test_a_mask_reaches_to_its_pixels_outer_sides():
    mask = np.zeros((20, 30), bool)
    mask[5:10, 8:20] = True
    # Pixels 8..19 cover 7.5 to 19.5 where pixel centres are integers; rows 5..9 cover 4.5 to 9.5.
    np.testing.assert_allclose(reach_of_mask(mask, directions(4)), (19.5, 9.5, -7.5, -4.5))


@given(
    st.lists(st.tuples(st.floats(-500, 500), st.floats(-500, 500)), min_size=1, max_size=20),
    st.tuples(st.floats(-100, 100), st.floats(-100, 100)),
)
def test_a_shift_adds_its_part_in_each_direction(points, shift):
    along = directions(16)
    moved = reach_of_points(np.add(points, shift), along)
    np.testing.assert_allclose(moved, reach_of_points(np.array(points), along) + along @ shift, atol=1e-9)
