import pytest
from cadsight_generation.unconditional.options import options_for
from cadsight_generation.unconditional.pretraining import pretrained
from small_sets import learned_images, masked_set


def options(**given):
    return options_for("smoke", {"images_seen": 8, "width": 4, "z": 8, "sheet_images": 4, **given}, "here")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return learned_images(masked_set(tmp_path_factory.mktemp("drawn") / "set", 5))


def test_what_was_learned_already_is_not_learned_again(drawn, tmp_path):
    first = pretrained(drawn, tmp_path / "m", options())
    reported = []
    again = pretrained(drawn, tmp_path / "m", options(), reported.append)
    assert again.version == first.version
    assert reported == []


@pytest.mark.parametrize("given", [{"seed": 1}, {"images_seen": 16}])
def test_other_options_are_another_training(given, drawn, tmp_path):
    first = pretrained(drawn, tmp_path / "m", options())
    assert pretrained(drawn, tmp_path / "m", options(**given)).version != first.version


def test_other_images_are_another_training(drawn, tmp_path):
    first = pretrained(drawn, tmp_path / "m", options())
    others = learned_images(masked_set(tmp_path / "others", 5, first=10))
    second = pretrained(others, tmp_path / "m", options())
    assert second.version != first.version
    assert not set(second.learned_from) & set(first.learned_from)
