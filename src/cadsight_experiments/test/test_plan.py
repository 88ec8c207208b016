import pytest
from cadsight_core.errors import CadsightError
from cadsight_experiments.plan import Plan
from cadsight_experiments.training_set import TrainingSet
from cadsight_learning.detection.ultralytics.options import YoloOptions

MANY, FEW = TrainingSet("many", ("sets/many",)), TrainingSet("few", ("sets/few",))


@pytest.mark.parametrize(("sets", "seeds"), [((), 1), ((MANY,), 0), ((MANY, FEW, MANY), 1)])
def test_a_plan_has_sets_with_names_of_their_own_and_a_seed(sets, seeds):
    with pytest.raises(CadsightError, match="expected at least one set, a name for each and at least one seed"):
        Plan(sets, "test", seeds, YoloOptions())


def test_a_set_goes_on_from_one_before_it_alone():
    after = TrainingSet("after", ("sets/many",), after="few")
    assert Plan((FEW, after), "test", 1, YoloOptions()).sets == (FEW, after)
    with pytest.raises(CadsightError, match="the set after comes after 'few', expected one of those before it"):
        Plan((after, FEW), "test", 1, YoloOptions())
