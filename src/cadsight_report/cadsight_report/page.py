"""The page: figures and images in, one HTML text out that needs nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from cadsight_report.goals.paper import REAL_NANO, SYNTHETIC_NANO, TABLE
from cadsight_report.labels import WRONG_ABOVE_DEG, WRONG_BELOW_IOU
from cadsight_report.sections import SECTIONS, Section

_SECTIONS = (("labels", "Automatic labels"), ("detector", "Detector"), ("normals", "Normals"))


@dataclass(frozen=True)
class PageImage:
    """An image as a data URI, with what to write beneath it."""

    name: str
    uri: str
    caption: str


@dataclass(frozen=True)
class Illustrations:
    """What the page shows besides figures.

    Attributes:
        charts: SVG by name, made by :mod:`cadsight_report.graphics.charts`.
        models: a sentence on each model, by its name.
        sections: the charts of each of :data:`cadsight_report.sections.SECTIONS`.
    """

    charts: dict[str, str] = field(default_factory=dict)
    images: tuple[PageImage, ...] = ()
    saliency: tuple[PageImage, ...] = ()
    models: dict[str, str] = field(default_factory=dict)
    sections: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def render(figures: Mapping[str, Any], illustrations: Illustrations) -> str:
    """The page of a run; every text from the run is escaped, only our own charts and style are not."""
    mets = [t["met"] for t in figures["targets"]]
    own = ((one.name, one.title) for one in SECTIONS.values())
    listed = (*_SECTIONS, *own, ("live", "Live inference"))
    sections = [("targets", "Targets"), *((id_, title) for id_, title in listed if figures.get(id_))]
    if illustrations.images:
        sections.append(("images", "Images"))
    return filled(
        "report.html.j2",
        figures=figures,
        charts={name: Markup(svg) for name, svg in illustrations.charts.items()} | _absent(illustrations.charts),
        images=illustrations.images,
        saliency=illustrations.saliency,
        models={"detector": "", "normals": ""} | illustrations.models,
        own_sections=[
            {"name": name, "html": _section(one, figures[name], illustrations.sections.get(name, {}))}
            for name, one in SECTIONS.items()
            if figures.get(name)
        ],
        sections=[*sections, ("making", "Time, settings and versions")],
        met=mets.count(True),
        evaluated=len(mets) - mets.count(None),
        unmeasured=mets.count(None),
        table=TABLE,
        paper_real=REAL_NANO,
        paper_synthetic=SYNTHETIC_NANO,
        wrong_iou=WRONG_BELOW_IOU,
        wrong_deg=WRONG_ABOVE_DEG,
        longest=max([1e-9, *(figures.get("seconds") or {}).values()]),
    )


def filled(template: str, **values: Any) -> str:
    """A template of this package with the style of all pages; what is no :class:`Markup` is escaped."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("cadsight_report"), PrefixLoader(_packages(), ":")]),
        autoescape=select_autoescape(("html", "j2")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    css, _, _ = environment.loader.get_source(environment, "report.css")  # type: ignore[union-attr]
    return environment.get_template(template).render(css=Markup(css), **values)


def _section(one: Section, figures: Mapping[str, Any], charts: Mapping[str, str]) -> Markup:
    return Markup(filled(one.template, section=figures, charts={name: Markup(svg) for name, svg in charts.items()}))


def _packages() -> dict[str, PackageLoader]:
    return {name: PackageLoader(name) for name in {one.template.partition(":")[0] for one in SECTIONS.values()}}


def _absent(charts: Mapping[str, str]) -> dict[str, None]:
    names = ("labels", "detector_curves", "normals_curves", "angles", "latency")
    return {name: None for name in names if name not in charts}
