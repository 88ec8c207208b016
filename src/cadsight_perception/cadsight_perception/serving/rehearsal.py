"""Loads models and infers with them in a process of its own, with what others leave of the processor, before they are
loaded where images come: exports are made there, and what crashes a library crashes that process."""

import json
import sys
from dataclasses import asdict

from cadsight_core.config.parameters import from_mapping
from cadsight_core.running.telling import Tell, child_main, run_telling
from cadsight_core.storage.json_text import json_text

from cadsight_perception.parameters import PerceptionParameters


def rehearse(detector: str, regressor: str, parameters: PerceptionParameters, tell: Tell) -> None:
    """Load and warm up two models of the registry, and forget them.

    Raises:
        CadsightError: when they cannot be served, or the process dies.
    """
    words = (detector, regressor, json_text(asdict(parameters)))
    what = f"trying {detector} and {regressor}"
    run_telling("cadsight_perception.serving.rehearsal", words, what, tell, aside=True)


def _rehearse(words: list[str], tell: Tell) -> None:
    from cadsight_perception.serving.models import serve

    detector, regressor, parameters = words
    serve(detector, regressor, from_mapping(PerceptionParameters, json.loads(parameters), "the rehearsal"), tell=tell)


if __name__ == "__main__":
    raise SystemExit(child_main(sys.argv[1:], _rehearse))
