import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import read_image
from cadsight_generation.holding.check import LabelCheck
from cadsight_generation.translation.model import Translator
from cadsight_generation.translation.networks.generator import Generator
from cadsight_generation.translation.translating import REFUSED, translate_set
from cadsight_learning.data.loading import load_images
from two_domains import write_domain


class Darker:
    """Darkens an image, and shifts that of one name."""

    record = {"model": "darker", "kind": "test", "model_sha256": "0"}

    def __init__(self, shifted="", fails=""):
        self.shifted, self.fails, self.seen = shifted, fails, 0

    def check(self, sample, image):
        if sample.name == self.fails:
            raise KeyboardInterrupt

    def translated(self, sample, image):
        self.seen += 1
        dark = (image * 0.7).astype(np.uint8)
        return np.roll(dark, 4, axis=1) if sample.name == self.shifted else dark


@pytest.fixture
def samples(tmp_path):
    write_domain(tmp_path / "set", 4, real=False, side=96)
    return list(load_images([tmp_path / "set"]))


def test_a_translated_set_keeps_its_labels_and_says_where_it_comes_from(samples, tmp_path):
    done = translate_set(samples, ["hexagon"], Darker("s1"), tmp_path / "out", LabelCheck())
    assert done.left_out == 1
    assert done.refused["moved"] == 1
    dataset = Dataset.open(tmp_path / "out")
    assert dataset.names == ("s0", "s2", "s3")
    sample = dataset["s2"]
    assert sample.origin == "translated"
    assert sample.instances[0].box == samples[2].instances[0].box
    made = sample.record["translation"]
    assert (made["model"], made["model_sha256"], made["source"]) == ("darker", "0", "s2")
    assert len(made["source_sha256"]) == 64
    assert made["check"]["moved_px"] < 0.35
    lines = (tmp_path / "out" / REFUSED).read_text().splitlines()
    assert json.loads(lines[1])["name"] == "s1"


def test_a_run_that_was_stopped_goes_on_without_translating_again(samples, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        translate_set(samples, ["hexagon"], Darker("s1", fails="s2"), tmp_path / "out", LabelCheck())
    rest = Darker("s1")
    done = translate_set(samples, ["hexagon"], rest, tmp_path / "out", LabelCheck())
    assert rest.seen == 2
    assert (len(done.dataset), done.left_out) == (3, 1)


def test_another_set_and_no_images_are_refused(samples, tmp_path):
    other = Darker()
    other.record = {**Darker.record, "model": "other"}
    translate_set(samples[:1], ["hexagon"], Darker(), tmp_path / "out", LabelCheck())
    with pytest.raises(CadsightError, match="holds another data set"):
        translate_set(samples, ["hexagon"], other, tmp_path / "out", LabelCheck())
    with pytest.raises(CadsightError, match="have no images"):
        translate_set([], ["hexagon"], Darker(), tmp_path / "none", LabelCheck())


def test_a_translator_of_grey_images_refuses_coloured_ones_and_labels_without_a_mask(samples):
    translator = Translator(Generator(4, 1, True, True), 48, True, {}, {})
    image = read_image(samples[0].image)
    with pytest.raises(CadsightError, match="has colours, expected a grey image"):
        translator.check(samples[0], image)
    coloured = replace(translator, grey=False)
    coloured.check(samples[0], image)
    bare = replace(samples[0], instances=(replace(samples[0].instances[0], mask=None),))
    with pytest.raises(CadsightError, match="has a label without a mask"):
        coloured.check(bare, image)


@pytest.mark.parametrize("size", [(96, 96), (90, 61), (33, 48)])
def test_an_image_keeps_its_size_whatever_it_is_seen_at(size):
    translator = Translator(Generator(4, 1, True, True), 48, False, {}, {})
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    from cadsight_core.camera import ImageSize
    from cadsight_core.sample import Sample

    sample = Sample("a", Path("a.png"), ImageSize(size[1], size[0]))
    assert translator.translated(sample, image).shape == image.shape
