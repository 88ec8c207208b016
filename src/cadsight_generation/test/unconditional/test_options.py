import pytest
from cadsight_core.errors import CadsightError
from cadsight_generation.unconditional.options import SCALES, options_for


def test_what_is_given_comes_before_the_kind_and_the_kind_before_the_scale():
    found = options_for("gpu", {"kind": "dcgan", "loss": "wgan", "penalty": "wgan-gp"}, "here")
    assert (found.size, found.width, found.loss, found.augment, found.r1) == (256, 64, "wgan", "none", 0.0)
    assert (found.learning_rate, found.beta1, found.z) == (2e-4, 0.5, 128)


@pytest.mark.parametrize("scale", SCALES)
def test_the_images_of_all_epochs_are_those_that_were_asked_for(scale):
    found = options_for(scale, {}, "here")
    seen = found.epochs * found.epoch_steps * found.batch
    assert abs(seen - found.images_seen) <= 0.02 * found.images_seen


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"size": 48}, "the size is 48, expected one of 16, 32, 64"),
        ({"kind": "stylegan"}, "the kind of generator is 'stylegan', expected one of default, dcgan"),
        ({"loss": "mse"}, "loss is 'mse', expected one of gan, lsgan, hinge, hinge2, wgan"),
        ({"penalty_weight": 3.0}, "there is no penalty, expected 'wgan-gp' or 'dragan'"),
        ({"device": "tpu"}, "the device is 'tpu'"),
    ],
)
def test_what_cannot_be_is_refused(given, sentence):
    with pytest.raises(CadsightError, match=sentence):
        options_for("smoke", given, "here")


def test_an_unknown_scale_is_refused():
    with pytest.raises(CadsightError, match="the scale is 'huge', expected one of smoke, cpu, gpu"):
        options_for("huge", {}, "here")
