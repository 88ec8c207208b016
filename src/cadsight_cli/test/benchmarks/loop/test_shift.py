from cadsight_cli.benchmarks.loop.shift import ShiftBenchmark


def test_quiet_cells_and_both_kinds_of_shift_are_tried():
    found = ShiftBenchmark(windows=1, deployments=1, trials=1, calibration=40).run(lambda name, figures: None)
    assert (found["nothing changes"]["windows"], found["nothing changes"]["threshold"]) == (1, 1000.0)
    assert found["nothing changes"]["largest_wealth"] >= 1
    for name in ("lamp switched", "new part"):
        assert 0 <= found[name]["alarmed_within_50"] <= found[name]["of"] == 1
