import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.registered import Registered
from installed_package import install as install_package

GROUP = "cadsight.test_strategies"
MODULE = """
from types import SimpleNamespace
MARGIN, RANDOM, SEVEN = SimpleNamespace(name="margin"), SimpleNamespace(name="random"), 7
"""


def strategies() -> "Registered[SimpleNamespace]":
    ours = (SimpleNamespace(name="random"), SimpleNamespace(name="entropy"))
    return Registered("strategy", GROUP, SimpleNamespace, ours)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Installs a package ``theirs`` of one module with such an entry point."""

    def installed(entry_point: str, module: str = MODULE) -> None:
        install_package(tmp_path, "theirs", GROUP, entry_point, {"registered_theirs": module})
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "registered_theirs", raising=False)

    return installed


def test_items_are_known_by_name_in_their_order():
    known = strategies()
    assert list(known) == ["random", "entropy"]
    assert known.named("entropy").name == "entropy"
    assert "margin" not in known


def test_an_unknown_name_is_refused_with_those_that_there_are():
    with pytest.raises(CadsightError, match=r"^the strategy is 'x', expected one of random, entropy$"):
        strategies().named("x")


def test_an_installed_package_adds_one_by_its_entry_point(install):
    install("margin = registered_theirs:MARGIN")
    known = strategies()
    assert list(known) == ["random", "entropy", "margin"]
    assert known["margin"] is sys.modules["registered_theirs"].MARGIN


def test_ours_are_known_without_loading_what_others_bring(install):
    install("margin = registered_theirs:MARGIN", "raise RuntimeError('out of order')")
    assert strategies()["random"].name == "random"


@pytest.mark.parametrize(
    ("entry_point", "module", "words"),
    [
        (
            "margin = registered_theirs:MARGIN",
            "raise RuntimeError('out of order')",
            r"the strategy margin of the package theirs could not be loaded \(RuntimeError: out of order\), expected",
        ),
        ("margin = registered_theirs:NONE", MODULE, r"could not be loaded \(AttributeError: "),
        ("seven = registered_theirs:SEVEN", MODULE, "registered_theirs:SEVEN of the package theirs is 7, expected a"),
        ("other = registered_theirs:MARGIN", MODULE, "expected a SimpleNamespace of the name other"),
        ("random = registered_theirs:RANDOM", MODULE, "the package theirs brings the strategy random, which is there"),
    ],
)
def test_an_entry_point_that_leads_to_no_such_item_is_refused_with_its_package(entry_point, module, words, install):
    install(entry_point, module)
    with pytest.raises(CadsightError, match=words):
        list(strategies())
