import pytest
from cadsight_core.imaging.images import write_image
from cadsight_generation.holding.check import LabelCheck
from cadsight_generation.holding.planting import PLANTED
from cadsight_generation.holding.rates import Rate, labelled_patches, refusal_rate
from objects import hexagon, sample_of, shaded


def test_a_rate_has_the_interval_of_clopper_and_pearson():
    # R: binom.test(3, 20)$conf.int
    assert Rate.of(3, 20).interval == pytest.approx((0.03207094, 0.37892683), abs=1e-6)
    assert Rate.of(0, 0).interval == (0, 1)


@pytest.fixture(scope="module")
def patches(tmp_path_factory):
    folder = tmp_path_factory.mktemp("objects")
    samples = []
    for number in range(6):
        mask = hexagon(160, turn=number * 0.3, size=0.25 + 0.02 * number)
        write_image(folder / f"{number}.png", shaded(mask, number, (180, 60 + 20 * number, 30)))
        samples.append(sample_of(mask, folder / f"{number}.png"))
    return labelled_patches(samples, 5)


def test_only_as_many_objects_are_taken_as_are_wanted(patches):
    assert len(patches) == 5


@pytest.mark.parametrize("kind", PLANTED, ids=lambda kind: kind.name)
def test_planted_geometry_is_refused_and_planted_look_is_not(kind, patches):
    rate = refusal_rate(LabelCheck(), kind, patches, seed=3)
    assert rate.crops == 5
    assert rate.refused == (5 if kind.geometry else 0)
