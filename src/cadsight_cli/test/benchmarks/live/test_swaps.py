from cadsight_cli.benchmarks.live.swaps import SwapsBenchmark


def test_every_image_is_answered_with_its_models_named_while_these_change():
    printed = {}
    found = SwapsBenchmark(frames=20, swaps=1).run(printed.__setitem__)
    assert found == printed
    frames = found["frames"]
    assert frames["results"] == frames["with_both_models_named"] == 20
    assert frames["generation_falls"] == 0
    assert 0 < found["rollback"]["slowest_s"] < 60
    assert found["during swaps"]["seconds_a_swap"] > 0
