"""The check that labels hold, as options give it."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cadsight_generation.holding.check import LabelCheck


def check_of(args: argparse.Namespace) -> "LabelCheck":
    """The check with ``--detector`` and ``--regressor`` of the registry ``--models``, where they are given.

    Raises:
        CadsightError: when there is no such model.
    """
    from cadsight_generation.holding.check import LabelCheck
    from cadsight_learning.models import load_detector, load_regressor

    return LabelCheck(
        detector=load_detector(args.detector, args.models) if args.detector else None,
        regressor=load_regressor(args.regressor, args.models) if args.regressor else None,
    )
