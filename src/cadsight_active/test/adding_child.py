"""A process that adds images to a pool and tells which are acknowledged, to be killed."""

import os

from cadsight_active.pool.pool import opened_pool
from cadsight_active.pool.seen import Why
from cadsight_active.pool.store import opened_store
from cadsight_core.imaging.images import encode_image
from seen_images import image, seen


def add(folder, first, writes):
    """The body of the process: a line for each acknowledged image, its number, its sha256 and which one it was."""
    with opened_pool(folder) as pool:
        number = first
        while True:
            decision = pool.offer(image(number), seen(number))
            record = pool.store.record(decision.number)
            os.write(writes, f"{record.number} {record.sha256} {number}\n".encode())
            number += 1


def add_to_a_full_one(folder, first, writes, max_bytes):
    """The same where for each image one of those before has to go."""
    with opened_store(folder) as store:
        number = first
        while True:
            why = Why("the newest says most", 0.5, 0.5, float(number))
            added = store.add(encode_image(image(number)), seen(number), why, max_bytes)
            record = store.record(added.number)
            os.write(writes, f"{record.number} {record.sha256} {number}\n".encode())
            number += 1


# Of some ten images.
CAP = 8000


def add_through(folder, first, writes):
    """What a process is started with; ``writes`` is the end of a pipe that is written to."""
    add(folder, first, writes.fileno())


def add_to_a_full_one_through(folder, first, writes):
    """The same with a pool of at most :data:`CAP` bytes."""
    add_to_a_full_one(folder, first, writes.fileno(), CAP)
