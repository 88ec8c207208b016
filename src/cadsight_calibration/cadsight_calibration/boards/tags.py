"""The families of tags that OpenCV knows, and tags as black rectangles."""

from typing import Any

import cv2
import numpy as np
from cadsight_core.errors import ParameterError
from cadsight_core.geometry import Array
from numpy.typing import NDArray

FAMILIES = {name.removeprefix("DICT_").lower(): name for name in sorted(dir(cv2.aruco)) if name.startswith("DICT_")}


def dictionary(family: str) -> Any:
    """OpenCV's dictionary of a family such as ``apriltag_36h11``.

    Raises:
        ParameterError: for a family that it does not know.
    """
    if family.lower() not in FAMILIES:
        raise ParameterError("family", f"is {family!r}, expected one of {', '.join(FAMILIES)}")
    return cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, FAMILIES[family.lower()]))


def number_of_tags(family: str) -> int:
    """How many tags a family has."""
    return int(dictionary(family).bytesList.shape[0])


def tag_rectangles(family: str, number: int, x: float, y: float, side: float) -> Array:
    """(N, 4) black rectangles of a tag whose upper left corner lies at (x, y), a run of black modules each."""
    words = dictionary(family)
    modules = int(words.markerSize) + 2
    image = cv2.aruco.generateImageMarker(words, number, modules, borderBits=1)
    step, found = side / modules, []
    for row in range(modules):
        dark = np.flatnonzero(np.diff(np.concatenate([[0], (image[row] < 128).astype(int), [0]])))
        for begin, end in dark.reshape(-1, 2):
            found.append((x + begin * step, y + row * step, (end - begin) * step, step))
    return np.array(found)


def detector_parameters() -> Any:
    """Settings under which corners of tags are found to a fraction of a pixel."""
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    return parameters


def other_family(gray: NDArray[np.uint8], not_this: str) -> str:
    """The family of which an image shows the most tags, at least three; empty where there is none."""
    best, most = "", 2
    for family in FAMILIES:
        if family == not_this.lower():
            continue
        _, ids, _ = cv2.aruco.ArucoDetector(dictionary(family)).detectMarkers(gray)
        if ids is not None and len(ids) > most:
            best, most = family, len(ids)
    return best
