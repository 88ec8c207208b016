"""What a finished run says in the terminal: which targets were met, and which model is of no use."""

from collections.abc import Iterator, Sequence

from cadsight_report.figures import RunFigures, Verdict
from cadsight_report.run.usefulness import Useless, useless

from cadsight_cli.demo.settings import DemoSettings

_WORDS = {True: "met", False: "missed", None: "not measured"}
# A model that learned too little gets this many times the work.
_LONGER = 3


def verdict(figures: RunFigures, settings: DemoSettings, quick: bool) -> tuple[list[str], bool]:
    """Lines on a run, and whether its models find what they were taught.

    Args:
        quick: its figures mean nothing, so that useless models are not reported and do not change the status.
    """
    lines = list(_targets(figures.targets))
    if quick:
        return [*lines, "--quick shows that all of it runs: these figures mean nothing"], True
    found = useless(figures)
    return [*lines, *(f"useless: {one.reason}: {_advice(one, settings)}" for one in found)], not found


def _targets(targets: Sequence[Verdict]) -> Iterator[str]:
    width = max(len(t.what) for t in targets)
    for t in targets:
        limit = f"{t.relation} {_formatted(t.limit)} {t.unit}".rstrip()
        yield f"{_WORDS[t.met]:<12}  {t.what:<{width}}  {_formatted(t.value):>7}  {limit}"
    met = [t.met for t in targets]
    unknown = f", {met.count(None)} not measured" if None in met else ""
    yield f"{met.count(True)} of {len(met) - met.count(None)} targets met{unknown}"


def _formatted(value: float | bool | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else f"{value:.4g}"


def _advice(one: Useless, settings: DemoSettings) -> str:
    """What to type: the training that was too short is done again, with what comes after it, and nothing before."""
    if not one.evaluated:
        return "the report says what is missing"
    epochs, seconds = f"{one.model}_epochs", f"{one.model}_seconds"
    words = [f"--{one.model}-epochs {_LONGER * getattr(settings, epochs)}"]
    if getattr(settings, seconds):
        words.append(f"--{one.model}-seconds 0")
    return f"train longer with the same command and {' '.join(words)}"
