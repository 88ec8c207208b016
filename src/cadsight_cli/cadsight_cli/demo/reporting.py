"""The report step: the page and the figures of a run, with a progress bar."""

from pathlib import Path

from cadsight_report.build import STAGES, build_report
from tqdm import tqdm


def report(folder: str | Path, title: str = "report") -> Path:
    """Write report.html and report.json of the run in ``folder``; returns the page."""
    with tqdm(total=len(STAGES), desc=f"{title:<26}", unit="part", dynamic_ncols=True) as bar:
        begun = 0

        def stage(name: str) -> None:
            nonlocal begun
            bar.update(1 if begun else 0)
            bar.set_postfix_str(name)
            begun += 1

        page = build_report(folder, stage).page
        bar.update(1)
    return page
