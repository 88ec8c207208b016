import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.formats.files.text_files import read_text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_is_read_without_its_byte_order_mark(tmp_path, encoding):
    (tmp_path / "a.txt").write_bytes("Mutter groß\n螺母\n".encode(encoding))
    assert read_text(tmp_path / "a.txt") == "Mutter groß\n螺母\n"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("bolt\ngroß\n".encode("latin-1"), r"byte 0xdf in line 2\); it looks like Latin-1 \(ISO 8859-1\)"),
        ("5 €\n".encode("cp1252"), r"byte 0x80 in line 1\); it looks like Windows-1252 \(CP1252\), expected UTF-8"),
        ("bolt\n".encode("utf-16-le"), "but UTF-16 without a byte order mark"),
        ("bolt\n".encode("utf-16-be"), "but UTF-16 without a byte order mark"),
        (b"\x00\x01\x02\x00\x00\x00", "is not in UTF-8 but"),
        (b"\xef\xbb\xbfbolt\xff", "it looks like broken UTF-8"),
    ],
)
def test_another_encoding_is_refused_by_its_name(tmp_path, data, words):
    (tmp_path / "a.txt").write_bytes(data)
    with pytest.raises(CadsightError, match=words) as caught:
        read_text(tmp_path / "a.txt")
    assert str(caught.value).startswith(f"{tmp_path / 'a.txt'} is not in UTF-8")


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(CadsightError, match=r"none\.txt could not be read: No such file"):
        read_text(tmp_path / "none.txt")
