"""The report step: the page and the figures of a run, or of several side by side, with a progress bar."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cadsight_core.running.progress import progress_to
from cadsight_report.build import STAGES, build_report
from cadsight_report.side_by_side.entries import TestImages
from cadsight_report.side_by_side.page import STAGES as SIDE_BY_SIDE_STAGES
from cadsight_report.side_by_side.page import build_side_by_side
from tqdm import tqdm

from cadsight_cli.progress import counted


def report(folder: str | Path, title: str = "report") -> Path:
    """Write report.html and report.json of the run in ``folder``; returns the page."""
    with _bar(title, STAGES) as stage, progress_to(counted):
        return build_report(folder, stage).page


def report_side_by_side(folders: Sequence[str | Path], page: Path, test: TestImages | None = None) -> Path:
    """Write the page of several runs; returns it."""
    with _bar("report", SIDE_BY_SIDE_STAGES) as stage, progress_to(counted):
        return build_side_by_side(folders, page, test, stage)


@contextlib.contextmanager
def _bar(title: str, stages: Sequence[str]) -> Iterator[Callable[[str], None]]:
    with tqdm(total=len(stages), desc=f"{title:<26}", unit="part", dynamic_ncols=True) as bar:
        begun = 0

        def stage(name: str) -> None:
            nonlocal begun
            bar.update(1 if begun else 0)
            bar.set_postfix_str(name)
            begun += 1

        yield stage
        bar.update(1)
