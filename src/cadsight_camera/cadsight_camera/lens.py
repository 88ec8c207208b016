"""Which intrinsics belong to the images of a camera: those of its calibration, or what is assumed without one."""

import math

from cadsight_core.camera import Camera, ImageSize
from cadsight_core.errors import CadsightError


def assumed_camera(size: ImageSize, field_of_view_deg: float, frame: str) -> Camera:
    """A pinhole without distortion whose axis goes through the image's middle, ``field_of_view_deg`` wide."""
    focal = size.width / 2 / math.tan(math.radians(field_of_view_deg) / 2)
    return Camera(size, focal, focal, (size.width - 1) / 2, (size.height - 1) / 2, (), frame)


def camera_for(size: ImageSize, calibrated: Camera | None, field_of_view_deg: float, frame: str) -> Camera | None:
    """The camera of images of ``size``; None where there is no calibration and no field of view, 0, to assume.

    Raises:
        CadsightError: for a calibration of another size.
    """
    if calibrated is None:
        return assumed_camera(size, field_of_view_deg, frame) if field_of_view_deg else None
    if calibrated.size != size:
        raise CadsightError(
            f"the calibration is for {calibrated.size.width} x {calibrated.size.height} pixels, expected the images' "
            f"{size.width} x {size.height}: calibrate at that size, or ask the camera for the other"
        )
    return calibrated
