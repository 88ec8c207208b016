"""Nothing is removed but what we wrote, and a folder is old or new, never half."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.storage.output_folder import MARK, whole_folder
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = st.sampled_from(["a", "b.txt", ".hidden", "notes", MARK, "new.txt", "deep"])
TREES = st.dictionaries(st.lists(NAMES, min_size=1, max_size=3).map(tuple), st.binary(max_size=8), max_size=6)


def write(folder: Path, text: str) -> None:
    with whole_folder(folder) as work:
        (work / "new.txt").write_text(text)
        (work / "deep").mkdir()
        (work / "deep" / "more.txt").write_text(text)


def content(folder: Path) -> dict[str, bytes | str]:
    """Every file and link in ``folder`` with its bytes, or where it leads."""
    found: dict[str, bytes | str] = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file():
            found[name] = path.read_bytes()
        else:
            found[name] = "folder"
    return found


@settings(deadline=None, max_examples=150)
@given(foreign=TREES, ours_first=st.booleans(), links=st.booleans())
def test_no_file_of_others_is_lost_or_changed(tmp_path_factory, foreign, ours_first, links):
    folder = tmp_path_factory.mktemp("case") / "out"
    folder.mkdir()
    if ours_first:
        write(folder, "old")
    put = 0
    for parts, data in foreign.items():
        path = folder.joinpath(*parts)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            continue
        if os.path.lexists(path):
            continue
        path.symlink_to("/nowhere") if links else path.write_bytes(data)
        put += 1
    before = content(folder)
    if put:
        with pytest.raises(CadsightError, match="holds files that are no earlier result of ours"):
            write(folder, "new")
        assert content(folder) == before
    else:
        write(folder, "new")
        assert (folder / "new.txt").read_text() == "new"
    assert [path.name for path in folder.parent.iterdir()] == ["out"]


def test_what_others_put_there_while_it_was_written_is_kept(tmp_path):
    write(tmp_path / "out", "old")
    writing = whole_folder(tmp_path / "out")
    work = writing.__enter__()
    (work / "new.txt").write_text("new")
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(CadsightError, match=r"such as mine\.txt"):
        writing.__exit__(None, None, None)
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"
    assert (tmp_path / "out" / "new.txt").read_text() == "old"


def test_a_link_in_place_of_a_file_of_ours_is_not_ours(tmp_path):
    write(tmp_path / "out", "old")
    (tmp_path / "out" / "new.txt").unlink()
    (tmp_path / "out" / "new.txt").symlink_to(tmp_path)
    with pytest.raises(CadsightError, match=r"such as new\.txt"):
        write(tmp_path / "out", "new")
    assert (tmp_path / "out" / "new.txt").is_symlink()


def test_odd_paths_are_refused_in_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "work" / "inner").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work" / "inner")
    for path, sentence in (
        (".", "is the working folder or holds it"),
        ("..", "is the working folder or holds it"),
        ("/", "is the working folder or holds it"),
        (tmp_path / "file", "is no folder"),
        (tmp_path / "file" / "out", "is no folder"),
        (tmp_path / "circle", "could not be looked at|is no folder"),
        ("/proc/out", "could not be made"),
    ):
        with pytest.raises(CadsightError, match=sentence) as error:
            write(Path(path), "new")
        assert "\n" not in str(error.value)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_link_to_a_folder_of_ours_stays_and_leads_to_the_new_one(tmp_path):
    write(tmp_path / "out", "old")
    (tmp_path / "link").symlink_to("out")
    write(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "out" / "new.txt").read_text() == "new"


_REPLACE = """
import sys
from pathlib import Path
from cadsight_core.storage.output_folder import whole_folder
for number in range(10**9):
    with whole_folder(sys.argv[1]) as work:
        for name in "abcdefgh":
            (work / name).write_text(str(number))
    print(number, flush=True)
"""


def test_a_kill_at_any_moment_leaves_the_old_or_the_new_folder_and_the_next_one_clears_up(tmp_path):
    folder = tmp_path / "out"
    for lines in range(1, 16):
        child = subprocess.Popen([sys.executable, "-c", _REPLACE, str(folder)], stdout=subprocess.PIPE, text=True)
        for _ in range(lines):
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        child.communicate()
        entries = json.loads((folder / MARK).read_text())["entries"]
        assert entries == list("abcdefgh")
        assert len({(folder / name).read_text() for name in entries}) == 1
    with whole_folder(folder):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
