"""Changes inside of files whose outside must fit: check sums and lengths are made anew."""

import io
import struct
import zipfile
import zlib
from random import Random

from fuzzing import octets
from fuzzing.trees import json_changed


def glb_changed(data: bytes, rng: Random) -> bytes | None:
    """A GLB with one node of its JSON changed."""
    if len(data) < 20 or data[:4] != b"glTF":
        return None
    (length,) = struct.unpack_from("<I", data, 12)
    text = json_changed(data[20 : 20 + length].rstrip(b"\0"), rng)
    if text is None:
        return None
    text += b" " * (-len(text) % 4)
    rest = data[20 + length :]
    return b"glTF" + struct.pack("<IIII", 2, 20 + len(text) + len(rest), len(text), 0x4E4F534A) + text + rest


def zip_changed(data: bytes, rng: Random) -> bytes | None:
    """An archive, such as PyTorch's weights, with bytes of one member changed."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(name, archive.read(name)) for name in archive.namelist()]
    except (
        zipfile.BadZipFile,
        OSError,
        ValueError,
        NotImplementedError,
        EOFError,
        zlib.error,
        RuntimeError,
        struct.error,
    ):
        return None
    if not members:
        return None
    # The pickle lists what the other members are.
    at = rng.choice(
        [*range(len(members)), *(i for i, (name, _) in enumerate(members) for _ in range(9) if name.endswith(".pkl"))]
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number, (name, content) in enumerate(members):
            if number == at and rng.random() < 0.05:
                continue
            archive.writestr(name, octets.changed(content, (), rng) if number == at else content)
    return out.getvalue()
