"""Text files of others: UTF-8 with or without a byte order mark, UTF-16 with one, and a sentence on any other."""

import codecs
from pathlib import Path

from cadsight_core.errors import CadsightError

# UTF-32's little-endian mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Bytes that a text in Windows-1252 does not have; Latin-1 has control characters there.
_NOT_WINDOWS = frozenset(b"\x81\x8d\x8f\x90\x9d")


def read_text(path: str | Path) -> str:
    """The text of a file in UTF-8, or in UTF-16 or UTF-32 that says so by a byte order mark, which is left out.

    Raises:
        CadsightError: when it cannot be read, or is in another encoding, which is named as far as it is known.
    """
    try:
        return text_of(Path(path).read_bytes(), path)
    except OSError as error:
        raise CadsightError(f"{path} could not be read: {error.strerror}") from error


def text_of(data: bytes, path: str | Path) -> str:
    """The text that ``data``, the bytes of the file ``path``, are.

    Raises:
        CadsightError: as :func:`read_text`.
    """
    mark, encoding = next(((m, e) for m, e in _MARKS if data.startswith(m)), (b"", "utf-8"))
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        guess = _guess(data) if not mark else f"broken {encoding.upper()}"
        raise CadsightError(
            f"{path} is not in UTF-8 (byte 0x{data[len(mark) + error.start]:02x} in line {line}); it looks like "
            f"{guess}, expected UTF-8, as `iconv -t UTF-8` writes it"
        ) from error
    if "\0" in text:
        raise CadsightError(f"{path} is not in UTF-8 but {_guess(data)}, expected UTF-8 or a byte order mark")
    return text


def _guess(data: bytes) -> str:
    even, odd = data[0::2].count(0), data[1::2].count(0)
    if max(even, odd) > len(data) // 8:
        return "UTF-16 without a byte order mark" if min(even, odd) < len(data) // 16 + 1 else "no text"
    if data.count(0):
        return "no text"
    high = [byte for byte in data if byte >= 0x80]
    if any(0x80 <= byte <= 0x9F for byte in high) and not _NOT_WINDOWS & set(high):
        return "Windows-1252 (CP1252)"
    return "Latin-1 (ISO 8859-1) or Windows-1252 (CP1252)"
