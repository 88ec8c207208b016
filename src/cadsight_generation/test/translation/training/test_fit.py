import json
from dataclasses import replace

import numpy as np
import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import read_image
from cadsight_generation.translation.domains.domain import domain_of
from cadsight_generation.translation.model import load_translator
from cadsight_generation.translation.options import options_for
from cadsight_generation.translation.training.choice import score_of
from cadsight_generation.translation.training.fit import Domains, fit_translator
from cadsight_learning.data.loading import load_images
from cadsight_learning.registry.model_folder import STATE, WEIGHTS
from two_domains import write_domain


class MeanColours:
    """Six features of an image: means and deviations of its colours."""

    name, copy_distance = "mean colours", 0.0

    def of(self, images):
        return np.array([[*i.mean(axis=(0, 1)), *i.std(axis=(0, 1))] for i in images]) / 255

    def class_probabilities(self, features):
        return None


@pytest.fixture(scope="module")
def domains(tmp_path_factory):
    folder = tmp_path_factory.mktemp("domains")
    write_domain(folder / "s", 5, real=False)
    write_domain(folder / "r", 6, real=True)
    real = list(load_images([folder / "r"]))
    synthetic = domain_of("synthetic", load_images([folder / "s"]), 2)
    return Domains(synthetic, domain_of("real", real[:4], 2), real[4:], ["hexagon"])


def options(kind="cut-demod", **given):
    small = {"kind": kind, "device": "cpu", "size": 16, "sheet_images": 2, "pool": 2}
    return options_for("smoke", {**small, **given}, "a test")


class Killed(BaseException):
    pass


@pytest.mark.parametrize("kind", ["cut-demod", "cyclegan", "cyclegan-demod"])
def test_a_killed_training_goes_on_to_the_same_bytes(kind, domains, tmp_path):
    card = fit_translator(domains, tmp_path / "whole", options(kind), extractor=MeanColours())
    assert card.epochs == 2
    assert card.extra["images_seen"] == 8

    def kill(report):
        raise Killed

    with pytest.raises(Killed):
        fit_translator(domains, tmp_path / "cut", options(kind), kill, extractor=MeanColours())
    assert (tmp_path / "cut" / STATE).exists()
    fit_translator(domains, tmp_path / "cut", options(kind), extractor=MeanColours())
    whole, cut = (load_translator(tmp_path / name, tmp_path, "cpu") for name in ("whole", "cut"))
    assert {k: v.tolist() for k, v in whole.generator.state_dict().items()} == {
        k: v.tolist() for k, v in cut.generator.state_dict().items()
    }
    assert (tmp_path / "whole" / WEIGHTS).read_bytes() == (tmp_path / "cut" / WEIGHTS).read_bytes()
    assert not (tmp_path / "cut" / STATE).exists()
    rows = json.loads((tmp_path / "cut" / "curves.json").read_text())
    assert {"train/generator_adversarial", "valid/kid", "valid/holding", "images_seen"} <= rows[0].keys()
    assert read_image(tmp_path / "cut" / "sheets" / "00002.png").shape == (3 * 230, 2 * 230, 3)


def test_other_options_do_not_go_on_with_a_training(domains, tmp_path):
    def kill(report):
        raise Killed

    with pytest.raises(Killed):
        fit_translator(domains, tmp_path / "m", options(), kill, extractor=MeanColours())
    with pytest.raises(CadsightError, match="unfinished training on other data or with other options"):
        fit_translator(domains, tmp_path / "m", options(seed=1), extractor=MeanColours())


def test_too_few_held_out_images_are_refused(domains, tmp_path):
    with pytest.raises(CadsightError, match="1 real images are held out, expected at least 2"):
        fit_translator(replace(domains, held_out=domains.held_out[:1]), tmp_path / "m", options())


def test_an_epoch_whose_labels_hold_comes_before_one_that_is_more_real():
    real, held = {"kid": 0.01, "holding": 0.5}, {"kid": 0.3, "holding": 0.95}
    assert score_of(held, 0.9) > score_of(real, 0.9)
    assert score_of(real, 0.4) > score_of(held, 0.4)
    assert score_of({"kid": 0.5, "holding": 0.6}, 0.9) > score_of({"kid": 0.0, "holding": 0.5}, 0.9)
