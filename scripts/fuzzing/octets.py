"""Changes of bytes that know nothing of what the bytes mean."""

import struct
from collections.abc import Sequence
from random import Random

_INTEGERS = (
    0,
    1,
    2,
    3,
    7,
    8,
    16,
    127,
    128,
    255,
    256,
    1000,
    32767,
    32768,
    65535,
    65536,
    2**24,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**63,
)
_FLOATS = (0.0, -1.0, 1e-30, 1e30, 3e38, float("inf"), float("nan"))


def changed(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """``data`` with one position flipped, overwritten, cut, doubled, or filled from one of ``others``."""
    kind = rng.randrange(9)
    at = _position(len(data), rng)
    length = min(rng.choice((1, 1, 2, 4, 8, 16, 64, 1000)), max(len(data) - at, 0))
    if kind == 0 and data:
        at = min(at, len(data) - 1)
        return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
    if kind == 1:
        return data[:at]
    if kind == 2:
        return data[:at] + data[at + length :]
    if kind == 3:
        return data[:at] + data[at : at + length] * rng.choice((2, 3, 50)) + data[at + length :]
    if kind == 4:
        return data[:at] + rng.randbytes(length) + data[at + length :]
    if kind == 5:
        return data[:at] + rng.randbytes(rng.choice((1, 2, 4, 100))) + data[at:]
    if kind == 6 and others:
        other = rng.choice(others)
        there = _position(len(other), rng)
        return data[:at] + other[there : there + rng.choice((4, 16, 256, len(other)))] + data[at + length :]
    number = _number(rng)
    return data[:at] + number + data[at + len(number) :]


def _position(length: int, rng: Random) -> int:
    """Heads of files decide more than the rest, so every second position is among the first 64 bytes."""
    return rng.randrange(min(length, 64) + 1) if rng.random() < 0.5 else rng.randrange(length + 1)


def _number(rng: Random) -> bytes:
    order = rng.choice("<>")
    if rng.random() < 0.2:
        return struct.pack(order + rng.choice("fd"), rng.choice(_FLOATS))
    size, letter = rng.choice(((1, "B"), (2, "H"), (4, "I"), (8, "Q")))
    return struct.pack(order + letter, rng.choice(_INTEGERS) % (1 << 8 * size))
