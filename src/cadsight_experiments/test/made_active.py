"""Comparisons of strategies made by hand, so that every curve is known."""

from collections.abc import Mapping, Sequence

from cadsight_experiments.active.results import ActiveComparison, ActiveResult


def result(strategy: str, images: int, seed: int, value: float, has_base: bool = True, cycle: int = 0) -> ActiveResult:
    return ActiveResult(has_base, strategy, cycle, images, seed, 3 * images, value, value, "0" * 16)


def results(strategy: str, by_images: Mapping[int, Sequence[float]], cycle: bool = False) -> list[ActiveResult]:
    """By number of images the figure of each seed from 0."""
    return [
        result(strategy, images, seed, value, cycle=place if cycle else 0)
        for place, (images, values) in enumerate(sorted(by_images.items()), 1)
        for seed, value in enumerate(values)
    ]


def active_comparison(found: Sequence[ActiveResult], base: float = float("nan")) -> ActiveComparison:
    strategies = tuple(dict.fromkeys(one.strategy for one in found))
    return ActiveComparison(
        pool="pool",
        pool_images=251,
        test="test",
        test_images=105,
        base="the shipped base",
        base_sha256="a" * 64,
        base_map50_95=base,
        without="scratch",
        strategies=strategies,
        cycle_strategy="dbal",
        between=(25, 50),
        detector={"epochs": 3},
        results=tuple(found),
    )
