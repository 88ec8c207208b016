"""The process in which a reader reads: it may die of an input, which its parent then sees."""

import faulthandler
import gc
import math
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_core.running.child_process import end_with_parent

from fuzzing.falls import Fall, fall_of
from fuzzing.inputs import Inputs
from fuzzing.limits import Limits, bound_address_space, processor_seconds, resident_peak
from fuzzing.reader import Reader


@dataclass(frozen=True)
class Mark:
    """What the parent sees of a child at any moment: shared values.

    Attributes:
        number: of the input that is read, -1 before the first.
        seconds: processor seconds when it was begun, infinite when it is done.
        memory: resident bytes then.
        done: inputs that are behind it.
        longest: processor seconds of the input that took most of them.
        slowest: its number.
    """

    number: Any
    seconds: Any
    memory: Any
    done: Any
    longest: Any
    slowest: Any


def read_on(
    find: Callable[[str], Reader],
    name: str,
    folder: Path,
    seed: int,
    first: int,
    limits: Limits,
    mark: Mark,
    falls: Connection,
) -> None:
    """Read one input after the other, from number ``first`` on, until the parent ends it."""
    end_with_parent()
    reader = find(name)
    _quiet(folder / "said.txt")
    inputs = Inputs(reader, folder / "seeds", seed)
    for folder in inputs.seeds:  # which also imports what is imported late
        try:
            reader.read(folder)
        except Exception as error:
            falls.send(Fall(reader.name, -1, "seed", folder.name, fall_of(error, reader.name, -1).words))
            return
    bound_address_space(limits.memory)
    number = first
    while True:
        fall = _read_one(reader, inputs, number, limits, mark)
        if fall is not None:
            falls.send(fall)
        number += 1


def _read_one(reader: Reader, inputs: Inputs, number: int, limits: Limits, mark: Mark) -> Fall | None:
    one = inputs[number]
    one.put()
    os.ftruncate(1, 0)
    before, start = resident_peak(anew=True), processor_seconds()
    mark.seconds.value, mark.memory.value, mark.number.value = start, before, number
    fall = None
    try:
        reader.read(one.seed)
    except CadsightError:
        pass
    except Exception as error:
        fall = fall_of(error, reader.name, number)
    took, grown = processor_seconds() - start, resident_peak() - before
    mark.seconds.value = math.inf  # the next input is made now, which is none of the reader's time
    mark.done.value += 1
    if took > mark.longest.value:
        mark.longest.value, mark.slowest.value = took, number
    one.take_back()
    if number % 50 == 0:
        gc.collect()
    if fall is None and took > limits.seconds:
        return Fall(reader.name, number, "hang", "done at last", f"it took {took:.1f} s of processor time")
    if fall is None and grown > limits.memory:
        return Fall(reader.name, number, "memory", "measured", f"it took {grown >> 20} MiB")
    return fall


def _quiet(output: Path) -> None:
    """What libraries print goes to a file; a death's traceback too."""
    there = os.open(output, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    os.dup2(there, 1)
    os.dup2(there, 2)
    os.close(there)
    faulthandler.enable()
    warnings.simplefilter("ignore")
