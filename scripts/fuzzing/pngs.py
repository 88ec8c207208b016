"""Changes inside of PNG, with check sums that are right."""

import struct
import zlib
from random import Random

from fuzzing import octets


def png_changed(data: bytes, rng: Random) -> bytes | None:
    """A PNG with one chunk changed, doubled, moved or gone, its check sum right."""
    chunks, at = [], 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    if not chunks:
        return None
    chosen, kind = rng.randrange(len(chunks)), rng.randrange(6)
    if kind == 0:
        chunks.insert(rng.randrange(len(chunks)), chunks[chosen])
    elif kind == 1:
        del chunks[chosen]
    else:
        name, content = chunks[chosen]
        chunks[chosen] = (name, octets.changed(content, (), rng))
    return data[:8] + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )
