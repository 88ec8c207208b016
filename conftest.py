"""Sets what must be so before any test, whichever run in one process."""

import importlib.util
import os
import signal

import pytest

# A shell lets what runs in the background ignore interrupts, and programs that tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Give this process a ROS domain that no other test, run or cell of this machine is in.

    What a test starts inherits it. Last, so that the coverage of our package is taken from its first line.
    """
    if importlib.util.find_spec("cadsight_ros") is not None:
        from cadsight_ros.domains import own_domain

        os.environ["ROS_DOMAIN_ID"] = str(own_domain())
        os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
