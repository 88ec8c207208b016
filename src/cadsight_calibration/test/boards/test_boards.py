"""Boards are found where they are drawn, in every order in which they look the same, and what is wrong is told."""

import re

import cv2
import numpy as np
import pytest
from cadsight_calibration.boards.april_grid import AprilTagGrid
from cadsight_calibration.boards.board import board_from, load_board
from cadsight_calibration.boards.charuco import Charuco
from cadsight_calibration.boards.chessboard import Chessboard
from cadsight_calibration.boards.drawing import board_image, write_board
from cadsight_calibration.boards.found import Found, Missing
from cadsight_calibration.boards.looking import look_for
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from cadsight_core.imaging.images import write_image
from planted import photograph

SCALE = 5.0


def _image(board, turned=0, blur=0.8):
    image = cv2.GaussianBlur(board_image(board, SCALE), (0, 0), blur)
    return np.ascontiguousarray(np.rot90(image, turned))


@pytest.mark.parametrize(
    ("board", "orders"),
    [
        (Chessboard((9, 7)), 2),
        (Chessboard((8, 5)), 1),
        (Chessboard((6, 6)), 4),
        (Chessboard((7, 7)), 2),
        (Charuco(), 1),
        (Charuco(squares=(7, 5)), 1),
        (Charuco(squares=(6, 6), legacy=True), 1),
        (AprilTagGrid(), 1),
        (AprilTagGrid((3, 2), first=40), 1),
    ],
)
def test_a_drawn_board_is_found_in_every_order_that_looks_the_same(board, orders):
    found = board.find(_image(board))
    assert isinstance(found, Found)
    assert len(found.points) == orders
    page = board.printed()
    first = page.margin_mm + (board.square_mm if isinstance(board, Chessboard) else 0.0)
    expected = (found.points[..., :2] * 1e3 + first) * SCALE - 0.5
    worst = abs(expected - found.pixels).max(axis=(1, 2))
    assert worst.min() < 0.35  # one of the orders is the one that was drawn
    # The others are turns of it: every point has the same distance from the board's middle.
    middle = found.points.mean(axis=1, keepdims=True)
    distances = np.linalg.norm(found.points - middle, axis=-1)
    np.testing.assert_allclose(distances, np.broadcast_to(distances[:1], distances.shape), atol=1e-9)


def test_a_chessboard_whose_colours_tell_is_found_in_one_order_also_upside_down():
    board = Chessboard((8, 5))
    upright, turned = board.find(_image(board)), board.find(_image(board, turned=2))
    height, width = _image(board).shape
    mirrored = np.array([width - 1, height - 1]) - turned.pixels
    by_place = {tuple(np.round(p * 1e3).astype(int)): q for p, q in zip(turned.points[0], mirrored, strict=True)}
    for point, pixel in zip(upright.points[0], upright.pixels, strict=True):
        np.testing.assert_allclose(by_place[tuple(np.round(point * 1e3).astype(int))], pixel, atol=0.3)


@pytest.mark.parametrize(
    ("board", "image", "reason", "words"),
    [
        (Chessboard((8, 6)), _image(Chessboard()), "other_board", "the chessboard has 9 x 7 inner corners"),
        (Chessboard((10, 8)), _image(Chessboard()), "other_board", "shows 9 x 7 inner corners"),
        (Chessboard(), _image(Chessboard())[:, :600], "cut_off", "4 x 7|7 x 4"),
        (Chessboard(), np.full((300, 400), 200, np.uint8), "no_board", "no chessboard was found"),
        (Charuco(), _image(AprilTagGrid()), "other_board", "the tags are of the family apriltag_36h11"),
        (Charuco(), np.full((300, 400), 200, np.uint8), "no_board", "no tag was found"),
        (Charuco(), _image(Charuco())[:, :330], "too_few", "expected at least 6 corners"),
        (AprilTagGrid(first=100), _image(AprilTagGrid()), "too_few", "the tags 0, 1, 2, 3, 4 were found"),
    ],
)
def test_a_board_that_is_not_there_is_told_with_what_is(board, image, reason, words):
    seen = board.find(np.ascontiguousarray(image))
    assert isinstance(seen, Missing)
    assert seen.reason == reason
    assert re.search(words, seen.words), seen.words
    assert board.words in seen.words


def test_a_charuco_board_half_out_of_view_is_found_by_what_is_seen():
    found = Charuco().find(np.ascontiguousarray(_image(Charuco())[:, :800]))
    assert isinstance(found, Found)
    assert 6 <= len(found.pixels) < 35


def test_a_blurred_board_is_left_out_with_how_far_it_is(tmp_path):
    pose = Pose.from_rotvec([0.3, 0.2, 0.1], [-0.08, -0.06, 0.7]).matrix
    sharp = photograph(pose, Chessboard())
    paths = []
    for name, blur in (("sharp", 0.0), ("blurred", 6.0)):
        image = cv2.GaussianBlur(sharp, (0, 0), blur) if blur else sharp
        paths.append(tmp_path / f"{name}.png")
        write_image(paths[-1], np.repeat(image[..., None], 3, axis=2))
    looked = look_for(Chessboard(), paths, ["sharp.png", "blurred.png"])
    assert looked.rows == (0,)
    (fault,) = looked.faults
    assert fault.kind == "blurred"
    assert re.match(r"blurred.png is blurred: black turns to white over \d+\.\d px", fault.sentence)


def test_images_of_two_sizes_are_refused(tmp_path):
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    write_image(paths[0], np.zeros((60, 80, 3), np.uint8))
    write_image(paths[1], np.zeros((48, 64, 3), np.uint8))
    with pytest.raises(CadsightError, match="expected images of one size"):
        look_for(Chessboard(), paths, ["a.png", "b.png"])


@pytest.mark.parametrize("board", [Chessboard(), Charuco(), AprilTagGrid()])
def test_pages_are_to_scale(board, tmp_path):
    page = board.printed()
    width = page.width_mm + 2 * page.margin_mm
    pdf = write_board(board, tmp_path / "a.pdf").read_bytes()
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+) ?\]", pdf)
    assert abs(float(box[1]) / 72 * 25.4 - width) < 0.01
    svg = write_board(board, tmp_path / "a.svg").read_text()
    assert abs(float(re.search(r'width="([\d.]+)pt"', svg)[1]) / 72 * 25.4 - width) < 0.01
    png = write_board(board, tmp_path / "a.png", 254)
    assert cv2.imread(str(png), 0).shape[1] == round(10 * width)


def test_the_same_board_is_the_same_file_twice(tmp_path):
    one, other = (write_board(Charuco(), tmp_path / f"{name}.pdf").read_bytes() for name in "ab")
    assert one == other


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(CadsightError, match=r"ends in '.doc', expected one of .pdf, .svg, .png"):
        write_board(Charuco(), tmp_path / "a.doc")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("circles: {}", "expected one key of chessboard, charuco, april_tag_grid"),
        ("charuco: {square_mm: 20.0, marker_mm: 25.0}", "marker_mm is 25, expected less than square_mm 20"),
        ("charuco: {family: 9x9_1}", "family is '9x9_1', expected one of"),
        ("charuco: {squares: [20, 20], family: 4x4_50}", "too few tags, expected one of 200 or more"),
        ("chessboard: {corners: [9, 2]}", "corners is 2, expected at least 3"),
        ("chessboard: {size: 20.0}", "unknown key 'size'"),
        ("april_tag_grid: {tags: [1, 1]}", "expected at least 2 tags"),
    ],
)
def test_a_board_that_cannot_be_is_refused(text, words, tmp_path):
    path = tmp_path / "board.yaml"
    path.write_text(text)
    with pytest.raises(CadsightError, match=re.escape(words)):
        load_board(path)


def test_each_kind_is_read_by_its_key():
    assert board_from({"chessboard": {"corners": [9, 7], "square_mm": 20}}, "it") == Chessboard()
    assert board_from({"april_tag_grid": {}}, "it") == AprilTagGrid()
