import subprocess
import sys

import pytest
from cadsight_core.errors import CadsightError
from cadsight_ros.domains import claimed_domain, own_domain

from cadsight_ros import domains

CLAIM = """
import sys
from cadsight_ros.domains import claimed_domain
with claimed_domain(int(sys.argv[1])) as number:
    print(number, flush=True)
    sys.stdin.read()
"""


def test_a_process_has_one_domain_for_all_its_life():
    assert own_domain() == own_domain()
    with claimed_domain(own_domain()) as another:
        assert another != own_domain()


def test_two_processes_that_claim_the_same_domain_get_two_until_one_of_them_is_killed():
    with claimed_domain() as number:
        pass
    words = [sys.executable, "-c", CLAIM, str(number)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        theirs = int(other.stdout.readline())
        with claimed_domain(theirs) as ours:
            assert ours != theirs
            assert {ours, theirs} <= set(domains.DOMAINS)
        other.kill()
    with claimed_domain(theirs) as again:
        assert again == theirs


def test_that_every_domain_of_a_machine_is_claimed_is_reported(monkeypatch):
    with claimed_domain() as number:
        monkeypatch.setattr(domains, "DOMAINS", range(number, number + 1))
        with pytest.raises(CadsightError, match=rf"every ROS domain from {number} to {number} is claimed"):
            claimed_domain().__enter__()
