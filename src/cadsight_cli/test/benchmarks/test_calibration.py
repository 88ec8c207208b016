from cadsight_cli.benchmarks.calibration import CalibrationBenchmark


def test_a_simulated_cell_is_calibrated_and_its_knocked_camera_is_told():
    speeds = CalibrationBenchmark(seeds=1, poses=10, checks=2).run(lambda name, figures: None)
    assert list(speeds) == ["calibration", "check, still", "check, 2 mm", "check, 0.3 degrees"]
    assert speeds["calibration"]["mm"] < 3
    assert speeds["calibration"]["degrees"] < 0.3
    assert speeds["calibration"]["faults"] == 0
    assert speeds["check, 0.3 degrees"] == {"alarms": 2, "of": 2}
