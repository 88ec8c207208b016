"""Boxes of labelling tools in pixels, with values by hand, and turned images against Pillow."""

import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.formats.labelling.answers import Drawn
from cadsight_core.formats.labelling.placing import placed, turned_upright
from cadsight_core.imaging.images import image_size, orientation_of, read_image
from PIL import Image

SIZE = ImageSize(200, 100)


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        (Drawn("a", 0.1, 0.2, 0.3, 0.4), (20, 20, 80, 60)),
        (Drawn("a", 0.4, 0.6, -0.3, -0.4), (20, 20, 80, 60)),
        (Drawn("a", 0.1, 0.2, 0.3, 0.4, stated=(200, 100)), (20, 20, 80, 60)),
        (Drawn("a", 0.1, 0.2, 0.3, 0.4, stated=(100, 50)), (20, 20, 80, 60)),
        # A quarter turn about the corner at (20, 20): 60 to the right become 60 down, 40 down become 40 to the left.
        (Drawn("a", 0.1, 0.2, 0.3, 0.4, degrees=90), (-20, 20, 20, 80)),
        (Drawn("a", 0.1, 0.2, 0.3, 0.4, degrees=360), (20, 20, 80, 60)),
        # About the centre at (50, 40) the sides change places.
        (Drawn("a", 0.1, 0.2, 0.3, 0.4, degrees=90, about_corner=False), (30, 10, 70, 70)),
    ],
)
def test_a_box_in_fractions_is_one_in_pixels(drawn, expected):
    box, corners = placed(drawn, SIZE)
    assert box.as_tuple() == pytest.approx(expected, abs=1e-9)
    assert corners is None


def test_a_turned_box_has_its_corners_and_the_upright_box_around_them():
    # 3-4-5: 50 along (4, 3)/5 is (40, 30), and 25 across it (-3, 4)/5 is (-15, 20).
    degrees = float(np.degrees(np.arctan2(3, 4)))
    box, corners = placed(Drawn("a", 0.5, 0.2, 0.25, 0.25, degrees), SIZE)
    np.testing.assert_allclose(corners, [(100, 20), (140, 50), (125, 70), (85, 40)], atol=1e-9)
    assert box.as_tuple() == pytest.approx((85, 20, 140, 70))


@pytest.mark.parametrize("stated", [(100, 200), (200, 150), (0, 100)])
def test_an_image_of_other_sides_is_refused(stated):
    with pytest.raises(CadsightError, match="expected 200 x 100 as in the image"):
        placed(Drawn("a", 0, 0, 1, 1, stated=stated), SIZE)


def test_a_number_that_is_none_is_refused():
    with pytest.raises(CadsightError, match="expected finite ones"):
        placed(Drawn("a", float("nan"), 0, 1, 1), SIZE)


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_a_box_of_the_stored_image_stands_where_the_same_pixels_are_upright(tmp_path, orientation):
    stored = np.zeros((40, 60, 3), np.uint8)
    stored[5:15, 10:40] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(stored).save(tmp_path / "a.png", exif=exif)
    size = image_size(tmp_path / "a.png")
    assert orientation_of(tmp_path / "a.png") == orientation
    assert (size.width, size.height) == (40, 60)
    rows, columns = np.nonzero(read_image(tmp_path / "a.png")[..., 0])
    seen = Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    drawn = Drawn("a", 10 / 60, 5 / 40, 30 / 60, 10 / 40, stated=(60, 40))
    box, corners = placed(drawn, size, orientation)
    assert box.as_tuple() == pytest.approx(seen.as_tuple())
    assert corners is None
    # As the browser shows it, the same box is of the upright image.
    shown = Drawn("a", seen.x0 / 40, seen.y0 / 60, seen.width / 40, seen.height / 60, stated=(40, 60))
    assert placed(shown, size, orientation)[0].as_tuple() == pytest.approx(seen.as_tuple())


def test_turning_keeps_the_corners_of_the_image():
    corners = np.array([(0.0, 0.0), (60, 0), (60, 40), (0, 40)])
    for orientation in (5, 6, 7, 8):
        turned = turned_upright(corners, ImageSize(60, 40), orientation)
        assert sorted(map(tuple, turned)) == [(0, 0), (0, 60), (40, 0), (40, 60)]
