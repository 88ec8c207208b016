"""The strategies by name: ours, and those that other packages add by an entry point."""

from cadsight_core.registered import Registered

from cadsight_active.strategies.at_random import choose_random, choose_random_margin
from cadsight_active.strategies.core_set import choose_core_set
from cadsight_active.strategies.dbal import choose_dbal
from cadsight_active.strategies.ppal import choose_ppal
from cadsight_active.strategies.strategy import Strategy
from cadsight_active.strategies.typiclust import choose_typiclust
from cadsight_active.strategies.uncertain import choose_entropy, choose_margin

GROUP = "cadsight.strategies"

# What every strategy that asks for detections reads.
_DETECTIONS = frozenset({"floor", "at_most"})

STRATEGIES = Registered(
    "strategy",
    GROUP,
    Strategy,
    (
        Strategy("random", "every image alike", choose_random, frozenset()),
        Strategy(
            "margin",
            "the paper's algorithm 1: two classes score nearly alike",
            choose_margin,
            options=_DETECTIONS | {"aggregate"},
        ),
        Strategy("entropy", "classes score far from 0 and 1", choose_entropy, options=_DETECTIONS | {"aggregate"}),
        Strategy(
            "random_margin",
            "margin among a random part",
            choose_random_margin,
            options=_DETECTIONS | {"aggregate", "among"},
        ),
        Strategy(
            "dbal",
            "the paper's algorithm 2: uncertain and unlike each other",
            choose_dbal,
            frozenset({"detections", "image_features"}),
            _DETECTIONS | {"aggregate", "beta", "over"},
        ),
        Strategy(
            "core_set",
            "uncertain objects far from all labelled ones",
            choose_core_set,
            frozenset({"detections", "object_features"}),
            _DETECTIONS,
        ),
        Strategy(
            "ppal",
            "uncertain by the difficulty of classes, and with unlike objects",
            choose_ppal,
            frozenset({"detections", "object_features", "difficulties"}),
            _DETECTIONS | {"delta"},
        ),
        Strategy(
            "typiclust", "typical images, for a start without labels", choose_typiclust, frozenset({"common_features"})
        ),
    ),
)
