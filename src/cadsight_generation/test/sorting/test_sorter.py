from pathlib import Path

import cv2
import numpy as np
import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.formats import load
from cadsight_core.imaging.images import write_image
from cadsight_generation.sorting.options import SortingOptions
from cadsight_generation.sorting.record import agreement_with, for_hand, key_of
from cadsight_generation.sorting.sorter import sort_images


def scene(seed, side=64):
    """A disc and a bar somewhere on a grey table."""
    rng = np.random.default_rng(seed)
    image = np.full((side, side, 3), 150, np.uint8)
    x, y = (int(v) for v in rng.integers(12, side - 12, 2))
    cv2.circle(image, (x, y), 9, (40, 60, 160), -1)
    x, y = (int(v) for v in rng.integers(4, side - 24, 2))
    cv2.rectangle(image, (x, y), (x + 20, y + 7), (200, 180, 60), -1)
    return np.clip(image + rng.normal(0, 3, image.shape), 0, 255).astype(np.uint8)


def written(folder: Path, images) -> list:
    folder.mkdir()
    for number, image in enumerate(images):
        write_image(folder / f"{number:03d}.png", image)
    return list(load(folder)[0])


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    learned = [scene(n) for n in range(8)]
    made = [
        np.ascontiguousarray(learned[2][:, ::-1]),
        np.asarray(cv2.resize(learned[3], (80, 80)), np.uint8),
        np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8),
        *(scene(n) for n in range(100, 103)),
    ]
    real = written(folder / "held", [scene(n) for n in range(50, 69)])
    return written(folder / "made", made), written(folder / "learned", learned), real


@pytest.fixture(scope="module")
def sorting(sets):
    return sort_images(*sets, SortingOptions())


def test_copies_are_red_also_mirrored_and_of_another_size_and_noise_is_white(sorting):
    assert [one.colour for one in sorting.images[:3]] == ["red", "red", "white"]
    assert [one.nearest.name for one in sorting.images[:2]] == ["002", "003"]
    assert sorting.side == 64
    assert sorting.overall.distinct >= 5


def test_answers_are_compared_by_the_images_they_are_about(sorting, tmp_path):
    images = for_hand(sorting, 4)
    answers = ", ".join(f'"{key_of(one)}": "{one.colour}"' for one in images)
    file = tmp_path / "by-hand.json"
    file.write_text('{"format": "cadsight-sorted-by-hand-1", "answers": {' + answers + "}}")
    assert agreement_with(file, sorting.images).table.trace() == 4
    file.write_text('{"format": "cadsight-sorted-by-hand-1", "answers": {"00": "red"}}')
    with pytest.raises(CadsightError, match="not among those sorted here"):
        agreement_with(file, sorting.images)


def test_sets_by_which_nothing_can_be_told_are_refused(sets, tmp_path):
    made, learned, held_out = sets
    again = written(tmp_path / "again", [scene(0)])
    alike = written(tmp_path / "alike", [scene(7)] * 3)
    for trained_on, real, words in (
        (learned, held_out[:18], "at least 19"),
        (learned, [*held_out, *again], "is the training image"),
        (learned, [*held_out, held_out[0]], "is there 2 times"),
        (learned, [*held_out, made[3]], "is among the generated ones"),
        (learned[:1], held_out, "one training image came"),
        (alike, held_out, "are alike"),
    ):
        with pytest.raises(CadsightError, match=words):
            sort_images(made, trained_on, real, SortingOptions())
