"""Progress bars of commands that run for a time."""

import contextlib
from collections.abc import Callable, Iterator

from tqdm import tqdm


@contextlib.contextmanager
def seconds_bar(title: str, seconds: float) -> Iterator[Callable[[float], None]]:
    """A bar that is told the seconds that have passed; ``seconds`` is 0 where nobody knows the end."""
    with tqdm(total=round(seconds, 1) or None, desc=title, unit="s") as bar:

        def show(passed: float) -> None:
            bar.n = round(min(passed, seconds) if seconds else passed, 1)
            bar.refresh()

        yield show
        if seconds:
            show(seconds)
