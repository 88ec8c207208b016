import dataclasses

import numpy as np
import pytest
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import write_image
from cadsight_learning.data.labelled_images import LabelledImages, alike, labelled, refuse_maskless, resized


@pytest.mark.parametrize("longer", [64, 96, 128, 320])
@pytest.mark.parametrize("size", [(96, 64), (64, 96), (31, 97), (500, 3)])
def test_shapes_are_known_before_images_are_read(size, longer, tmp_path, block_samples):
    width, height = size
    write_image(tmp_path / "a.png", np.zeros((height, width, 3), np.uint8))
    sample = dataclasses.replace(
        block_samples[0], image=tmp_path / "a.png", size=ImageSize(width, height), instances=()
    )
    for make in (LabelledImages.resized, LabelledImages.framed):
        images = make([sample], longer, False)
        assert images.shapes[0] == images[0].image.shape[:2]


def test_images_are_those_that_were_read_at_once(block_samples):
    images = LabelledImages.resized(block_samples, 64, square=True, masks=True, keep=10**6)
    for _ in range(2):
        for one, sample in zip(images, block_samples, strict=True):
            expected = resized(labelled(sample, True, masks=True), 64)
            np.testing.assert_array_equal(one.image, expected.image)
            np.testing.assert_array_equal(one.boxes, expected.boxes)
            np.testing.assert_array_equal(one.masks, expected.masks)


def test_an_image_is_read_when_it_is_taken_out_and_not_before(block_samples, tmp_path):
    write_image(tmp_path / "a.png", np.zeros((64, 96, 3), np.uint8))
    images = LabelledImages.resized([dataclasses.replace(block_samples[0], image=tmp_path / "a.png")], 96, False)
    write_image(tmp_path / "a.png", np.full((64, 96, 3), 7, np.uint8))
    assert images[0].image.min() == 7


def test_images_of_one_shape_go_together():
    images = [np.zeros((2, side, 3), np.uint8) for side in (4, 5, 4, 4, 5)]
    assert list(alike(images, 2)) == [[0, 2], [3], [1, 4]]


def test_a_label_without_a_mask_is_refused_before_anything_is_learned(block_samples):
    bare = dataclasses.replace(
        block_samples[1], instances=(dataclasses.replace(block_samples[1].instances[0], mask=None),)
    )
    with pytest.raises(CadsightError, match=f"{bare.name} has a label without a mask"):
        refuse_maskless([block_samples[0], bare])
