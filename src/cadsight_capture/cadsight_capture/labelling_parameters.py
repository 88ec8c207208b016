"""What the labelling node and `cadsight label` have to know about the cell."""

from dataclasses import dataclass, field

from cadsight_cell.arm import ArmParameters
from cadsight_cell.holder import mount_parameter, pose_from_list
from cadsight_core.config.parameters import parameter
from cadsight_core.geometry import Pose
from cadsight_ros.convert.camera_topics import CAMERA_INFO, IMAGE
from cadsight_ros.convert.transports import transport_parameter

from cadsight_capture.hand_eye.correction import HandEyeParameters
from cadsight_capture.labels.agreement import AgreementParameters
from cadsight_capture.labels.colour import ColourParameters
from cadsight_capture.labels.labelling import LabellingParameters


@dataclass(frozen=True)
class LabellingNodeParameters(ArmParameters):
    """The parameters of the node ``labelling``; `cadsight label` reads the same section."""

    part: str = parameter("", "YAML of the part that the arm holds (a path or package://); needed to label")
    mount: tuple[float, ...] = mount_parameter()
    labels: str = parameter(
        "", "labels.json of a session whose hand-eye correction is used (a path or package://); empty for none"
    )
    base_frame: str = parameter("base_link", "frame that the arm's kinematics start from", kind="frame")
    tool_frame: str = parameter("tool0", "frame that the mount is given in", kind="frame")
    live: bool = parameter(False, "whether every image is labelled, by the transforms at its stamp, and published")
    image_topic: str = parameter(IMAGE, "images to label when live", kind="topic")
    image_transport: str = transport_parameter()
    camera_info_topic: str = parameter(CAMERA_INFO, "their camera", kind="topic")
    autostart: bool = parameter(True, "whether the node configures and activates itself")
    workers: int = parameter(2, "images labelled at the same time", minimum=1, maximum=256)
    colour: ColourParameters = field(default_factory=ColourParameters)
    hand_eye: HandEyeParameters = field(default_factory=HandEyeParameters)
    agreement: AgreementParameters = field(default_factory=AgreementParameters)

    def __post_init__(self) -> None:
        super().__post_init__()
        pose_from_list(self.mount, "mount")

    @property
    def tool_from_part(self) -> Pose:
        return pose_from_list(self.mount, "mount")

    @property
    def labelling(self) -> LabellingParameters:
        return LabellingParameters(self.colour, self.hand_eye, self.agreement, self.workers)
