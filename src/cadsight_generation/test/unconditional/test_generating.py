import numpy as np
import pytest
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import read_image
from cadsight_generation.unconditional import generating
from cadsight_generation.unconditional.generating import write_generated
from cadsight_generation.unconditional.model import load_generator
from cadsight_generation.unconditional.options import options_for
from cadsight_generation.unconditional.training import fit_generator
from cadsight_learning.registry.card import ModelCard
from cadsight_learning.registry.store import save_model, version
from small_sets import folder_of_images, learned_images, masked_set

OPTIONS = options_for("smoke", {"images_seen": 8, "width": 4, "z": 8, "sheet_images": 4}, "here")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated")
    fit_generator(learned_images(folder_of_images(folder / "own", 3, width=32, height=24)), folder / "m", OPTIONS)
    return load_generator(folder / "m", "cpu")


def test_a_generated_set_says_where_its_images_come_from(model, tmp_path):
    write_generated(model, 3, tmp_path / "set", 7)
    dataset = Dataset.open(tmp_path / "set")
    assert dataset.extra == {"generated_by": {"model": version(model.folder), "kind": "default", "seed": 7}}
    assert [s.origin for s in dataset] == ["generated"] * 3
    assert [s.record for s in dataset][2] == {"generator": version(model.folder), "seed": 7, "number": 2}


def test_images_have_the_shape_of_those_that_were_learned_from(model):
    (image, mask), *_ = model.images(1, 0)
    assert image.shape == (16, 21, 3)
    assert mask is None


def test_image_n_of_a_seed_is_the_same_whatever_the_count(model, tmp_path):
    few, many = write_generated(model, 3, tmp_path / "few", 5), write_generated(model, 25, tmp_path / "many", 5)
    for sample in few:
        assert sample.image.read_bytes() == many[sample.name].image.read_bytes()
    assert len({s.image.read_bytes() for s in many}) == 25


def test_a_set_that_was_begun_is_gone_on_with(model, tmp_path):
    write_generated(model, 2, tmp_path / "set", 5)
    write_generated(model, 22, tmp_path / "set", 5)
    whole = write_generated(model, 22, tmp_path / "whole", 5)
    again = Dataset.open(tmp_path / "set")
    assert again.names == whole.names
    assert again.fingerprint() == whole.fingerprint()


def test_another_seed_makes_other_images_and_is_refused_in_the_same_set(model, tmp_path):
    one, other = write_generated(model, 1, tmp_path / "one", 0), write_generated(model, 1, tmp_path / "other", 1)
    assert not np.array_equal(read_image(one.files[0]), read_image(other.files[0]))
    with pytest.raises(CadsightError, match=r"holds other images than those of .* and the seed 1, expected a new f"):
        write_generated(model, 2, tmp_path / "one", 1)


def test_parts_of_a_mask_are_instances_and_specks_are_none():
    mask = np.zeros((64, 64), bool)
    mask[4:20, 8:30] = mask[40:50, 40:60] = mask[60, 2] = True
    boxes = [i.box.as_tuple() for i in generating._instances(mask)]
    assert boxes == [(8.0, 4.0, 30.0, 20.0), (40.0, 40.0, 60.0, 50.0)]


def test_masks_are_written_as_labels_of_the_model(tmp_path):
    fit_generator(learned_images(masked_set(tmp_path / "own", 4)), tmp_path / "m", OPTIONS)
    dataset = write_generated(load_generator(tmp_path / "m"), 20, tmp_path / "set")
    assert dataset.classes == ("block",)
    instances = [i for s in dataset for i in s.instances]
    assert instances
    assert {i.source for i in instances} == {"model"}
    assert all(i.mask is not None and i.mask.any() for i in instances)


def test_a_model_of_another_kind_is_refused(tmp_path):
    save_model(tmp_path / "m", ModelCard("detector", "yolo11", ("block",), 64), {})
    with pytest.raises(CadsightError, match="holds a model of the kind 'detector', expected a generator"):
        load_generator(tmp_path / "m")
