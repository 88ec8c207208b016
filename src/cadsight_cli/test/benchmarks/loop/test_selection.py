from cadsight_active.strategies.registry import STRATEGIES
from cadsight_cli.benchmarks.loop.selection import SelectionBenchmark


def test_every_strategy_is_measured():
    shown = []
    speeds = SelectionBenchmark(images=1000, features=8, k=5).run(lambda name, figures: shown.append((name, figures)))
    assert list(speeds) == [one.name for one in STRATEGIES.ours] == [name for name, _ in shown]
    assert all(one["images"] == 1000 and one["memory_gb"] > 0 and one["seconds"] >= 0 for one in speeds.values())
