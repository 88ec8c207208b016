"""The container files: a linter and a parser check them, since building them needs an engine and the network."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
DOCKERFILE = ROOT / "docker/Dockerfile"
SERVICES = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())["services"]


# The stage that each stage stands on, by its name.
STAGES = {name: base for base, name in re.findall(r"^FROM (\S+) AS (\S+)$", DOCKERFILE.read_text(), re.MULTILINE)}


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="hadolint is not there for this kind of machine")
def test_the_linter_finds_nothing():
    words = ["hadolint", "--config", str(ROOT / "docker/hadolint.yaml"), "--no-color", str(DOCKERFILE)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_each_stage_stands_on_one_before_it():
    bases = [("base", "${BASE}"), ("simulated", "base"), ("cell", "simulated"), ("dev", "simulated")]
    assert list(STAGES.items()) == bases


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_built_from_a_stage_with_room_for_images(name):
    service = SERVICES[name]
    assert service["build"]["target"] in STAGES
    assert (ROOT / "docker" / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    assert service["shm_size"] == "2gb" or service.get("ipc") == "host"
    assert (ROOT / "docker" / service["volumes"][0].split(":")[0]).resolve() == ROOT / "runs"


def test_the_cell_has_the_hosts_network_its_usb_and_an_installed_ros():
    cell = SERVICES["cell"]
    assert (cell["network_mode"], cell["build"]["target"]) == ("host", "cell")
    assert "/dev:/dev" in cell["volumes"]
    assert "c 189:* rmw" in cell["device_cgroup_rules"]
    assert cell["build"]["args"]["BASE"].startswith("ros:")


def test_the_cell_brings_every_package_that_its_launch_files_start_or_include():
    text = DOCKERFILE.read_text()
    needed = set()
    for file in ("cell", "workcell", "capture", "perception"):
        launch = (ROOT / f"launch/{file}.launch.xml").read_text()
        needed |= set(re.findall(r"find-pkg-share (\w+)|pkg=\"(\w+)\"", launch))
    packages = {name for pair in needed for name in pair if name and not name.startswith("cadsight")} - {"rviz2"}
    assert packages == {"ur_robot_driver", "realsense2_camera", "tf2_ros"}
    assert [name for name in packages if f" {name.replace('_', '-')}" not in text] == []
