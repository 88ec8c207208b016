from cadsight_cli.benchmarks.learning.gate import GateBenchmark


def test_every_kind_of_new_model_is_tried():
    speeds = GateBenchmark(trials=1, images=100).run(lambda name, figures: None)
    assert list(speeds) == ["alike", "worse", "better"]
    assert all(0 <= one["accepted"] <= one["of"] == 1 for one in speeds.values())
    assert speeds["worse"]["mean_difference"] < speeds["better"]["mean_difference"]
