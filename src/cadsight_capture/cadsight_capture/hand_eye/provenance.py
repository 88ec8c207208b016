"""Which hand-eye calibration images were taken with."""

from collections.abc import Callable
from pathlib import Path

from cadsight_calibration.hand_eye.hand_eye_file import digest, read_hand_eye


def provenance(hand_eye_file: str, resolve: Callable[[str], Path] = Path) -> dict[str, str]:
    """What each record says of the hand-eye file: its SHA-256; nothing where none is given.

    Args:
        resolve: makes a path of a file's name.

    Raises:
        CadsightError: for a file that is missing or no hand-eye file.
    """
    if hand_eye_file in ("", "none"):
        return {}
    path = resolve(hand_eye_file)
    read_hand_eye(path)
    return {"hand_eye_sha256": digest(path)}
