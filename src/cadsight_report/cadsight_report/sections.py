"""The independent sections of a run's page: ours, and those that other packages add.

The others (labels, models, live) share what they load, and are in :mod:`cadsight_report.build`.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cadsight_core.registered import Registered
from cadsight_core.storage.folders.run_folder import RunFolder

GROUP = "cadsight.report_sections"


@dataclass(frozen=True)
class Content:
    """What a section found in a run.

    Attributes:
        figures: what report.json keeps of it, under the section's name.
        charts: SVG by name, made by :mod:`cadsight_report.graphics.charts`; the page trusts them.
    """

    figures: Mapping[str, Any]
    charts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes:
        name: its key in report.json, which nothing else there has, and its place on the page.
        title: in the page's list of sections.
        of: ``module:function`` from the run's folder to its :class:`Content`, or None where the run has nothing for
            it; imported when a report is made.
        template: ``package:file`` below that package's `templates/`; it is given ``section``, the figures, and
            ``charts``.
    """

    name: str
    title: str
    of: str
    template: str

    def content(self, run: RunFolder) -> Content | None:
        """What it finds in ``run``.

        Raises:
            CadsightError: when a part of the run cannot be read.
        """
        module, _, function = self.of.partition(":")
        found: Content | None = getattr(importlib.import_module(module), function)(run)
        return found


SECTIONS = Registered(
    "section of the report",
    GROUP,
    Section,
    (
        Section(
            name="distances",
            title="Train/test distance",
            of="cadsight_report.run.distances:of_run",
            template="cadsight_report:distances.html.j2",
        ),
    ),
)
