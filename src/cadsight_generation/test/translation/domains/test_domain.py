import dataclasses

import numpy as np
import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import read_image, write_image
from cadsight_generation.translation.domains.domain import canvas_of, compared, domain_of
from cadsight_learning.data.loading import load_images
from two_domains import write_domain


@pytest.fixture
def samples(tmp_path):
    write_domain(tmp_path / "set", 4, real=False)
    return list(load_images([tmp_path / "set"]))


def emptied(sample):
    label = dataclasses.replace(sample.instances[0], mask=np.zeros((64, 64), bool))
    return dataclasses.replace(sample, instances=(label,))


def test_an_image_with_an_empty_mask_is_left_out_and_counted(samples):
    domain = domain_of("synthetic", [emptied(samples[0]), *samples[1:]], 2)
    assert len(domain.samples) == 3
    assert compared(domain, domain, (["hexagon"], ["hexagon"]))[0] == "1 synthetic images are left out: empty mask"


def test_one_image_many_times_is_no_domain(samples):
    with pytest.raises(CadsightError, match="the real domain has 1 images that differ, expected at least 2"):
        domain_of("real", [samples[0]] * 5, 2)


def test_grey_and_coloured_images_together_are_refused(samples):
    grey = np.repeat(read_image(samples[0].image)[..., :1], 3, axis=2)
    write_image(samples[0].image, grey)
    with pytest.raises(CadsightError, match="of the real images 1 are grey and 3 have colours"):
        domain_of("real", samples, 2)
    assert domain_of("real", [samples[1], samples[2]], 2).grey is False


def test_a_class_that_no_real_image_has_is_refused_and_one_more_is_told(samples):
    domain = domain_of("synthetic", samples, 2)
    bare = dataclasses.replace(domain, samples=[dataclasses.replace(s, instances=()) for s in samples])
    with pytest.raises(CadsightError, match="the class bolt is in synthetic images and in no real one"):
        compared(domain, domain, (["bolt"], ["nut"]))
    assert "cannot be matched" in compared(domain, bare, (["hexagon"], []))[0]


def test_images_of_several_sizes_are_seen_at_one(samples):
    sample, image = samples[0], read_image(samples[0].image)
    for longer in (32, 128):
        canvas = canvas_of(sample, image, longer, {})
        assert canvas.image.shape == (longer, longer, 3)
        assert canvas.mask is not None
        assert canvas.mask.mean() == pytest.approx(sample.instances[0].mask.mean(), abs=0.01)
        assert canvas.condition().shape == (longer, longer, 4)
