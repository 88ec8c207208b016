"""Runs the processes of a launch file together, and ends them together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from cadsight_core.config.yaml_file import dump_yaml
from cadsight_core.errors import CadsightError
from cadsight_core.running.child_process import end_with_parent

from cadsight_cli.launching.ends import end_words
from cadsight_cli.launching.plan import Node


@dataclass(frozen=True)
class Patience:
    """Seconds after an interrupt until a process is terminated, and then until it is killed."""

    terminate: float = 10.0
    kill: float = 5.0


def executable(node: Node) -> Path:
    """The file that `node` runs: PREFIX/lib/PACKAGE/EXECUTABLE."""
    try:
        prefix = Path(get_package_prefix(node.package))
    except (PackageNotFoundError, ValueError):
        raise CadsightError(f"the package {node.package!r} is not installed; it brings {node.executable!r}") from None
    file = prefix / "lib" / node.package / node.executable
    if not os.access(file, os.X_OK):
        raise CadsightError(f"the package {node.package!r} has no executable {node.executable!r} in {file.parent}")
    return file


def command(node: Node, folder: Path, number: int) -> list[str]:
    """The command line of `node`, as ROS's launch makes it; files for single parameter values go to `folder`."""
    words = [str(executable(node)), *node.arguments, "--ros-args"]
    if node.name is not None:
        words += ["-r", f"__node:={node.name}"]
    if node.namespace is not None:
        words += ["-r", f"__ns:=/{node.namespace.strip('/')}"]
    for index, parameters in enumerate(node.parameters):
        if isinstance(parameters, Path):
            words += ["--params-file", str(parameters)]
            continue
        # A value on the command line would count for any node, and the node's own name in a file would win over it.
        file = folder / f"{number}-{index}.yaml"
        file.write_text(dump_yaml({node.full_name or "/**": {"ros__parameters": dict(parameters)}}))
        words += ["--params-file", str(file)]
    for source, target in node.remappings:
        words += ["-r", f"{source}:={target}"]
    return words


def run(nodes: Sequence[Node], patience: Patience | None = None, output: IO[str] | None = None) -> int:
    """Start all `nodes` and wait.

    SIGINT and SIGTERM to this process end them all, and so does the end of a required one. Returns 0 when that was
    asked for or every process ended well, and else the exit status of the first that did not (1 if a signal ended it).
    One that is to respawn is begun anew instead, until all are ended.
    """
    if not nodes:
        raise CadsightError("this launch file starts nothing with these arguments")
    with tempfile.TemporaryDirectory(prefix="cadsight_launch_") as folder:
        commands = [command(node, Path(folder), number) for number, node in enumerate(nodes)]
        group = _Group(output or sys.stdout)
        try:
            with _interrupts(group):
                for number, (node, words) in enumerate(zip(nodes, commands, strict=True), start=1):
                    group.start(f"{node.name or node.executable}-{number}", words, node)
                return group.wait(patience or Patience())
        finally:
            group.kill()


@contextmanager
def _interrupts(group: _Group) -> Iterator[None]:
    def ask(number: int, _frame: object) -> None:
        group.stop_asked = True

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass
class _Child:
    label: str
    process: subprocess.Popen[str]
    words: Sequence[str]
    node: Node
    reader: threading.Thread
    ended: bool = False
    again_at: float | None = None


class _Group:
    def __init__(self, output: IO[str]) -> None:
        self.stop_asked = False
        self._children: list[_Child] = []
        self._output = output
        self._lock = threading.Lock()

    def start(self, label: str, words: Sequence[str], node: Node) -> None:
        if not self.stop_asked:
            self._children.append(self._begun(label, words, node))

    def _begun(self, label: str, words: Sequence[str], node: Node) -> _Child:
        process = subprocess.Popen(
            words,
            env={**node.environment, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # A Ctrl-C in the terminal reaches this process alone, which hands it on once.
            start_new_session=True,
            # Nodes that outlive a killed launcher would answer the next one's questions.
            preexec_fn=end_with_parent,
        )
        reader = threading.Thread(target=self._forward, args=(label, process), daemon=True)
        self._log(label, f"process started with pid {process.pid}")
        reader.start()
        return _Child(label, process, words, node, reader)

    def wait(self, patience: Patience) -> int:
        status = 0
        stopping_since: float | None = None
        sent = 0
        while True:
            for index, child in enumerate(self._children):
                code = child.process.poll()
                stopping = self.stop_asked or stopping_since is not None
                if code is None or child.ended:
                    continue
                if child.again_at is not None and not stopping:
                    if time.monotonic() >= child.again_at:
                        self._children[index] = self._begun(child.label, child.words, child.node)
                    continue
                child.reader.join(timeout=2.0)
                if child.again_at is None:
                    self._log(child.label, end_words(code))
                if child.node.respawn_s is not None and not stopping:
                    self._log(child.label, f"is begun anew in {child.node.respawn_s:g} s")
                    child.again_at = time.monotonic() + child.node.respawn_s
                    continue
                child.ended = True
                if child.again_at is not None:
                    continue
                if code != 0 and not self.stop_asked and stopping_since is None and status == 0:
                    status = code if code > 0 else 1
                if child.node.required and stopping_since is None:
                    if not self.stop_asked:
                        self._log(child.label, "was required by this launch file, so all others are ended")
                    stopping_since = time.monotonic()
            if all(child.ended for child in self._children):
                return status
            if self.stop_asked and stopping_since is None:
                stopping_since = time.monotonic()
            if stopping_since is not None:
                waited = time.monotonic() - stopping_since
                steps = (
                    (0.0, signal.SIGINT),
                    (patience.terminate, signal.SIGTERM),
                    (patience.terminate + patience.kill, signal.SIGKILL),
                )
                while sent < len(steps) and waited >= steps[sent][0]:
                    self._send(steps[sent][1])
                    sent += 1
            time.sleep(0.02)

    def kill(self) -> None:
        """Whatever is still there when the launcher itself fails."""
        self._send(signal.SIGKILL)
        for child in self._children:
            child.process.wait()

    def _send(self, number: signal.Signals) -> None:
        for child in self._children:
            if child.process.poll() is None:
                self._log(child.label, f"sending {number.name}")
                os.killpg(child.process.pid, number)

    def _forward(self, label: str, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._log(label, line.rstrip("\n"))

    def _log(self, label: str, line: str) -> None:
        with self._lock:
            print(f"[{label}] {line}", file=self._output, flush=True)
