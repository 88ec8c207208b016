import dataclasses

import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import read_image, write_image
from cadsight_core.sample import Instance, Sample
from cadsight_generation.data.stack import Wanted, find_images, read_stack, refuse_alike
from cadsight_learning.registry.provenance import content
from small_sets import folder_of_images, masked_set, rectangle


def stack_of(*paths, **wanted):
    return read_stack(find_images(paths), Wanted(**{"size": 16, **wanted}))


def test_images_come_as_one_block_known_by_their_files(tmp_path):
    folder = folder_of_images(tmp_path / "a", 3)
    stack = stack_of(folder, size=32)
    assert stack.pixels.shape == (3, 3, 32, 32)
    assert stack.origins == ("real",) * 3
    for path in folder.iterdir():
        sample = Sample(path.stem, path, ImageSize(32, 32))
        number = stack.contents.index(content(sample))
        assert np.array_equal(stack.pixels[number].permute(1, 2, 0).numpy(), read_image(path))


def test_a_set_with_masks_gives_them_as_a_fourth_channel(tmp_path):
    stack = stack_of(masked_set(tmp_path / "a", 2), size=32)
    assert stack.label == "block"
    assert np.array_equal(stack.pixels[1, 3].numpy() > 0, rectangle(1)[1])
    assert stack_of(tmp_path / "a", masks=False).pixels.shape[1] == 3


def test_images_of_several_sizes_and_one_shape_are_all_taken(tmp_path):
    folder = folder_of_images(tmp_path / "a", 2, width=64, height=48)
    folder_of_images(folder, 2, first=2, width=32, height=24)
    stack = stack_of(folder)
    assert stack.pixels.shape == (4, 3, 16, 16)
    assert stack.aspect == pytest.approx(4 / 3)


def test_images_of_several_shapes_are_refused(tmp_path):
    folder = folder_of_images(tmp_path / "a", 2, width=64, height=48)
    folder_of_images(folder, 1, first=2)
    with pytest.raises(CadsightError, match=r"several shapes, such as 002.png of 32 x 32 .* of 64 x 48 pixels, exp"):
        stack_of(folder)


def grey_image(path, number):
    image, _ = rectangle(number)
    write_image(path, np.repeat(image[..., :1], 3, axis=2))


def test_grey_images_beside_coloured_ones_are_refused_unless_all_are_turned_grey(tmp_path):
    folder = folder_of_images(tmp_path / "a", 2)
    grey_image(folder / "grey.png", 5)
    with pytest.raises(CadsightError, match=r"1 of 3 images are grey .*grey.png, expected all alike, or --grey"):
        stack_of(folder)
    pixels = stack_of(folder, grey=True).pixels
    assert (pixels == pixels[:, :1]).all()


def test_a_set_that_is_grey_all_over_is_taken(tmp_path):
    (tmp_path / "a").mkdir()
    for number in range(2):
        grey_image(tmp_path / "a" / f"{number}.png", number)
    assert len(stack_of(tmp_path / "a")) == 2


def test_copies_count_once(tmp_path):
    folder = folder_of_images(tmp_path / "a", 2)
    (folder / "copy.png").write_bytes((folder / "000.png").read_bytes())
    stack = stack_of(folder)
    assert len(stack) == 2
    assert stack.notes == ("1 of 3 images are copies of others and are left out",)


def test_images_to_validate_or_test_by_are_left_out(tmp_path):
    masked_set(tmp_path / "a", 2)
    masked_set(tmp_path / "a", 1, first=2, split="valid")
    masked_set(tmp_path / "a", 1, first=3, split="test")
    stack = stack_of(tmp_path / "a")
    assert len(stack) == 2
    assert stack.notes == ("2 of 4 images are of other splits than train and are left out",)


def test_a_set_of_test_images_alone_is_refused(tmp_path):
    with pytest.raises(CadsightError, match="have no image to learn from"):
        find_images([masked_set(tmp_path / "a", 1, split="test")])


def test_small_images_are_enlarged_and_that_is_said(tmp_path):
    stack = stack_of(folder_of_images(tmp_path / "a", 2), size=64)
    assert stack.pixels.shape == (2, 3, 64, 64)
    assert "2 of 2 images are smaller than 64 pixels and are enlarged" in stack.notes[0]


def test_one_image_is_refused(tmp_path):
    with pytest.raises(CadsightError, match="a has one image, expected at least 2 that differ"):
        refuse_alike(stack_of(folder_of_images(tmp_path / "a", 1)), "a")


def test_one_image_in_several_encodings_is_refused(tmp_path):
    image = np.full((32, 32, 3), 90, np.uint8)
    image[8:20, 4:24] = 160, 170, 180
    (tmp_path / "a").mkdir()
    for name in ("a.png", "b.jpg", "c.bmp"):
        write_image(tmp_path / "a" / name, image)
    with pytest.raises(CadsightError, match="the 3 images of a all look the same, expected some that differ"):
        refuse_alike(stack_of(tmp_path / "a"), "a")


def test_images_that_differ_are_not_refused(tmp_path):
    refuse_alike(stack_of(folder_of_images(tmp_path / "a", 2)), "a")


def test_a_mask_that_is_empty_is_refused(tmp_path):
    dataset = Dataset.create(tmp_path / "a", ["block"])
    image, _ = rectangle(0)
    empty = Instance(0, Box(1, 1, 4, 4), np.zeros((32, 32), bool), source="render")
    dataset.append(Sample("odd", image="odd.png", size=ImageSize(32, 32), instances=(empty,)), image)
    with pytest.raises(CadsightError, match=r"a mask of odd .* is empty, expected the pixels of a part"):
        stack_of(tmp_path / "a")


def without_mask(folder, name, classes=("block",)):
    dataset = Dataset.create(folder, classes, exist_ok=True)
    image, mask = rectangle(9)
    box = Instance(len(classes) - 1, Box.from_mask(mask), source="human")
    dataset.append(Sample(name, image="x.png", size=ImageSize(32, 32), instances=(box,)), image)


def test_masks_are_left_out_where_an_image_lacks_one_unless_they_are_asked_for(tmp_path):
    folder = masked_set(tmp_path / "a", 2)
    without_mask(folder, "boxed")
    assert stack_of(folder).label == ""
    with pytest.raises(CadsightError, match=r"1 of 3 images of .* have no mask, expected one in each"):
        stack_of(folder, masks=True)


def test_masks_of_several_classes_are_refused_where_they_are_asked_for(tmp_path):
    dataset = Dataset.create(tmp_path / "a", ["block", "ring"])
    image, mask = rectangle(0)
    one = Instance(0, Box.from_mask(mask), mask, source="render")
    for name, class_id in (("a", 0), ("b", 1)):
        sample = Sample(name, name, ImageSize(32, 32), None, (dataclasses.replace(one, class_id=class_id),))
        dataset.append(sample, image)
    with pytest.raises(CadsightError, match="have the classes block, ring, expected one"):
        stack_of(tmp_path / "a", masks=True)
