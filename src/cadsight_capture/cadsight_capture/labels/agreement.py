"""Whether colour and kinematics mean the same part at the same position; where they do not, no label is kept."""

from dataclasses import dataclass

import numpy as np
from cadsight_core.config.parameters import check, parameter
from cadsight_core.geometry import Array

from cadsight_capture.labels.colour import ColourLabel
from cadsight_capture.labels.kinematic import KinematicLabel
from cadsight_capture.labels.refusal import Refusal
from cadsight_capture.outline import directions, reach_of_mask, reach_of_points


@dataclass(frozen=True)
class AgreementParameters:
    """Limits past which the two labels of an image count as disagreeing; each holds alone."""

    min_box_iou: float = parameter(0.92, "smallest intersection over union of the boxes", minimum=0.0, maximum=1.0)
    min_mask_iou: float = parameter(0.88, "smallest intersection over union of the masks", minimum=0.0, maximum=1.0)
    max_centre: float = parameter(
        0.015, "largest distance of the boxes' centres, as a fraction of the kinematic box's diagonal", minimum=0.0
    )
    max_outline: float = parameter(
        0.0047, "largest root mean square distance of the outlines, as a fraction of that diagonal", minimum=0.0
    )
    outline_floor_px: float = parameter(
        0.5, "outlines closer than this agree however small the part is", minimum=0.0, maximum=100.0
    )
    directions: int = parameter(16, "directions in which outlines are compared", minimum=4, maximum=360)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Agreement:
    """How far the colour label and the kinematic label of one image agree.

    Attributes:
        box_iou, mask_iou: intersection over union.
        centre: distance of the boxes' centres as a fraction of the kinematic box's diagonal.
        outline_px: root mean square of the distances of the two outlines' extents along some directions, less the
            margin of the session. The most telling one: it sees a joint that is one degree off.
        diagonal_px: of the kinematic box.
    """

    box_iou: float
    mask_iou: float
    centre: float
    outline_px: float
    diagonal_px: float

    def to_json(self) -> dict[str, float]:
        return {name: round(float(value), 5) for name, value in vars(self).items()}


def compare(colour: ColourLabel, kinematic: KinematicLabel, margin_px: float = 0.0, count: int = 16) -> Agreement:
    """Compare the two labels of an image.

    Args:
        margin_px: how much farther the colour masks of this session reach on every side.
        count: number of directions.
    """
    along: Array = directions(count)
    gaps = reach_of_mask(colour.mask, along) - reach_of_points(kinematic.hull, along) - margin_px
    diagonal = float(np.hypot(kinematic.box.width, kinematic.box.height))
    union = int((colour.mask | kinematic.mask).sum())
    return Agreement(
        box_iou=colour.box.iou(kinematic.box),
        mask_iou=int((colour.mask & kinematic.mask).sum()) / union,
        centre=float(np.hypot(*np.subtract(colour.box.centre, kinematic.box.centre))) / diagonal,
        outline_px=float(np.sqrt(np.mean(gaps**2))),
        diagonal_px=diagonal,
    )


def disagreement(agreement: Agreement, parameters: AgreementParameters | None = None) -> Refusal | None:
    """None where the two labels agree, or the first limit that they break."""
    p = parameters or AgreementParameters()
    outline_limit = max(p.max_outline * agreement.diagonal_px, p.outline_floor_px)
    if not agreement.centre <= p.max_centre:
        return Refusal(
            "disagree_centre",
            f"the centres of the colour and the kinematic box lie {agreement.centre:.3f} of its diagonal apart, "
            f"expected at most {p.max_centre:.3f}",
        )
    if not agreement.box_iou >= p.min_box_iou:
        return Refusal(
            "disagree_box",
            f"the colour and the kinematic box have the IoU {agreement.box_iou:.3f}, "
            f"expected at least {p.min_box_iou:.3f}",
        )
    if not agreement.outline_px <= outline_limit:
        return Refusal(
            "disagree_outline",
            f"the colour and the kinematic outline lie {agreement.outline_px:.2f} px apart, "
            f"expected at most {outline_limit:.2f} px",
        )
    if not agreement.mask_iou >= p.min_mask_iou:
        return Refusal(
            "disagree_mask",
            f"the colour and the kinematic mask have the IoU {agreement.mask_iou:.3f}, "
            f"expected at least {p.min_mask_iou:.3f}",
        )
    return None
