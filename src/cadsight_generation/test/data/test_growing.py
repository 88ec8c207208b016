import pytest
from cadsight_core.errors import CadsightError
from cadsight_generation.data.growing import TrainingImages
from cadsight_generation.data.stack import Wanted, find_images, read_stack
from small_sets import folder_of_images, learned_images, masked_set


def test_generated_images_come_after_the_others_and_keep_their_order(tmp_path):
    own, made = folder_of_images(tmp_path / "own", 5), folder_of_images(tmp_path / "made", 2, first=10)
    images = learned_images(own, generated=[made])
    before = images.pixels
    assert (len(images.own), len(images.added)) == (5, 2)
    folder_of_images(made, 1, first=5)  # by its name before the others
    assert images.grow() == 1
    assert len(images.added) == 3
    assert (images.pixels[:7] == before).all()


def test_generated_images_are_at_most_half_of_the_set(tmp_path):
    own, made = folder_of_images(tmp_path / "own", 3), folder_of_images(tmp_path / "made", 8, first=10)
    images = learned_images(own, generated=[made])
    assert (len(images.pixels), len(images.added)) == (6, 3)
    assert images.grow() == 0


def test_what_is_learned_from_already_is_not_added_as_generated(tmp_path):
    own = folder_of_images(tmp_path / "own", 3)
    assert learned_images(own, generated=[own]).added == []


def test_generated_images_are_refused_among_the_others(tmp_path):
    made = masked_set(tmp_path / "made", 2, origin="generated")
    own = folder_of_images(tmp_path / "own", 2, first=5)
    with pytest.raises(CadsightError, match="2 of the 4 images to learn from are generated, expected them by --add-g"):
        learned_images(own, made)


def test_a_training_that_goes_on_has_the_images_that_it_had_in_their_order(tmp_path):
    own, made = folder_of_images(tmp_path / "own", 5), folder_of_images(tmp_path / "made", 2, first=10)
    before = learned_images(own, generated=[made])
    folder_of_images(made, 1, first=5)
    before.grow()
    again = learned_images(own, generated=[made])
    assert again.added != before.added
    again.restore(before.added)
    assert again.added == before.added
    assert (again.pixels == before.pixels).all()


def test_a_generated_image_that_is_gone_is_missed(tmp_path):
    own, made = folder_of_images(tmp_path / "own", 3), folder_of_images(tmp_path / "made", 2, first=10)
    images = learned_images(own, generated=[made])
    added = images.added
    (made / "010.png").unlink()
    with pytest.raises(CadsightError, match="1 of 2 generated images that the training had are gone from"):
        learned_images(own, generated=[made]).restore(added)
    with pytest.raises(CadsightError, match="the training had 2 generated images, expected --add-generated"):
        learned_images(own).restore(added)


def test_generated_images_of_another_shape_are_refused(tmp_path):
    made = folder_of_images(tmp_path / "made", 2, first=10, width=64, height=32)
    with pytest.raises(CadsightError, match=r"are 2.00 times as wide as high, expected 1.00 as the others"):
        learned_images(folder_of_images(tmp_path / "own", 3), generated=[made])


def test_generated_images_need_masks_where_the_others_have_them(tmp_path):
    own = read_stack(find_images([masked_set(tmp_path / "own", 3)]), Wanted(16))
    made = folder_of_images(tmp_path / "made", 2, first=10)
    with pytest.raises(CadsightError, match=r"2 of 2 images of .*made have no mask, expected one in each"):
        TrainingImages(own, Wanted(16), [made])
