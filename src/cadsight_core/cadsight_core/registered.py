"""What is known by name: ours, and what other installed packages add through an entry point."""

import functools
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import entry_points
from typing import Protocol, TypeVar

from cadsight_core.errors import CadsightError


class Named(Protocol):
    """What can be registered."""

    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=Named)


class Registered(Mapping[str, T]):
    """Items by their names, ours before those of other packages.

    Another package adds one in its ``pyproject.toml``: an entry point of the ``group`` that has the item's name and
    leads to it, such as ``[project.entry-points."cadsight.detectors"]`` with ``theirs = "their_package:THEIRS"``.

    Attributes:
        ours: the items that come with CADsight; no other package is asked for them.
    """

    def __init__(self, what: str, group: str, kind: type[T], ours: Iterable[T]) -> None:
        """``what`` is the word for an item in sentences, such as 'family', and ``kind`` its class."""
        self._what, self._group, self._kind = what, group, kind
        self.ours = tuple(ours)

    def __getitem__(self, name: str) -> T:
        return next((one for one in self.ours if one.name == name), None) or self._theirs[name]

    def __iter__(self) -> Iterator[str]:
        yield from (one.name for one in self.ours)
        yield from self._theirs

    def __len__(self) -> int:
        return len(self.ours) + len(self._theirs)

    def named(self, name: str) -> T:
        """The item of that name.

        Raises:
            CadsightError: when there is none, or an entry point leads to something else.
        """
        if name not in self:
            raise CadsightError(f"the {self._what} is {name!r}, expected one of {', '.join(self)}")
        return self[name]

    @functools.cached_property
    def _theirs(self) -> dict[str, T]:
        found: dict[str, T] = {}
        for point in entry_points(group=self._group):
            package = f"the package {point.dist.name}" if point.dist else "an installed package"
            try:
                one = point.load()
            except Exception as error:  # the module is anybody's, and so is what it raises
                reason = f"{type(error).__name__}: {error}"
                raise CadsightError(
                    f"the {self._what} {point.name} of {package} could not be loaded ({reason}), expected that package "
                    "mended or uninstalled"
                ) from error
            if not isinstance(one, self._kind) or one.name != point.name:
                raise CadsightError(
                    f"{point.value} of {package} is {one!r}, expected a {self._kind.__name__} of the name {point.name}"
                )
            if one.name in found or any(one.name == known.name for known in self.ours):
                raise CadsightError(f"{package} brings the {self._what} {one.name}, which is there already")
            found[one.name] = one
        return found
