"""Whether colour and kinematics mean the same part at the same place; where they do not, no label is kept."""

from dataclasses import dataclass

import numpy as np
from cadsight_core.geometry import Array
from cadsight_core.parameters import check, parameter

from cadsight_capture.colour import ColourLabel
from cadsight_capture.kinematic import KinematicLabel
from cadsight_capture.outline import directions, reach_of_mask
from cadsight_capture.refusal import Refusal


@dataclass(frozen=True)
class AgreementParameters:
    """Limits past which the two labels of an image are said to disagree; each holds alone."""

    min_box_iou: float = parameter(0.92, "smallest intersection over union of the boxes", minimum=0.0, maximum=1.0)
    min_mask_iou: float = parameter(0.85, "smallest intersection over union of the masks", minimum=0.0, maximum=1.0)
    max_centre: float = parameter(
        0.015, "largest distance of the boxes' centres, as a share of the kinematic box's diagonal", minimum=0.0
    )
    max_outline: float = parameter(
        0.02, "largest root mean square distance of the outlines, as a share of that diagonal", minimum=0.0
    )
    directions: int = parameter(16, "directions in which outlines are compared", minimum=4, maximum=360)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Agreement:
    """How much the colour label and the kinematic label of one image say the same.

    Attributes:
        box_iou, mask_iou: intersection over union.
        centre: distance of the boxes' centres as a share of the kinematic box's diagonal.
        outline: root mean square of the distances of the two outlines' extents along some directions, less the
            margin of the session, as a share of that diagonal.
    """

    box_iou: float
    mask_iou: float
    centre: float
    outline: float

    def to_json(self) -> dict[str, float]:
        return {name: round(float(value), 5) for name, value in vars(self).items()}


def compare(colour: ColourLabel, kinematic: KinematicLabel, margin_px: float = 0.0, count: int = 16) -> Agreement:
    """Compare the two labels of an image.

    Args:
        margin_px: how much farther the colour masks of this session reach on every side.
        count: number of directions.
    """
    along: Array = directions(count)
    gaps = reach_of_mask(colour.mask, along) - reach_of_mask(kinematic.mask, along) - margin_px
    diagonal = float(np.hypot(kinematic.box.width, kinematic.box.height))
    union = int((colour.mask | kinematic.mask).sum())
    return Agreement(
        box_iou=colour.box.iou(kinematic.box),
        mask_iou=int((colour.mask & kinematic.mask).sum()) / union,
        centre=float(np.hypot(*np.subtract(colour.box.centre, kinematic.box.centre))) / diagonal,
        outline=float(np.sqrt(np.mean(gaps**2))) / diagonal,
    )


def judge(agreement: Agreement, parameters: AgreementParameters | None = None) -> Refusal | None:
    """None where the two labels agree, or the first limit that they break."""
    p = parameters or AgreementParameters()
    checks = (
        ("disagree_centre", "boxes' centres lie", agreement.centre, "of its diagonal apart", "at most", p.max_centre),
        ("disagree_box", "boxes overlap by", agreement.box_iou, "IoU", "at least", p.min_box_iou),
        ("disagree_outline", "outlines lie", agreement.outline, "of the diagonal apart", "at most", p.max_outline),
        ("disagree_mask", "masks overlap by", agreement.mask_iou, "IoU", "at least", p.min_mask_iou),
    )
    for kind, what, value, unit, bound, limit in checks:
        if not (value >= limit if bound == "at least" else value <= limit):
            return Refusal(kind, f"the colour and kinematic {what} {value:.3f} {unit}, expected {bound} {limit:.3f}")
    return None
