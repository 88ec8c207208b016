"""How good the two models are on the test session, and what they see there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from cadsight_core.crops import crop
from cadsight_core.geometry import Array, angle_between, unit
from cadsight_core.images import Rgb
from cadsight_core.sample import Sample
from cadsight_learning.detector import Detector
from cadsight_learning.evaluation import evaluate_detector, evaluate_normals
from cadsight_learning.normals import NormalRegressor
from cadsight_learning.registry import ModelCard
from cadsight_learning.saliency import saliency

from cadsight_report.paper import TABLE
