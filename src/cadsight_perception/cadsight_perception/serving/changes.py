"""Which models are served: the first, changes of them, the way back, and the record of it."""

import threading
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_core.served import ServedNames
from cadsight_core.storage.append_log import AppendLog

from cadsight_perception.parameters import PerceptionParameters
from cadsight_perception.serving.models import Served, serve
from cadsight_perception.serving.rehearsal import rehearse

FORMAT = "cadsight-served-1"


class Serving:
    """What is served, with a generation that only grows. The models before stay loaded, so that the way back is short.

    :attr:`current` may be read by any thread; changes wait for each other.

    Args:
        tell: is called with each step.

    Raises:
        CadsightError: when ``served_file`` is no record of ours, or none of its models and of those of the parameters
            can be served.
    """

    def __init__(self, parameters: PerceptionParameters, tell: Callable[[str], None]) -> None:
        self._parameters, self._tell = parameters, tell
        self._confidence = parameters.confidence
        self._changing = threading.Lock()
        self._log = AppendLog(parameters.served_file, FORMAT) if parameters.served_file else None
        self._before: Served | None = None
        self._generation = max((one.generation for one in self._recorded()), default=0)
        self.left_out: tuple[str, ...] = ()
        self.current = self._recorded_as(self._first(), "start")

    @property
    def confidence(self) -> float:
        """Detections below it are left out; set, it holds from the next image on, and for models to come."""
        return self._confidence

    @confidence.setter
    def confidence(self, value: float) -> None:
        self._confidence = value
        for served in (self.current, self._before):
            if served is not None:
                served.pipeline.confidence = value

    def change(self, detector: str, regressor: str) -> bool:
        """Serve other models of the registry from now on; an empty name keeps the one that is served. They are tried in
        a process of their own before. Returns whether anything changed.

        Raises:
            CadsightError: when they cannot be served; what was served goes on.
        """
        with self._changing:
            return self._change(detector, regressor, "change")

    def roll_back(self) -> None:
        """Serve what was served before, which is still loaded; after a start it is loaded anew. A second time is where
        one was.

        Raises:
            CadsightError: when nothing was served before, or it cannot be served.
        """
        with self._changing:
            if self._before is not None:
                self._swap(self._before, "rollback")
                return
            now = _pair(self.current.named)
            earlier = next((one for one in reversed(self._recorded()) if _pair(one) != now), None)
            if earlier is None:
                raise CadsightError("no other models were served before, expected some to go back to")
            self._change(earlier.detector, earlier.regressor, "rollback", earlier)

    def _change(self, detector: str, regressor: str, why: str, recorded: ServedNames | None = None) -> bool:
        current = self.current
        warm = [self._before] if self._before is not None else []
        found = serve(detector, regressor, self._parameters, current, self._tell, warm, self._rehearse)
        if found is current:
            return False
        if recorded is not None and _pair(found.named) != _pair(recorded):
            raise CadsightError(_replaced(found, recorded))
        self._swap(found, why)
        return True

    def _rehearse(self, detector: str, regressor: str) -> None:
        rehearse(detector, regressor, self._parameters, self._tell)

    def _swap(self, found: Served, why: str) -> None:
        before = self.current
        # On the disk first: a generation that was published is never given again.
        found = self._recorded_as(found, why)
        found.pipeline.confidence = self._confidence
        self._before, self.current = before, found

    def _recorded_as(self, found: Served, why: str) -> Served:
        found = replace(found, generation=self._generation + 1)
        if self._log is not None:
            self._log.append({"why": why, **asdict(found.named)})
        self._generation = found.generation
        return found

    def _first(self) -> Served:
        """The models that were served last of those that can be, else those of the parameters."""
        given = self._parameters.detector, self._parameters.regressor
        refused: list[str] = []
        tried: set[tuple[str, ...]] = set()
        for one in reversed(self._recorded()):
            if _pair(one) in tried:
                continue
            tried.add(_pair(one))
            try:
                found = serve(one.detector, one.regressor, self._parameters, tell=self._tell)
                if _pair(found.named) == _pair(one):
                    self.left_out = tuple(refused)
                    return found
                refused.append(_replaced(found, one))
            except CadsightError as error:
                refused.append(f"{one.detector} and {one.regressor} of generation {one.generation}: {error}")
        self.left_out = tuple(refused)
        return serve(*given, self._parameters, tell=self._tell)

    def _recorded(self) -> list[ServedNames]:
        entries = self._log.entries if self._log is not None else ()
        return [_names(entry) for entry in entries]


def _replaced(found: Served, recorded: ServedNames) -> str:
    return f"{found.names} are not those of generation {recorded.generation} any more, expected the same files"


def _pair(names: ServedNames) -> tuple[str, str, str, str]:
    return names.detector, names.detector_sha256, names.regressor, names.regressor_sha256


def _names(entry: dict[str, Any]) -> ServedNames:
    try:
        return ServedNames(
            int(entry["generation"]),
            *(str(entry[key]) for key in ("detector", "detector_sha256", "regressor", "regressor_sha256")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CadsightError(f"a record of what was served is {entry}, expected a generation and two models") from error
