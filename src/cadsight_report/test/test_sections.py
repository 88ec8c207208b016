import sys

import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.storage.folders.run_folder import RunFolder
from cadsight_report.build import build_report
from cadsight_report.figures import read_figures
from cadsight_report.sections import GROUP, SECTIONS

THEIRS = """
from cadsight_report.sections import Content, Section

SECTION = Section("NAME", "Sessions", "their_sections:of_run", "their_sections:sessions.html.j2")


def of_run(run):
    names = sorted(folder.name for folder in (run.folder / "sessions").iterdir())
    return Content({"names": names, "a": "<b>"}, {"mark": "<svg></svg>"}) if names else None
"""
TEMPLATE = "<h2>{{ section.names | length }} sessions {{ section.a }}</h2>{{ charts.mark }}"


@pytest.fixture
def their_section(request, tmp_path, monkeypatch):
    """A section of another package, installed; it is called as the test says, or sessions."""
    name = getattr(request, "param", "sessions")
    package = tmp_path / "site" / "their_sections"
    (package / "templates").mkdir(parents=True)
    (package / "__init__.py").write_text(THEIRS.replace("NAME", name))
    (package / "templates" / "sessions.html.j2").write_text(TEMPLATE)
    about = tmp_path / "site" / "their_sections-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: their-sections\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = their_sections:SECTION\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    SECTIONS.__dict__.pop("_theirs", None)  # what was found before
    yield
    SECTIONS.__dict__.pop("_theirs", None)
    sys.modules.pop("their_sections", None)


@pytest.fixture
def empty_run(tmp_path):
    """A run with an empty folder of live results, and two sessions without a set."""
    run = tmp_path / "run"
    for folder in ("live", "sessions/train", "sessions/test"):
        (run / folder).mkdir(parents=True)
    return run


def test_the_section_of_another_package_is_on_the_page_and_in_the_figures(their_section, empty_run):
    run = build_report(empty_run)
    page = run.page.read_text()
    assert '<a href="#sessions">Sessions</a>' in page
    assert '<section id="sessions">\n<h2>2 sessions &lt;b&gt;</h2><svg></svg>' in page
    assert read_figures(run.figures).sections == {"sessions": {"names": ["test", "train"], "a": "<b>"}}


def test_a_section_without_content_is_left_out(their_section, empty_run):
    for folder in (empty_run / "sessions").iterdir():
        folder.rmdir()
    run = build_report(empty_run)
    assert "sessions" not in run.page.read_text()
    assert read_figures(run.figures).sections == {}


@pytest.mark.parametrize("their_section", ["labels"], indirect=True)
def test_a_section_that_is_called_as_another_key_of_the_report_is_refused(their_section, empty_run):
    with pytest.raises(CadsightError, match="a section of the report is called 'labels', expected no other key"):
        build_report(empty_run)


def test_a_run_without_labelled_images_has_no_distances(empty_run):
    assert SECTIONS["distances"].content(RunFolder(empty_run)) is None
