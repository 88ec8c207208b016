import os
import signal
import subprocess
import sys
import time

import pytest
from cadsight_cli.demo.steps.children import ChildDiedError, running, wait_until
from cadsight_core.errors import CadsightError

SLEEPER = "import time; print('here', flush=True); time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('here', flush=True); time.sleep(60)"
)


def python(code):
    return [sys.executable, "-c", code]


def wait_for(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("code", [SLEEPER, STUBBORN])
def test_a_program_ends_with_the_body_even_when_it_will_not(tmp_path, code):
    log = tmp_path / "log" / "out.txt"
    with running("sleeper", python(code), log) as child:
        wait_for(lambda: "here" in log.read_text())
        pid = child._process.pid
        child.check()
        assert alive(pid)
        child.stop(patience_s=0.3)
    assert not alive(pid)


def test_a_program_that_dies_is_named_with_its_last_lines(tmp_path):
    code = "import sys\nfor i in range(30): print('line', i)\nsys.exit(3)"
    with running("the cell", python(code), tmp_path / "out.txt") as child:
        wait_for(lambda: child._process.poll() is not None)
        with pytest.raises(ChildDiedError, match="the cell ended with status 3") as error:
            child.check()
    assert "line 29" in str(error.value)
    assert "line 2\n" not in str(error.value)


def test_a_program_that_a_signal_ended_is_said_to_be(tmp_path):
    with running("the cell", python(SLEEPER), tmp_path / "out.txt") as child:
        child._process.send_signal(signal.SIGKILL)
        with pytest.raises(ChildDiedError, match="was ended by SIGKILL"):
            child.wait()


def test_a_program_does_not_outlive_a_killed_command(tmp_path):
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom cadsight_cli.demo.steps.children import running\n"
        f"with running('sleeper', [sys.executable, '-c', {SLEEPER!r}], Path({str(tmp_path / 'out.txt')!r})) as child:\n"
        "    print(child._process.pid, flush=True)\n    time.sleep(60)\n"
    )
    parent = subprocess.Popen(python(code), stdout=subprocess.PIPE, text=True, env=os.environ)
    pid = int(parent.stdout.readline())
    wait_for(lambda: "here" in (tmp_path / "out.txt").read_text())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_for(lambda: not alive(pid))


def test_the_first_of_several_nodes_to_die_is_shown_and_not_how_the_others_were_ended(tmp_path):
    lines = ["[a-1] process ended with exit status 0", "[b-2] the reason", "[b-2] process ended with exit status 2"]
    lines += [f"[c-3] Traceback {i}" for i in range(20)] + ["[c-3] process ended with exit status -2"]
    code = f"import sys; print({chr(10).join(lines)!r}); sys.exit(2)"
    with running("the cell", python(code), tmp_path / "out.txt") as child:
        wait_for(lambda: child._process.poll() is not None)
        with pytest.raises(ChildDiedError) as error:
            child.check()
    assert str(error.value).endswith("[b-2] the reason\n  [b-2] process ended with exit status 2")


CHATTY = "import time\nfor i in range(8):\n    print('step', i, flush=True)\n    time.sleep(0.25)\ntime.sleep(60)"


def test_a_program_that_goes_on_telling_is_waited_for_longer_than_it_may_be_silent(tmp_path):
    log, printed = tmp_path / "out.txt", []
    with running("the node", python(CHATTY), log) as child:
        wait_until(lambda: "step 7" in log.read_text(), lambda: "its end", [child], printed.append, silence_s=1.5)
    assert any(line.startswith("waiting for its end: step ") for line in printed)


def test_a_program_that_says_nothing_for_the_stated_time_is_named_with_what_did_not_come(tmp_path):
    with (
        running("the node", python(SLEEPER), tmp_path / "out.txt") as child,
        pytest.raises(CadsightError, match=r"its result did not come, and the node said nothing for 1 s.*out\.txt"),
    ):
        wait_until(lambda: False, lambda: "its result", [child], silence_s=1.0)


def test_a_wait_ends_when_the_program_that_it_is_for_ends(tmp_path):
    with (
        running("the node", python("import sys; sys.exit('no model')"), tmp_path / "out.txt") as child,
        pytest.raises(ChildDiedError, match="the node ended with status 1"),
    ):
        wait_until(lambda: False, lambda: "its result", [child])
