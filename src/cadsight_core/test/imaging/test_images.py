import struct

import cv2
import numpy as np
import pytest
import tifffile
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import image_size, read_image, write_image
from PIL import Image

COLOURS = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [10, 20, 30]]], np.uint8)


def test_a_png_comes_back_pixel_by_pixel_in_rgb(tmp_path):
    write_image(tmp_path / "a.png", COLOURS)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), COLOURS)
    with Image.open(tmp_path / "a.png") as image:
        assert image.getpixel((0, 0)) == (255, 0, 0)


def test_a_jpeg_keeps_its_colours_apart_from_compression(tmp_path):
    red = np.full((16, 16, 3), (200, 30, 40), np.uint8)
    write_image(tmp_path / "a.jpg", red)
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - red).max() <= 4


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.fromarray(np.full((4, 5), 7, np.uint8)), (7, 7, 7)),
        (Image.fromarray(np.full((4, 5), 0x1234, np.uint16)), (0x12,) * 3),
        (Image.new("RGBA", (5, 4), (1, 2, 3, 128)), (1, 2, 3)),
        (Image.new("1", (5, 4), 1), (255, 255, 255)),
        (Image.new("P", (5, 4), 0), (0, 0, 0)),
    ],
    ids=["grey", "16 bits", "alpha", "black and white", "palette"],
)
def test_every_kind_of_image_is_read_as_rgb(tmp_path, image, expected):
    image.save(tmp_path / "a.png")
    pixels = read_image(tmp_path / "a.png")
    assert pixels.shape == (4, 5, 3)
    assert pixels.dtype == np.uint8
    assert (pixels == expected).all()


def test_an_image_taken_upright_is_turned_as_in_its_exif(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right to see it upright
    Image.fromarray(np.zeros((30, 40, 3), np.uint8)).save(tmp_path / "a.jpg", exif=exif)
    assert read_image(tmp_path / "a.jpg").shape == (40, 30, 3)
    assert image_size(tmp_path / "a.jpg") == ImageSize(30, 40)


def test_the_size_is_read_from_the_header_alone(tmp_path, image_file):
    whole = image_file("a.png", width=400, height=300).read_bytes()
    (tmp_path / "b.png").write_bytes(whole[:200])
    assert image_size(tmp_path / "b.png") == ImageSize(400, 300)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("left", [0.3, 0.9])
def test_a_truncated_image_is_refused_in_a_sentence(tmp_path, image_file, suffix, left):
    whole = image_file(f"a{suffix}", width=200, height=200).read_bytes()
    (tmp_path / f"a{suffix}").write_bytes(whole[: int(len(whole) * left)])
    with pytest.raises(CadsightError, match=r"the image .*a\.\w+ could not be read: .*expected a whole image file"):
        read_image(tmp_path / f"a{suffix}")


@pytest.mark.parametrize("read", [read_image, image_size])
@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "does not exist"), (b"", "is empty"), (b"hello, this is text", "in no known format"), (b"\x89PNG", "read")],
)
def test_what_is_no_image_is_refused_in_a_sentence(tmp_path, read, content, words):
    if content is not None:
        (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(CadsightError, match=words) as caught:
        read(tmp_path / "a.png")
    assert "a.png" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "pixels", "words"),
    [
        ("a.png", np.zeros((0, 5, 3), np.uint8), r"is \(0, 5, 3\) uint8"),
        ("a.png", np.zeros((4, 5), np.uint8), r"expected \(H, W, 3\) uint8"),
        ("a.png", np.zeros((4, 5, 3)), "float64"),
        ("a.xyz", COLOURS, "ends in '.xyz'"),
    ],
)
def test_what_cannot_be_written_is_refused_and_nothing_is_written(tmp_path, name, pixels, words):
    with pytest.raises(CadsightError, match=words):
        write_image(tmp_path / name, pixels)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_an_image_is_turned_and_mirrored_as_opencv_does(tmp_path, orientation, suffix):
    pixels = np.zeros((32, 48, 3), np.uint8)
    pixels[:16, :24] = (250, 30, 30)  # a quarter alone, so that every orientation differs
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = tmp_path / f"a{suffix}"
    Image.fromarray(pixels).save(file, exif=exif, **({"lossless": True} if suffix == ".webp" else {}))
    ours = read_image(file)
    if suffix in (".jpg", ".png"):
        theirs = cv2.imread(str(file))[..., ::-1]
        assert ours.shape == theirs.shape
        assert np.abs(ours.astype(int) - theirs).max() <= 3
    row, column = np.argwhere(ours[..., 0] > 128).mean(axis=0) < np.array(ours.shape[:2]) / 2
    expected = {1: (1, 1), 2: (1, 0), 3: (0, 0), 4: (0, 1), 5: (1, 1), 6: (1, 0), 7: (0, 0), 8: (0, 1)}
    assert (row, column) == tuple(map(bool, expected[orientation]))
    size = image_size(file)
    assert (size.height, size.width) == ours.shape[:2]


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (np.linspace(0, 1, 80, dtype=np.float32).reshape(8, 10), "floating-point numbers of 32 bits"),
        (np.arange(80, dtype=np.int32).reshape(8, 10), "whole numbers of 32 bits"),
    ],
)
def test_numbers_without_a_known_white_are_refused(tmp_path, pixels, words):
    Image.fromarray(pixels).save(tmp_path / "a.tif")
    for read in (read_image, image_size):
        with pytest.raises(CadsightError, match=words):
            read(tmp_path / "a.tif")


def test_an_image_of_several_pages_is_refused_and_a_small_copy_in_it_is_no_page(tmp_path):
    pages = [Image.fromarray(np.full((8, 10, 3), value, np.uint8)) for value in (10, 200, 90)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(CadsightError, match=r"a\.tif has 3 pages, expected one"):
        read_image(tmp_path / "a.tif")
    with tifffile.TiffWriter(tmp_path / "b.tif") as file:
        file.write(np.full((8, 10, 3), 10, np.uint8), photometric="rgb")
        file.write(np.full((4, 5, 3), 200, np.uint8), photometric="rgb", subfiletype=1)
    assert read_image(tmp_path / "b.tif").max() == 10


def test_avif_is_read_and_not_written(tmp_path):
    Image.fromarray(np.full((8, 10, 3), (200, 30, 30), np.uint8)).save(tmp_path / "a.avif", quality=95)
    assert image_size(tmp_path / "a.avif") == ImageSize(10, 8)
    assert np.abs(read_image(tmp_path / "a.avif").astype(int) - (200, 30, 30)).max() <= 6
    with pytest.raises(CadsightError, match=r"ends in '\.avif', expected one of \.png"):
        write_image(tmp_path / "b.avif", np.zeros((4, 4, 3), np.uint8))


def without_palette(path):
    """An indexed PNG whose PLTE is gone, its other chunks whole."""
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).quantize(4).save(path, transparency=0)
    data = path.read_bytes()
    at = data.index(b"PLTE") - 4
    (length,) = struct.unpack_from(">I", data, at)
    path.write_bytes(data[:at] + data[at + 12 + length :])


def cut_avif(path):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)).save(path)
    data = path.read_bytes()
    at = data.index(b"mdat") + 4
    path.write_bytes(data[:at] + b"\xff" * (len(data) - at))


def second_page_without_size(path):
    """A TIFF whose second page has no width (tag 256)."""
    image = Image.new("RGB", (4, 4))
    image.save(path, save_all=True, append_images=[image])
    data = bytearray(path.read_bytes())
    (first,) = struct.unpack_from("<I", data, 4)
    (entries,) = struct.unpack_from("<H", data, first)
    (second,) = struct.unpack_from("<I", data, first + 2 + 12 * entries)
    struct.pack_into("<H", data, second + 2, 255)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("name", "make"), [("a.png", without_palette), ("a.avif", cut_avif), ("a.tif", second_page_without_size)]
)
def test_what_pillow_falls_over_is_refused_in_a_sentence(tmp_path, name, make):
    make(tmp_path / name)
    with pytest.raises(CadsightError, match=r"the image .*a\.\w+ could not be read: .+, expected a whole image file"):
        read_image(tmp_path / name)


@pytest.mark.parametrize("read", [read_image, image_size])
def test_a_small_file_that_would_fill_the_memory_is_refused_by_its_header(tmp_path, read):
    Image.new("1", (12_000, 6_000)).save(tmp_path / "a.png")
    with pytest.raises(CadsightError, match=r"12000 x 6000 pixels in \d+ bytes, expected at most 50000000"):
        read(tmp_path / "a.png")
