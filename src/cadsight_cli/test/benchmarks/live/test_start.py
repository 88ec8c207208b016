from cadsight_cli.benchmarks.live.start import StartBenchmark


def test_a_start_is_measured_until_the_first_result_with_the_memory_of_the_process():
    printed = {}
    found = StartBenchmark(runs=1).run(printed.__setitem__)
    assert found == printed
    assert 0 < found["start"]["seconds"] == found["start"]["slowest_s"]
    # A process that has looked holds the libraries that look.
    assert 100 < found["start"]["peak_mb"] == found["start"]["largest_peak_mb"]
    assert found["first start"].keys() == {"seconds", "peak_mb"}
