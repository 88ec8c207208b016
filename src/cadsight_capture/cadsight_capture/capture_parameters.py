"""What a capture node is set up with."""

from dataclasses import dataclass

from cadsight_core.config.parameters import parameter

from cadsight_capture.ros_cell import RosCellParameters
from cadsight_capture.session import SessionParameters
from cadsight_capture.views.poses import PoseParameters


@dataclass(frozen=True)
class CaptureParameters(PoseParameters, RosCellParameters, SessionParameters):
    """Parameters of the capture node."""

    hand_eye_file: str = parameter(
        "none", "file of the hand-eye calibration on /tf_static, whose hash goes into each record; none: not known"
    )
    output_folder: str = parameter("runs/capture", "folder that the sessions are written to", kind="text")
