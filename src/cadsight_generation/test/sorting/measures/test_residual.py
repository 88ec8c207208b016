import cv2
import numpy as np
import pytest
from cadsight_generation.sorting.measures.residual import AlignedResidual, small


def blobs(seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), np.uint8)
    return np.asarray(cv2.resize(pixels, (96, 96), interpolation=cv2.INTER_CUBIC), np.uint8)


IMAGES = [blobs(seed) for seed in range(12)]
SMALL = np.stack([small(image) for image in IMAGES])
RESIDUAL = AlignedResidual.of(SMALL)


@pytest.mark.parametrize(
    "changed",
    [
        lambda image: image,
        lambda image: image[:, ::-1],
        lambda image: image[::-1],
        lambda image: np.roll(image, (4, -2), (0, 1)),
        lambda image: (image * 0.6 + 30).astype(np.uint8),
    ],
    ids=["the same", "mirrored", "upside down", "shifted", "relit"],
)
def test_a_changed_copy_is_nearer_to_its_image_than_any_other_image_is(changed):
    found = RESIDUAL.between(small(changed(IMAGES[3]))[None], SMALL)[0]
    others = RESIDUAL.between(SMALL, SMALL) + np.eye(len(SMALL))
    assert found.argmin() == 3
    assert found[3] < 0.3 * others.min()


def test_without_mirroring_a_mirrored_copy_is_another_image():
    mirrored = small(IMAGES[3][:, ::-1])[None]
    assert RESIDUAL.between(mirrored, SMALL, mirrored=False)[0, 3] > 0.3


def test_an_inverted_image_and_one_without_contrast_are_no_copies():
    for image in (255 - IMAGES[3], np.full((96, 96, 3), 100, np.uint8)):
        assert RESIDUAL.between(small(image)[None], SMALL[3:4], mirrored=False)[0, 0] == pytest.approx(1, abs=0.3)
