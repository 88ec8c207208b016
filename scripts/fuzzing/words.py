"""Changes of text that know words, numbers and lines."""

import re
from random import Random

from fuzzing.values import STRINGS, odd_number

_NUMBER = re.compile(r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?")
_WORD = re.compile(r"[A-Za-z_][\w.-]*")
_ENCODINGS = ("utf-16", "utf-8-sig", "latin-1", "utf-16-le", "utf-32", "cp1252")


def changed(data: bytes, rng: Random) -> bytes:
    """``data`` with one number, word or line changed, or in another encoding."""
    text = data.decode("utf-8", "surrogateescape")
    kind = rng.randrange(10)
    if kind < 4:
        text = _with_number(text, rng)
    elif kind == 4:
        text = _swapped(text, _WORD, rng)
    elif kind == 5:
        text = _put(text, _WORD, rng.choice(STRINGS), rng)
    elif kind == 9:
        if rng.random() < 0.2:
            return text.encode(rng.choice(_ENCODINGS), "replace")
        text = text.replace("\n", rng.choice(("\r\n", "\r", "\n\n", "\v", "\u2028", "")))
    else:
        text = _with_line(text, rng)
    return encoded(text)


def encoded(text: str) -> bytes:
    """UTF-8, undecodable bytes as they came; lone surrogates in UTF-8's manner, which no reader may trust."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _with_number(text: str, rng: Random) -> str:
    return _put(text, _NUMBER, odd_number(rng), rng)


def _put(text: str, pattern: re.Pattern[str], new: str, rng: Random) -> str:
    found = list(pattern.finditer(text))
    if not found:
        return text + new
    old = rng.choice(found)
    return text[: old.start()] + new + text[old.end() :]


def _swapped(text: str, pattern: re.Pattern[str], rng: Random) -> str:
    found = list(pattern.finditer(text))
    return _put(text, pattern, rng.choice(found)[0], rng) if found else text


def _with_line(text: str, rng: Random) -> str:
    lines = text.split("\n")
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(5)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(other, lines[at])
    elif kind == 2:
        lines[at], lines[other] = lines[other], lines[at]
    elif kind == 3:
        lines[at] = lines[at] * rng.choice((2, 3, 200))
    else:
        lines[at] = rng.choice(("", " ", "#", "-", "\t", *STRINGS)) + (lines[at] if rng.random() < 0.5 else "")
    return "\n".join(lines)
