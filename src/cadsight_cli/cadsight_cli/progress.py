"""Progress bars of commands that run for a time."""

import contextlib
from collections.abc import Callable, Iterator

from tqdm import tqdm


@contextlib.contextmanager
def seconds_bar(title: str, seconds: float) -> Iterator[Callable[[float], None]]:
    """A bar that is told the seconds that have passed; ``seconds`` is 0 where nobody knows the end."""
    form = "{desc}: {percentage:3.0f}%|{bar}| {n:.0f} of {total:.0f} s" if seconds else "{desc}: {n:.0f} s"
    with tqdm(total=seconds or None, desc=title, bar_format=form) as bar:

        def show(passed: float) -> None:
            bar.update((min(passed, seconds) if seconds else passed) - bar.n)

        yield show
        if seconds:
            show(seconds)
