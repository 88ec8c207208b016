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
    """The same picture under another name elsewhere, without its labels."""
    image = folder / f"{name}.png"
    image.write_bytes(sample.image.read_bytes())
    return dataclasses.replace(sample, name=name, image=image, instances=())


def test_the_content_of_a_picture_is_the_sha_256_of_its_bytes(pictures, tmp_path):
    image = tmp_path / "abc.png"
    image.write_bytes(b"abc")
    # The first example of FIPS 180-4's SHA-256.
    wanted = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert content(dataclasses.replace(pictures[0], image=image)) == wanted
    with pytest.raises(CadsightError, match=r"the picture .*gone\.png of train000 could not be read"):
        content(dataclasses.replace(pictures[0], image=tmp_path / "gone.png"))


def test_pictures_that_were_learned_from_are_refused_by_content_and_named(pictures, other_pictures, tmp_path):
    (tmp_path / LEARNED_FROM).write_bytes(LearnedFrom.of(pictures[:5], other_pictures[:2], "scratch").to_bytes())
    twin = copied(pictures[3], tmp_path, "renamed")
    with pytest.raises(
        CadsightError,
        match=rf"{tmp_path} learned from 1 of the 3 pictures to judge it by, the first is renamed \({twin.image}\), "
        "expected pictures that training never saw",
    ):
        refuse_learned(tmp_path, [*other_pictures[2:], twin])
    assert refuse_learned(tmp_path, [*pictures[5:], *other_pictures[2:]]) == []


def test_pictures_that_validated_and_a_model_that_does_not_tell_are_noted(pictures, other_pictures, tmp_path):
    (untold,) = refuse_learned(tmp_path, pictures)
    assert "does not tell which pictures it learned from" in untold
    (tmp_path / LEARNED_FROM).write_bytes(LearnedFrom.of(pictures, other_pictures[:3], "scratch").to_bytes())
    (sentence,) = refuse_learned(tmp_path, other_pictures)
    assert sentence.startswith(f"by 3 of the 4 pictures {tmp_path} was validated")


def test_what_a_model_started_from_counts_as_learned_from(pictures, other_pictures, tmp_path):
    for name in ("first", "second", "third"):
        (tmp_path / name).mkdir()
    (tmp_path / "first" / "weights.pt").write_bytes(b"")
    first = LearnedFrom.of(pictures[:3], other_pictures[:1], "scratch")
    (tmp_path / "first" / LEARNED_FROM).write_bytes(first.to_bytes())
    second = LearnedFrom.of(pictures[3:4], other_pictures[1:2], str(tmp_path / "first" / "weights.pt"))
    (tmp_path / "second" / LEARNED_FROM).write_bytes(second.to_bytes())
    assert load_learned_from(tmp_path / "second") == second
    assert second.train == tuple(sorted(content(s)[:16] for s in pictures[:4]))
    # Those that validated the first one taught the second one nothing.
    assert second.valid == (content(other_pictures[1])[:16],)
    (tmp_path / "third" / "weights.pt").write_bytes(b"")
    alone = LearnedFrom.of(pictures[3:4], (), str(tmp_path / "third" / "weights.pt"))
    assert alone.train == (content(pictures[3])[:16],)


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


def test_what_is_kept_is_sixteen_digits_a_picture(pictures, tmp_path):
    (tmp_path / LEARNED_FROM).write_bytes(LearnedFrom.of(pictures[:1], [], "scratch").to_bytes())
    data = json.loads((tmp_path / LEARNED_FROM).read_text())
    assert data == {"format": "cadsight-learned-from-1", "train": [content(pictures[0])[:16]], "valid": []}


def test_a_picture_that_validates_and_is_learned_from_is_refused_or_noted(pictures, other_pictures, tmp_path):
    twin = copied(pictures[2], tmp_path, "twin")
    valid = [*other_pictures, twin]
    with pytest.raises(CadsightError, match=r"twin of the validation set .* is train002 of the training set"):
        refuse_validation(pictures, valid)
    (sentence,) = copies(pictures, valid)
    assert sentence.startswith("1 of the 5 pictures that validate are copies of such to train on")
    assert sentence.endswith(f"{twin.image}, a copy of {pictures[2].image}")
    refuse_validation(pictures, other_pictures)
    assert copies(pictures, other_pictures) == []
