"""How `cadsight launch` tells in its log that a process ended: written and read here alone."""

import re
from collections.abc import Sequence

_END = "process ended with exit status {status}"
_READ = re.compile(r"\[[^]]*\] " + re.escape(_END).replace(r"\{status\}", r"(?P<status>-?\d+)"))


def end_words(status: int) -> str:
    """What the log tells, after the process's label, of its end; a negative ``status`` is the signal that ended it."""
    return _END.format(status=status)


def first_bad_end(lines: Sequence[str]) -> int | None:
    """The number of the line of a log that tells the first end with another status than 0, or None."""
    ends = ((number, _READ.fullmatch(line)) for number, line in enumerate(lines))
    return next((number for number, end in ends if end is not None and int(end["status"])), None)
