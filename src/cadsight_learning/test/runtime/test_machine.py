"""What is found of the machine without torch is what torch finds."""

import os
import subprocess
import sys

import pytest
import torch
from cadsight_learning.runtime import machine
from cadsight_learning.runtime.machine import gpus, has_bfloat16, usual_threads


def test_this_processor_has_bfloat16_where_torch_says_so():
    capabilities = torch.cpu.get_capabilities()
    assert has_bfloat16() == bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


@pytest.mark.parametrize("variables", [{}, {"OMP_NUM_THREADS": "1"}, {"OMP_NUM_THREADS": "1000"}])
def test_a_call_has_as_many_threads_as_torch_takes(variables):
    own = {k: v for k, v in os.environ.items() if k not in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    ask = "from cadsight_learning.runtime.machine import usual_threads\nimport torch\n"
    ask += "print(usual_threads() == torch.get_num_threads())"
    done = subprocess.run([sys.executable, "-c", ask], env=own | variables, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_a_process_that_may_use_one_core_has_one_thread(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert usual_threads() == 1


def test_without_a_driver_torch_is_not_asked_for_gpus(monkeypatch):
    monkeypatch.setattr(machine, "_has_driver", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: pytest.fail("asked"))
    assert gpus() == 0
