"""Readers with a fault each, which `make fuzz` has to find; a module of its own, as a child imports it."""

import json
import os
import signal
import subprocess
import sys

from cadsight_core.errors import CadsightError
from fuzzing.reader import Reader

WHOLE = {"name": "a", "number": 1}


def _seeds(folder):
    (folder / "only").mkdir(parents=True)
    (folder / "only" / "a.json").write_text(json.dumps(WHOLE))
    (folder / "only" / "beside.txt").write_text("as it is")


def _parsed(folder):
    assert (folder / "beside.txt").read_text() == "as it is"
    try:
        return json.loads((folder / "a.json").read_bytes())
    except (ValueError, RecursionError) as error:
        raise CadsightError("no JSON") from error


def _sound(folder):
    if _parsed(folder) != WHOLE:
        raise CadsightError("another JSON")


def _traceback(folder):
    return _parsed(folder)["number"]


def _hang(folder):
    while _parsed(folder) != WHOLE:
        pass


def _hang_of_a_child(folder):
    if _parsed(folder) != WHOLE:
        subprocess.run([sys.executable, "-c", "while True: pass"], check=True)


def _memory(folder):
    return b"a" * (1 << 28) if _parsed(folder) != WHOLE else b""


def _death(folder):
    if _parsed(folder) != WHOLE:
        os.kill(os.getpid(), signal.SIGSEGV)


def _wrong_seed(_folder):
    raise CadsightError("never read")


READ = {
    "sound": _sound,
    "traceback": _traceback,
    "hang": _hang,
    "hang of a child": _hang_of_a_child,
    "memory": _memory,
    "death": _death,
    "wrong seed": _wrong_seed,
}


def planted(name):
    return Reader(name, (".json",), _seeds, READ[name])
