"""Loops and steps that may take long, reported to who watches: a command prints them, nodes and workers need not.

Who watches is a matter of the context, so that a loop deep inside needs no argument through all that call it.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

# Fewer images are processed in less than a second.
MANY = 1000

# (items, how many, what is done) -> the items, as they are taken.
Progress = Callable[[Iterable[Any], int, str], Iterable[Any]]


def no_progress(items: Iterable[Any], _total: int, _what: str) -> Iterable[Any]:
    """Shows nothing."""
    return items


_watch: ContextVar[Progress] = ContextVar("watch", default=no_progress)


def with_progress(items: Iterable[T], total: int, what: str) -> Iterable[T]:
    """``items``, about ``total`` of them, reported to who watches as they are taken."""
    return _watch.get()(items, total, what)


def with_progress_if_many(items: Iterable[T], total: int, what: str) -> Iterable[T]:
    """Like :func:`with_progress` where there are so many that somebody may wonder, else reported to nobody."""
    return with_progress(items, total, what) if total >= MANY else items


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Something long in which nothing can be counted."""
    for _ in with_progress((None,), 1, what):
        yield


def step_if_many(total: int, what: str) -> contextlib.AbstractContextManager[None]:
    """Like :func:`step` for ``total`` items, where they are so many that somebody may wonder."""
    return step(what) if total >= MANY else contextlib.nullcontext()


@contextlib.contextmanager
def progress_to(progress: Progress) -> Iterator[None]:
    """Report to ``progress`` what is done within, in this thread."""
    token = _watch.set(progress)
    try:
        yield
    finally:
        _watch.reset(token)
