"""`make setup`, piece by piece; that the pieces together make a workspace is what the other tests stand on."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from workspace import blender, build, datumaro, environment, ros, system  # noqa: E402
from workspace.say import SetupError, python_version  # noqa: E402
from workspace.stamp import Stamps, fingerprint  # noqa: E402


def ros_prefix(folder: Path, *packages: str) -> Path:
    index = folder / "share/ament_index/resource_index/packages"
    index.mkdir(parents=True)
    for package in packages:
        (index / package).touch()
    return folder


def test_a_fingerprint_changes_with_a_name_a_content_or_a_word(tmp_path):
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").write_text("1")
    before = fingerprint(tmp_path, [tmp_path / "a"], ["w"])
    assert fingerprint(tmp_path, [tmp_path / "a"], ["w"]) == before
    others = {fingerprint(tmp_path, [tmp_path / "b"], ["w"]), fingerprint(tmp_path, [tmp_path / "a"], ["v"])}
    (tmp_path / "a").write_text("2")
    others.add(fingerprint(tmp_path, [tmp_path / "a"], ["w"]))
    assert before not in others
    assert len(others) == 3


def test_a_stamp_holds_for_its_own_step_and_value_only(tmp_path):
    stamps = Stamps(tmp_path / "stamps")
    assert not stamps.holds("a", "1")
    stamps.set("a", "1")
    assert stamps.holds("a", "1")
    assert not stamps.holds("a", "2")
    assert not stamps.holds("b", "1")


@pytest.mark.parametrize(
    ("distribution", "packages", "found"),
    [("jazzy", ["rclpy"], True), ("kilted", ["rclpy"], True), ("jazzy", [], False), ("", ["rclpy"], False)],
)
def test_a_sourced_ros_is_found_by_its_name_and_its_rclpy(tmp_path, distribution, packages, found):
    prefix = ros_prefix(tmp_path / "ros", *packages)
    variables = {"ROS_DISTRO": distribution, "AMENT_PREFIX_PATH": str(prefix)}
    installation = ros.find_installation(variables, tmp_path / "workspace")
    assert (installation is not None) is found
    if installation:
        assert installation.prefixes == (prefix,)


def test_our_own_wheels_are_not_taken_for_an_installation(tmp_path):
    prefix = ros_prefix(tmp_path / "workspace/.venv", "rclpy")
    variables = {"ROS_DISTRO": "kilted", "AMENT_PREFIX_PATH": str(prefix)}
    assert ros.find_installation(variables, tmp_path / "workspace") is None


def test_a_distribution_that_is_not_supported_is_refused_by_name(tmp_path):
    prefix = ros_prefix(tmp_path / "ros", "rclpy")
    with pytest.raises(SetupError, match=r"ROS 2 foxy is sourced; jazzy and kilted are supported"):
        ros.find_installation({"ROS_DISTRO": "foxy", "AMENT_PREFIX_PATH": str(prefix)}, tmp_path / "workspace")


def test_an_installation_knows_the_packages_of_all_its_prefixes(tmp_path):
    first, second = ros_prefix(tmp_path / "a", "rclpy"), ros_prefix(tmp_path / "b", "vision_msgs")
    installation = ros.Installation("jazzy", (first, second))
    assert [installation.has(name) for name in ("rclpy", "vision_msgs", "tf2_msgs")] == [True, True, False]


def test_the_wheels_name_the_folders_of_this_machine(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to(sys.executable)
    file = tmp_path / "share/some_msgs/cmake/export.cmake"
    file.parent.mkdir(parents=True)
    file.write_text(
        '"/opt/python/cp311-cp311/include/python3.11;'
        '/opt/python/cp311-cp311/lib/python3.11/site-packages/numpy/_core/include;${_IMPORT_PREFIX}/include"'
    )
    assert ros.mend_wheels(tmp_path) == 1
    python_include, numpy_include, own = file.read_text().strip('"').split(";")
    assert (Path(python_include) / "Python.h").is_file()
    assert (Path(numpy_include) / "numpy/arrayobject.h").is_file()
    assert own == "${_IMPORT_PREFIX}/include"
    assert ros.mend_wheels(tmp_path) == 0


def test_no_wheel_still_names_the_machine_that_built_it():
    venv = ROOT / ".venv"
    if not (venv / "share/rclpy").is_dir():
        pytest.skip("this workspace stands on an installed ROS")
    named = [file for file in venv.glob("share/*/cmake/*.cmake") if "/opt/python/" in file.read_text()]
    assert named == []


def test_what_is_missing_is_listed_by_its_package():
    needs = (system.Need(("here",), lambda: True), system.Need(("a", "b"), lambda: False))
    assert system.missing_packages(needs) == ["a", "b"]


def test_without_the_right_to_install_the_line_that_installs_is_printed(monkeypatch):
    monkeypatch.setattr(system, "_root_prefix", lambda: None)
    with pytest.raises(SetupError) as error:
        system.install_missing((system.Need(("libegl1", "cmake"), lambda: False),))
    assert "apt-get install -y --no-install-recommends libegl1 cmake" in str(error.value)


def test_nothing_is_installed_when_nothing_is_missing():
    system.install_missing((system.Need(("no-such-package",), lambda: True),))


def machine_with(monkeypatch, folder: Path, apt_get: str) -> None:
    """A path of two commands, with us as root: touch and an apt-get that notes its words and does `apt_get`."""
    (folder / "touch").symlink_to(shutil.which("touch"))
    apt = folder / "apt-get"
    apt.write_text(f'#!/bin/sh\necho "$@" >> {folder}/said\n{apt_get}\n')
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def test_a_shell_that_only_tests_want_is_installed_by_root(monkeypatch, tmp_path, capsys):
    machine_with(monkeypatch, tmp_path, f"touch {tmp_path}/there")
    system.install_wished((system.Need(("zsh", "fish"), (tmp_path / "there").is_file),))
    update, install = (tmp_path / "said").read_text().splitlines()
    assert update.endswith("update")
    assert install.endswith("install -y --no-install-recommends zsh fish")
    assert "could not" not in capsys.readouterr().out


def test_setting_up_goes_on_without_a_shell_that_only_tests_want(monkeypatch, tmp_path, capsys):
    machine_with(monkeypatch, tmp_path, "exit 100")
    system.install_wished((system.Need(("zsh",), lambda: False),))
    assert "zsh could not be installed; the tests of them are skipped" in capsys.readouterr().out


def test_who_is_not_root_is_not_asked_for_a_shell_that_only_tests_want(monkeypatch, tmp_path):
    machine_with(monkeypatch, tmp_path, "exit 100")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    system.install_wished((system.Need(("zsh",), lambda: False),))
    assert not (tmp_path / "said").exists()


def test_what_this_machine_was_set_up_with_is_found():
    assert system.missing_packages() == []


def test_an_interpreter_that_is_too_old_or_too_new_is_refused(monkeypatch):
    for version in [(3, 9, 2), (3, 14, 0)]:
        monkeypatch.setattr(sys, "version_info", _Version(version))
        with pytest.raises(SetupError, match=rf"this is Python 3\.{version[1]}"):
            environment.check_python()


def test_an_installed_ros_keeps_its_own_numpy(tmp_path):
    constraints, overrides = environment.pins(ROOT, tmp_path, "1.26.4")
    ours, theirs = (ROOT / "constraints.txt").read_text().splitlines(), constraints.read_text().splitlines()
    assert [line for line in ours if line not in theirs] == [line for line in ours if line.startswith("numpy==")]
    assert overrides.read_text().splitlines()[-1] == "numpy==1.26.4"


def test_without_an_older_numpy_the_pins_are_the_committed_ones(tmp_path):
    assert environment.pins(ROOT, tmp_path, "") == (ROOT / "constraints.txt", ROOT / "overrides.txt")


def wheel_of_one_module(folder: Path, name: str) -> Path:
    """A wheel with one empty module, as a registry would send it."""
    wheel, information = folder / f"{name}-1.0-py3-none-any.whl", f"{name}-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{name}.py", "answer = 42\n")
        archive.writestr(f"{information}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{information}/RECORD", f"{name}.py,,\n{information}/METADATA,,\n{information}/WHEEL,,\n")
    return wheel


def test_packages_bring_their_byte_code_where_python_is_told_to_write_none(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    venv, uv = tmp_path / "venv", ROOT / ".venv/bin/uv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    environment.uv_install(uv, venv, ["--no-index", wheel_of_one_module(tmp_path, "sent")], cwd=tmp_path)
    (module,) = venv.glob("lib/python3*/site-packages/sent.py")
    assert Path(importlib.util.cache_from_source(str(module))).is_file()


def test_our_sources_get_their_byte_code_where_python_is_told_to_write_none(tmp_path):
    (tmp_path / "src").mkdir()
    module = tmp_path / "src/ours.py"
    module.write_text("answer = 42\n")
    build.compile_sources(tmp_path, ROOT / ".venv", {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    assert Path(importlib.util.cache_from_source(str(module))).is_file()


class _Version(tuple):
    major = property(lambda self: self[0])
    minor = property(lambda self: self[1])


def test_a_change_of_python_code_asks_for_no_build_and_a_new_message_does():
    files = {str(path.relative_to(ROOT)) for path in build.inputs(ROOT)}
    assert "src/cadsight_interfaces/msg/SurfaceNormal.msg" in files
    assert "package.xml" in files
    assert not [file for file in files if file.endswith(".py") and not file.endswith("setup.py")]


def test_setting_up_again_does_nothing():
    if os.environ.get("CADSIGHT_ROOT") != str(ROOT) or not (ROOT / ".venv/stamps/workspace").is_file():
        pytest.skip("this workspace was not set up by `make setup`")
    result = subprocess.run(["make", "-s", "setup"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "Ready after" in result.stdout
    assert "Installing" not in result.stdout
    assert "Building" not in result.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_sourcing_the_environment_twice_changes_nothing(shell):
    if not any((Path(folder) / shell).exists() for folder in os.environ["PATH"].split(":")):
        pytest.skip(f"{shell} is not installed")
    clean = {"HOME": os.environ.get("HOME", "/"), "PATH": "/usr/bin:/bin"}
    script = f'. {ROOT}/env.sh; first=$(env | sort); . {ROOT}/env.sh; [ "$first" = "$(env | sort)" ] && echo same'
    result = subprocess.run([shell, "-c", script], env=clean, capture_output=True, text=True)
    assert result.stdout == "same\n"


def test_the_command_runs_from_a_shell_that_cannot_source_the_environment():
    fish = shutil.which("fish")
    if fish is None:
        pytest.skip("fish is not installed")
    clean = {"HOME": os.environ.get("HOME", "/"), "PATH": "/usr/bin:/bin"}
    words = [fish, "-c", f"{ROOT}/bin/cadsight --help"]
    result = subprocess.run(words, env=clean, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("usage: cadsight")


def test_blender_wants_its_own_python_and_says_which(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(blender, "PYTHON", (2, 6))
    with pytest.raises(SetupError, match=r"Blender's wheels want Python 2\.6, and there is none beside this 3\.\d+"):
        blender.find_python()


def test_blender_takes_a_python_of_the_path_that_runs(monkeypatch, tmp_path):
    there = tmp_path / "python3.99"
    monkeypatch.setattr(blender, "PYTHON", (3, 99))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    # As pyenv's shims do for a version that is not chosen.
    there.write_text("#!/bin/sh\nexit 127\n")
    there.chmod(0o755)
    with pytest.raises(SetupError):
        blender.find_python()
    there.write_text("#!/bin/sh\necho 3.99\n")
    assert blender.find_python() == str(there)


def test_nothing_is_done_for_blender_where_its_pins_have_not_changed(monkeypatch, tmp_path):
    (tmp_path / blender.PINS).write_text("bpy==4.2.0\n")
    made = []
    monkeypatch.setattr(blender, "find_python", lambda: made.append("python") or sys.executable)
    # Without uv it ends where there would be something to do.
    with pytest.raises(SetupError, match="make setup"):
        blender.set_up(tmp_path)
    expected = fingerprint(tmp_path, [tmp_path / blender.PINS], [str(tmp_path / blender.FOLDER), str(blender.PYTHON)])
    Stamps(tmp_path / blender.FOLDER / "stamps").set("packages", expected)
    assert not blender.set_up(tmp_path)
    (tmp_path / blender.PINS).write_text("bpy==4.2.1\n")
    with pytest.raises(SetupError, match="make setup"):
        blender.set_up(tmp_path)
    assert made == ["python", "python"]


def test_nothing_is_done_for_datumaro_where_its_pins_have_not_changed(tmp_path):
    (tmp_path / datumaro.PINS).write_text("datumaro==1.13.0\n")
    with pytest.raises(SetupError, match="make setup"):
        datumaro.set_up(tmp_path)
    expected = fingerprint(tmp_path, [tmp_path / datumaro.PINS], [str(tmp_path / datumaro.FOLDER), python_version()])
    Stamps(tmp_path / datumaro.FOLDER / "stamps").set("packages", expected)
    assert not datumaro.set_up(tmp_path)
