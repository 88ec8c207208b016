"""Real processes: small executables in an ament prefix of their own."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml
from cadsight_cli.launching import processes
from cadsight_cli.launching.plan import Node
from cadsight_core.errors import CadsightError

PATIENCE = processes.Patience(terminate=0.5, kill=0.5)


@pytest.fixture
def prefix(tmp_path, monkeypatch):
    """A folder on AMENT_PREFIX_PATH with the package `nodes`."""
    (tmp_path / "share/ament_index/resource_index/packages").mkdir(parents=True)
    (tmp_path / "share/ament_index/resource_index/packages/nodes").touch()
    (tmp_path / "lib/nodes").mkdir(parents=True)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path), prepend=os.pathsep)
    return tmp_path


def program(prefix: Path, name: str, body: str) -> Node:
    file = prefix / "lib/nodes" / name
    file.write_text(f"#!{sys.executable}\n" + textwrap.dedent(body))
    file.chmod(0o755)
    return Node("nodes", name, None, None, (), (), (), dict(os.environ), False)


def required(node: Node) -> Node:
    return Node(**{**vars(node), "required": True})


# Long enough that a launcher that waited for its end would be noticed.
WAITS = "import time\ntime.sleep(3600)"


def test_the_command_line_is_the_one_that_ros_makes(prefix, tmp_path):
    program(prefix, "e", "")
    file = tmp_path / "p.yaml"
    node = Node("nodes", "e", "n", "ns", ("--x",), (file, {"a": "1", "b": 2}), (("c", "d"),), {}, False)
    words = processes.command(node, tmp_path, 3)
    values = tmp_path / "3-1.yaml"
    assert words == [
        str(prefix / "lib/nodes/e"), "--x", "--ros-args", "-r", "__node:=n", "-r", "__ns:=/ns",
        "--params-file", str(file), "--params-file", str(values), "-r", "c:=d",
    ]  # fmt: skip
    assert yaml.safe_load(values.read_text()) == {"/ns/n": {"ros__parameters": {"a": "1", "b": 2}}}


@pytest.mark.parametrize(("codes", "expected"), [((0, 0), 0), ((0, 3), 3), ((4, 0), 4)])
def test_the_exit_status_is_that_of_the_process_that_failed(prefix, codes, expected):
    nodes = [program(prefix, f"e{index}", f"raise SystemExit({code})") for index, code in enumerate(codes)]
    assert processes.run(nodes, PATIENCE, io.StringIO()) == expected


def test_output_is_forwarded_line_by_line_with_the_process_before_it(prefix):
    output = io.StringIO()
    node = program(prefix, "e", "import sys\nprint('out')\nsys.stdout.flush()\nprint('err', file=sys.stderr)")
    processes.run([node], PATIENCE, output)
    assert [line for line in output.getvalue().splitlines() if "process" not in line] == ["[e-1] out", "[e-1] err"]


def test_the_end_of_a_required_process_ends_the_others(prefix):
    output = io.StringIO()
    status = processes.run(
        [program(prefix, "waits", WAITS), required(program(prefix, "ends", "raise SystemExit(5)"))], PATIENCE, output
    )
    assert status == 5
    assert "[waits-1] sending SIGINT" in output.getvalue()
    assert "[ends-2] was required by this launch file, so all others are ended" in output.getvalue()


def test_a_process_that_is_not_required_may_end_before_the_others(prefix):
    output = io.StringIO()
    nodes = [program(prefix, "ends", ""), program(prefix, "works", "import time\ntime.sleep(0.5)\nprint('done')")]
    assert processes.run(nodes, PATIENCE, output) == 0
    assert "[works-2] done" in output.getvalue()


def test_a_process_that_respawns_is_begun_anew_until_a_required_one_ends(prefix):
    output, ends = io.StringIO(), prefix / "ends"
    again = program(prefix, "again", f"open({str(ends)!r}, 'a').write('x')\nraise SystemExit(3)")
    again = Node(**{**vars(again), "respawn_s": 0.01})
    waits = program(
        prefix,
        "waits",
        f"""
        import os, time
        while not os.path.exists({str(ends)!r}) or os.path.getsize({str(ends)!r}) < 3:
            time.sleep(0.01)
        """,
    )
    assert processes.run([again, required(waits)], PATIENCE, output) == 0
    printed = output.getvalue()
    assert printed.count("[again-1] process ended with exit status 3") >= 2
    assert "[again-1] is begun anew in 0.01 s" in printed


def test_a_process_that_ignores_the_interrupt_is_terminated_and_then_killed(prefix):
    deaf = """
        import signal, time
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(60)
        """
    quick = required(program(prefix, "quick", "import time\ntime.sleep(1)"))
    output = io.StringIO()
    assert processes.run([program(prefix, "deaf", deaf), quick], PATIENCE, output) == 0
    sent = re.findall(r"\[deaf-1\] sending (\w+)", output.getvalue())
    assert sent == ["SIGINT", "SIGTERM", "SIGKILL"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_launcher_ends_every_process_well(prefix, number):
    program(
        prefix,
        "waits",
        "import time\nprint('ready')\ntry:\n  time.sleep(60)\nexcept KeyboardInterrupt:\n  print('bye')",
    )
    file = prefix / "two.launch.xml"
    file.write_text('<launch><node pkg="nodes" exec="waits"/><node pkg="nodes" exec="waits"/></launch>')
    launcher = subprocess.Popen(
        [sys.executable, "-m", "cadsight_cli", "launch", str(file)], stdout=subprocess.PIPE, text=True
    )
    try:
        seen = ""
        while seen.count("ready") < 2:
            line = launcher.stdout.readline()
            assert line, seen
            seen += line
        launcher.send_signal(number)
        rest, _ = launcher.communicate(timeout=180)
    finally:
        launcher.kill()
    assert rest.count("bye") == 2
    assert launcher.returncode == 0


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (Node("no_such_package", "e", None, None, (), (), (), {}, False), ["'no_such_package'", "'e'"]),
        (Node("nodes", "no_such_executable", None, None, (), (), (), {}, False), ["'nodes'", "'no_such_executable'"]),
    ],
)
def test_a_process_that_is_not_installed_is_named_before_any_starts(prefix, node, words):
    marker = prefix / "started"
    other = program(prefix, "other", f"open({str(marker)!r}, 'w')")
    with pytest.raises(CadsightError) as error:
        processes.run([other, node], PATIENCE, io.StringIO())
    assert [word for word in words if word not in str(error.value)] == []
    assert not marker.exists()


def test_a_file_that_starts_nothing_says_so():
    with pytest.raises(CadsightError, match="starts nothing"):
        processes.run([])
