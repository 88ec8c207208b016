"""Parameters of the nodes of this package."""

from dataclasses import dataclass

from cadsight_core.config.parameters import check, parameter
from cadsight_learning.options import MODELS_FOLDER, RUNTIMES
from cadsight_ros.convert.camera_topics import CAMERA_INFO, DEPTH, IMAGE
from cadsight_ros.convert.transports import transport_parameter

from cadsight_perception.approach.parameters import ApproachParameters


@dataclass(frozen=True)
class PerceptionParameters:
    """Parameters of the perception node. Topics of its results are changed by remapping."""

    autostart: bool = parameter(True, "configure and activate itself at start; false: a lifecycle manager does")
    image_topic: str = parameter(IMAGE, "images of the camera", kind="topic")
    image_transport: str = transport_parameter()
    camera_info_topic: str = parameter(CAMERA_INFO, "intrinsics of the camera", kind="topic")
    depth_topic: str = parameter(DEPTH, "depth in the camera's pixels, with use_depth", kind="topic")
    models_folder: str = parameter(MODELS_FOLDER, "the model registry: one folder a model", kind="text")
    detector: str = parameter(
        "detector",
        "name of the detector that is served at start; later ~/load_model decides, and the status says",
        kind="text",
    )
    regressor: str = parameter("normals", "name of the normal regressor that is served at start, likewise", kind="text")
    served_file: str = parameter(
        "",
        "file of what was served, a line a change; at a start the last models of it that can be served go on, in place "
        "of detector and regressor; empty: none, and generations begin at 1",
    )
    confidence: float = parameter(
        0.5, "detections below it are left out; may be set while the node runs", minimum=0.0, maximum=1.0,
        changeable=True,
    )  # fmt: skip
    max_detections: int = parameter(10, "most detections in an image", minimum=1, maximum=300)
    threads: int = parameter(0, "threads of one model call; 0: as many as torch chooses", minimum=0, maximum=256)
    runtime: str = parameter(
        "auto",
        "what runs the models: auto, the first of openvino-bf16 (where it agrees with float32), openvino, onnxruntime "
        "and torch that the machine has (on a GPU torch), or one of these; exported when first served",
        choices=RUNTIMES,
    )
    warm_up_width: int = parameter(
        640, "width of the image that the models are warmed up with", minimum=1, maximum=8192
    )
    warm_up_height: int = parameter(
        480, "height of the image that the models are warmed up with", minimum=1, maximum=8192
    )
    camera_fps: float = parameter(
        0.0, "images a second that the camera was asked for; fewer are warned of; 0: not looked at",
        minimum=0.0, maximum=1000.0,
    )  # fmt: skip
    silence_s: float = parameter(
        5.0, "seconds without an image after which diagnostics warn", minimum=0.1, maximum=3600.0
    )
    part_size_m: float = parameter(
        0.1,
        "longest side of a part in metres, for the distance of markers where there is no depth",
        minimum=1e-3,
        maximum=100.0,
    )
    use_depth: bool = parameter(
        False, "place markers and approach poses by the depth image that is aligned to the colour image"
    )
    arrow_length_m: float = parameter(0.1, "length of a normal's arrow in metres", minimum=1e-3, maximum=100.0)
    approach: ApproachParameters = parameter(ApproachParameters(), "where the tool is to stand before a part")

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class ReplayParameters:
    """Parameters of the replay node."""

    bag: str = parameter("", "folder of the recorded bag")
    image_topic: str = parameter(IMAGE, "images in the bag, raw or compressed", kind="topic")
    camera_info_topic: str = parameter(CAMERA_INFO, "intrinsics in the bag", kind="topic")
    calibration: str = parameter(
        "none", "YAML of camera_calibration in place of the bag's intrinsics (a path or package://); none: the bag's",
        kind="text",
    )  # fmt: skip
    paced: bool = parameter(
        False, "publish at the recorded pace, as a camera would; false: each image waits for the result of the last"
    )
    rate: float = parameter(1.0, "how many times faster than recorded, when paced", minimum=0.01, maximum=100.0)
    report: str = parameter("", "file for the report; empty: none")
    live_report: str = parameter("", "report of the live run to compare with; empty: none")
    timeout_s: float = parameter(
        60.0,
        "seconds to wait for the perception node, and without any result of it before giving up",
        minimum=0.1,
        maximum=86400.0,
    )

    def __post_init__(self) -> None:
        check(self)
