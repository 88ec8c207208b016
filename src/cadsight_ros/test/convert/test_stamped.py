import threading

from cadsight_ros.convert.stamped import Stamped


def never() -> bool:
    return False


def test_an_item_is_found_by_its_stamp_also_when_later_ones_have_come():
    kept: Stamped[str] = Stamped(size=3)
    for stamp in (1, 2, 3, 4):
        kept.put(stamp, f"item {stamp}")
    assert [kept.at(stamp, never) for stamp in (1, 2, 4)] == [None, "item 2", "item 4"]


def test_nothing_is_waited_for_where_nothing_came_or_a_later_one_has():
    kept: Stamped[str] = Stamped()
    assert kept.at(5, never, timeout_s=3600.0) is None
    kept.put(6, "later")
    assert kept.at(5, never, timeout_s=3600.0) is None


def test_an_item_that_comes_after_it_was_asked_for_is_waited_for():
    kept: Stamped[str] = Stamped()
    kept.put(1, "earlier")
    asked = threading.Event()

    def in_vain() -> bool:
        asked.set()
        return False

    found: list[str | None] = []
    worker = threading.Thread(target=lambda: found.append(kept.at(2, in_vain, timeout_s=60.0)))
    worker.start()
    assert asked.wait(60.0)
    kept.put(2, "the one")
    worker.join(60.0)
    assert found == ["the one"]


def test_a_wait_ends_once_it_is_in_vain():
    kept: Stamped[str] = Stamped()
    kept.put(1, "earlier")
    over, asked = threading.Event(), threading.Event()

    def in_vain() -> bool:
        asked.set()
        return over.is_set()

    found: list[str | None] = []
    worker = threading.Thread(target=lambda: found.append(kept.at(2, in_vain, timeout_s=3600.0)))
    worker.start()
    assert asked.wait(60.0)
    over.set()
    kept.wake()
    worker.join(60.0)
    assert found == [None]


def test_a_wait_ends_after_its_time():
    kept: Stamped[str] = Stamped()
    kept.put(1, "earlier")
    assert kept.at(2, never, timeout_s=0.01) is None
