"""Which models made a result."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ServedNames:
    """Two models that are served together.

    Attributes:
        generation: grows with every change of a model; 0 where none is known.
        detector, regressor: names in the registry.
        detector_sha256, regressor_sha256: of each one's files.
    """

    generation: int
    detector: str
    detector_sha256: str
    regressor: str
    regressor_sha256: str
