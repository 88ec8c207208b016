"""What a comparison of strategies found, and how its file keeps it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_core.storage.documents import read_document, taken_from
from cadsight_core.storage.files import write_atomically
from cadsight_core.storage.json_text import figures_text, number
from cadsight_core.storage.output_file import json_with

FORMAT = "cadsight-active-comparison-1"
RESULTS = "active.json"
is_results = json_with("results", "pool", form=FORMAT)


@dataclass(frozen=True)
class ActiveResult:
    """One training and what its detector reaches on the test set.

    Attributes:
        has_base: whether it started from the base (the paper's S+R), else it did without (R).
        cycle: 0 in the comparison of one cycle, else which batch, from 1, was the last that it learned from.
        images: chosen ones that it learned from.
        labels: of these images.
        map50_95, map50: 0 to 1, of detections at a confidence of 0.05 and more, at most 100 an image.
        key: name of its folder among the trainings.
    """

    has_base: bool
    strategy: str
    cycle: int
    images: int
    seed: int
    labels: int
    map50_95: float
    map50: float
    key: str


@dataclass(frozen=True)
class ActiveComparison:
    """Strategies on one pool, all evaluated on one test set.

    Attributes:
        pool, test: folders of ``pool_images`` and ``test_images``.
        base: what trainings go on from, and ``base_sha256`` of its weights.
        base_map50_95: of the base as it is, NaN where its classes are not the parts'.
        without: where trainings without the base start.
        between: numbers of random's images between which labels are compared.
        detector: options of the trainings.
        notes: what is to be known of the whole comparison, a sentence each.
    """

    pool: str
    pool_images: int
    test: str
    test_images: int
    base: str
    base_sha256: str
    base_map50_95: float
    without: str
    strategies: tuple[str, ...]
    cycle_strategy: str
    between: tuple[int, int]
    detector: Mapping[str, Any]
    results: tuple[ActiveResult, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "ActiveComparison":
        """What :meth:`to_json` made.

        Raises:
            CadsightError: for data of another form.
        """
        with taken_from("a comparison of strategies", "what `cadsight experiment eversberg` writes"):
            return ActiveComparison(
                str(data["pool"]),
                int(data["pool_images"]),
                str(data["test"]),
                int(data["test_images"]),
                str(data["base"]),
                str(data["base_sha256"]),
                number(data["base_map50_95"]),
                str(data["without"]),
                tuple(data["strategies"]),
                str(data["cycle_strategy"]),
                (int(data["between"][0]), int(data["between"][1])),
                dict(data["detector"]),
                tuple(ActiveResult(**one) for one in data["results"]),
                tuple(data["notes"]),
            )


def save_active(folder: str | Path, comparison: ActiveComparison) -> Path:
    """Write the file of a comparison.

    Raises:
        CadsightError: when the disk refuses the bytes.
    """
    path = Path(folder) / RESULTS
    write_atomically(path, figures_text({"format": FORMAT, **comparison.to_json()}, indent=1) + "\n")
    return path


def load_active(folder: str | Path) -> ActiveComparison:
    """What :func:`save_active` wrote in ``folder``.

    Raises:
        CadsightError: when it cannot be read, or is of another form.
    """
    path = Path(folder) / RESULTS
    data = read_document(path, FORMAT, "comparison of strategies")
    try:
        return ActiveComparison.from_json(data)
    except CadsightError as error:
        raise CadsightError(f"{path}: {error}") from error
