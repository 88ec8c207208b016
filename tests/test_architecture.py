"""The rules of docs/architecture.md, held against the imports."""

import subprocess
import sys
from pathlib import Path

import grimp
import pytest
from importlinter.api import read_configuration

ROOT = Path(__file__).parents[1]
RULES = str(ROOT / "pyproject.toml")
PACKAGES = read_configuration(RULES)["session_options"]["root_packages"]


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def test_imports_run_one_way_and_in_no_circle():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", RULES], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_nothing_imports_a_node(graph):
    nodes = [module for module in graph.modules if module.endswith("_node")]
    assert len(nodes) > 3
    assert {node: found for node in nodes if (found := graph.find_modules_that_directly_import(node))} == {}


def test_every_package_of_ours_is_held_to_the_rules():
    there = {path.parent.name for path in ROOT.glob("src/*/setup.py")}
    assert there == set(PACKAGES)
