"""How approach poses are found."""

from dataclasses import dataclass

from cadsight_core.config.parameters import check, parameter


@dataclass(frozen=True)
class ApproachParameters:
    """Where the tool is to stand before a part, and what is known of the parts."""

    parts: tuple[str, ...] = parameter(
        (), "YAML of the parts that are detected (paths or package://): their CAD is fitted to the depth, or their "
        "size tells the distance where there is none; without them the middle of the box is approached",
    )  # fmt: skip
    base_frame: str = parameter("base_link", "frame in which the poses are given", kind="frame")
    standoff_m: float = parameter(
        0.1, "distance of the tool from the point of interest, along the normal", minimum=0.0, maximum=2.0
    )
    transform_timeout_s: float = parameter(
        0.2, "longest wait for the camera's place at an image's stamp", minimum=0.0, maximum=10.0
    )
    largest_misfit_mm: float = parameter(
        3.0, "a part's CAD that misses the depth by more in the median does not count as fitted", minimum=0.1,
        maximum=100.0,
    )  # fmt: skip
    hand_eye_mm: float = parameter(
        1.0, "standard deviation of the calibrated camera's place, which the covariance takes in", minimum=0.0,
        maximum=100.0,
    )  # fmt: skip
    hand_eye_deg: float = parameter(0.2, "likewise, of its rotation", minimum=0.0, maximum=20.0)

    def __post_init__(self) -> None:
        check(self)
