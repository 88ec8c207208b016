import pytest
from cadsight_active.loop.options import LoopOptions
from cadsight_core.errors import ParameterError
from cadsight_loop.parameters import LoopParameters


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"cycle": LoopOptions(strategy="margins")}, "cycle.strategy is 'margins', expected one of random, margin,"),
        ({"triggers": ["amount", "shfit"]}, "triggers names 'shfit', expected some of "),
    ],
)
def test_a_name_that_nobody_registered_is_refused_at_the_start(given, words):
    with pytest.raises(ParameterError, match=words):
        LoopParameters(**given)
