import pytest
from cadsight_core.running.rate import Rate


def fed(rate: Rate, per_second: float, seconds: float, begin: float = 0.0) -> Rate:
    for number in range(round(per_second * seconds) + 1):
        rate.came(begin + number / per_second)
    return rate


@pytest.mark.parametrize("per_second", [5.0, 15.0, 30.0])
def test_a_steady_rate_is_what_it_is(per_second):
    assert fed(Rate(), per_second, 20.0).per_second == pytest.approx(per_second)


def test_five_of_fifteen_asked_for_are_told_once_until_there_are_enough_again():
    rate = fed(Rate(15.0), 5.0, 10.0)
    assert rate.shortfall == "5.0 images a second for 15 asked"
    assert [rate.falls_short(), rate.falls_short()] == [True, False]
    fed(rate, 15.0, 10.0, begin=11.0)
    assert rate.shortfall == ""
    assert not rate.falls_short()
    fed(rate, 5.0, 10.0, begin=30.0)
    assert rate.falls_short()


def test_a_little_fewer_and_too_few_to_tell_are_no_shortfall():
    assert fed(Rate(15.0), 13.0, 10.0).shortfall == ""
    assert fed(Rate(15.0), 1.0, 3.0).per_second is None
    assert fed(Rate(), 1.0, 30.0).shortfall == ""


def test_a_clock_that_goes_back_begins_anew():
    rate = fed(Rate(), 10.0, 5.0, begin=100.0)
    assert fed(rate, 4.0, 3.0).per_second == pytest.approx(4.0)
