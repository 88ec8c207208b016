import threading

import pytest
from cadsight_ros.convert.latest import Latest


def test_the_newest_waits_and_the_others_are_counted():
    slot: Latest[int] = Latest()
    for number in range(5):
        slot.put(number)
    assert slot.get() == 4
    assert (slot.received, slot.dropped) == (5, 4)
    assert slot.get(timeout_s=0.01) is None


def test_items_that_are_taken_in_time_are_not_dropped():
    slot: Latest[int] = Latest()
    taken = []
    for number in range(5):
        slot.put(number)
        taken.append(slot.get())
    assert taken == [0, 1, 2, 3, 4]
    assert slot.dropped == 0


@pytest.mark.parametrize("what", ["put", "close"])
def test_who_waits_is_woken(what):
    slot: Latest[str] = Latest()
    woken: list[str | None] = []
    thread = threading.Thread(target=lambda: woken.append(slot.get(timeout_s=3600.0)), daemon=True)
    thread.start()
    threading.Timer(0.05, slot.close if what == "close" else lambda: slot.put("image")).start()
    thread.join(120)
    assert woken == [None if what == "close" else "image"]


def test_what_was_in_a_closed_slot_can_still_be_taken():
    slot: Latest[str] = Latest()
    slot.put("last")
    slot.close()
    assert slot.get() == "last"
    assert slot.get() is None


def test_every_item_is_either_taken_or_counted():
    slot: Latest[int] = Latest()
    taken = []

    def take() -> None:
        while (item := slot.get()) is not None:
            taken.append(item)

    thread = threading.Thread(target=take)
    thread.start()
    for number in range(1, 2001):
        slot.put(number)
    slot.close()
    thread.join()
    assert taken == sorted(taken)
    assert taken[-1] == 2000
    assert len(taken) + slot.dropped == slot.received == 2000
