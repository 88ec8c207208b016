import dataclasses
import json

import pytest
from cadsight_core.errors import CadsightError
from cadsight_learning.registry.provenance import (
    LEARNED_FROM,
    LearnedFrom,
    content,
    copies,
    load_learned_from,
    refuse_learned,
    refuse_validation,
)


def copied(sample, folder, name):
    """The same image under another name elsewhere, without its labels."""
    image = folder / f"{name}.png"
    image.write_bytes(sample.image.read_bytes())
    return dataclasses.replace(sample, name=name, image=image, instances=())


def test_the_content_of_an_image_is_the_sha_256_of_its_bytes(block_samples, tmp_path):
    image = tmp_path / "abc.png"
    image.write_bytes(b"abc")
    # The first example of FIPS 180-4's SHA-256.
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert content(dataclasses.replace(block_samples[0], image=image)) == expected
    with pytest.raises(CadsightError, match=r"the image .*gone\.png of train000 could not be read"):
        content(dataclasses.replace(block_samples[0], image=tmp_path / "gone.png"))


def test_images_that_were_learned_from_are_refused_by_content_and_named(block_samples, other_samples, tmp_path):
    (tmp_path / LEARNED_FROM).write_bytes(LearnedFrom.of(block_samples[:5], other_samples[:2], "scratch").to_bytes())
    twin = copied(block_samples[3], tmp_path, "renamed")
    with pytest.raises(
        CadsightError,
        match=rf"{tmp_path} learned from 1 of the 3 images to evaluate it on, the first is renamed \({twin.image}\), "
        "expected images that training never saw",
    ):
        refuse_learned(tmp_path, [*other_samples[2:], twin])
    assert refuse_learned(tmp_path, [*block_samples[5:], *other_samples[2:]]) == []


def test_validation_images_and_a_model_without_a_list_of_images_are_noted(block_samples, other_samples, tmp_path):
    (note,) = refuse_learned(tmp_path, block_samples)
    assert "does not tell which images it learned from" in note
    (tmp_path / LEARNED_FROM).write_bytes(LearnedFrom.of(block_samples, other_samples[:3], "scratch").to_bytes())
    (sentence,) = refuse_learned(tmp_path, other_samples)
    assert sentence.startswith(f"by 3 of the 4 images {tmp_path} was validated")


def test_what_a_model_started_from_counts_as_learned_from(block_samples, other_samples, tmp_path):
    for name in ("first", "second", "third"):
        (tmp_path / name).mkdir()
    (tmp_path / "first" / "weights.pt").write_bytes(b"")
    first = LearnedFrom.of(block_samples[:3], other_samples[:1], "scratch")
    (tmp_path / "first" / LEARNED_FROM).write_bytes(first.to_bytes())
    second = LearnedFrom.of(block_samples[3:4], other_samples[1:2], str(tmp_path / "first" / "weights.pt"))
    (tmp_path / "second" / LEARNED_FROM).write_bytes(second.to_bytes())
    assert load_learned_from(tmp_path / "second") == second
    assert second.train == tuple(sorted(content(s)[:16] for s in block_samples[:4]))
    # Those that validated the first one taught the second one nothing.
    assert second.valid == (content(other_samples[1])[:16],)
    (tmp_path / "third" / "weights.pt").write_bytes(b"")
    alone = LearnedFrom.of(block_samples[3:4], (), str(tmp_path / "third" / "weights.pt"))
    assert alone.train == (content(block_samples[3])[:16],)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ("[]", "holds a list"),
        ('{"format": "other", "train": [], "valid": []}', "has the format 'other'"),
        ('{"format": "cadsight-learned-from-1", "train": []}', "has the keys"),
        ('{"format": "cadsight-learned-from-1", "train": "0", "valid": []}', "has the keys"),
        ('{"format": "cadsight-learned-from-1", "train": ["0123"], "valid": []}', "has the keys"),
        ('{"format": "cadsight-learned-from-1", "train": [7], "valid": []}', "has the keys"),
        ('{"format": "cadsight-learned-from-1", "train": [], "valid": ["0123456789abcdeX"]}', "has the keys"),
    ],
)
def test_a_list_that_is_not_ours_is_refused(text, words, tmp_path):
    (tmp_path / LEARNED_FROM).write_text(text)
    with pytest.raises(CadsightError, match=rf"{LEARNED_FROM} .*{words}"):
        load_learned_from(tmp_path)


def test_what_is_kept_is_sixteen_digits_an_image(block_samples, tmp_path):
    (tmp_path / LEARNED_FROM).write_bytes(LearnedFrom.of(block_samples[:1], [], "scratch").to_bytes())
    data = json.loads((tmp_path / LEARNED_FROM).read_text())
    assert data == {"format": "cadsight-learned-from-1", "train": [content(block_samples[0])[:16]], "valid": []}


def test_an_image_that_validates_and_is_learned_from_is_refused_or_noted(block_samples, other_samples, tmp_path):
    twin = copied(block_samples[2], tmp_path, "twin")
    valid = [*other_samples, twin]
    with pytest.raises(CadsightError, match=r"twin of the validation set .* is train002 of the training set"):
        refuse_validation(block_samples, valid)
    (sentence,) = copies(block_samples, valid)
    assert sentence.startswith("1 of the 5 images that validate are copies of such to train on")
    assert sentence.endswith(f"{twin.image}, a copy of {block_samples[2].image}")
    refuse_validation(block_samples, other_samples)
    assert copies(block_samples, other_samples) == []
