import contextlib
import os
import resource
import signal
import subprocess
import sys
import textwrap

import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.storage.files import alone_in, append_line, inside, write_atomically


def test_a_written_file_replaces_the_old_one_and_leaves_nothing_beside_it(tmp_path):
    write_atomically(tmp_path / "a.txt", "old")
    write_atomically(tmp_path / "a.txt", b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_bytes() == b"new"


def test_a_written_file_can_be_read_by_whom_the_umask_lets(tmp_path):
    old = os.umask(0o027)
    try:
        write_atomically(tmp_path / "a.txt", "x")
    finally:
        os.umask(old)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


def test_a_missing_folder_is_reported_in_a_sentence(tmp_path):
    with pytest.raises(CadsightError, match=r"none/a\.txt could not be written: No such file"):
        write_atomically(tmp_path / "none" / "a.txt", "x")
    with pytest.raises(CadsightError, match=r"none/a\.txt could not be extended: No such file"):
        append_line(tmp_path / "none" / "a.txt", "x")


@contextlib.contextmanager
def small_files():
    """No file may grow past 1000 bytes, as on a disk with no more room; pytest's own output included, so be brief."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, before)


def test_a_refused_write_keeps_the_old_file(tmp_path):
    write_atomically(tmp_path / "a.txt", "old")
    with small_files(), pytest.raises(CadsightError, match=r"a\.txt could not be written: File too large"):
        write_atomically(tmp_path / "a.txt", "x" * 2000)
    assert (tmp_path / "a.txt").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_line_that_fits_only_in_part_is_taken_back(tmp_path):
    append_line(tmp_path / "a.txt", "x" * 600)
    with small_files(), pytest.raises(CadsightError, match=r"a\.txt could not be extended"):
        append_line(tmp_path / "a.txt", "y" * 600)
    assert (tmp_path / "a.txt").read_text() == "x" * 600 + "\n"


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", ".."])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path, name):
    with pytest.raises(CadsightError, match="leads out of the folder"):
        inside(tmp_path, name)


def test_a_name_that_no_file_can_have_is_refused(tmp_path):
    with pytest.raises(CadsightError, match=r"the name 'a\\x00b' is that of no file"):
        inside(tmp_path, "a\0b")


def test_a_link_that_leaves_the_folder_is_refused(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "link").symlink_to(tmp_path)
    with pytest.raises(CadsightError, match="leads out"):
        inside(tmp_path / "data", "link/x.txt")


def test_a_name_inside_comes_back_absolute(tmp_path):
    assert inside(tmp_path, "a/../b.txt") == tmp_path.resolve() / "b.txt"


def test_a_killed_writer_leaves_the_old_file_or_the_new_one(tmp_path):
    target = tmp_path / "a.txt"
    program = textwrap.dedent(
        """
        import sys
        from cadsight_core.storage.files import write_atomically
        n = 0
        while True:
            write_atomically(sys.argv[1], str(n % 10) * 100_000)
            n += 1
            print(n, flush=True)
        """
    )
    for wait in range(1, 6):
        writer = subprocess.Popen([sys.executable, "-c", program, str(target)], stdout=subprocess.PIPE)
        for _ in range(wait):
            writer.stdout.readline()
        writer.kill()
        writer.communicate()
        text = target.read_text()
        assert len(text) == 100_000
        assert len(set(text)) == 1


HOLDS = """
import sys, time
from cadsight_core.storage.files import alone_in
with alone_in(sys.argv[1]):
    print("in", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_until_the_first_has_died(tmp_path):
    folder = tmp_path / "new" / "run"
    first = subprocess.Popen([sys.executable, "-c", HOLDS, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert first.stdout.readline() == "in\n"
        with (
            pytest.raises(CadsightError, match=f"another process works in {folder}, expected to wait for its end"),
            alone_in(folder),
        ):
            pass
        with alone_in(tmp_path / "other"):
            pass
    finally:
        first.kill()
        first.wait()
        first.stdout.close()
    for _ in range(2):
        with alone_in(folder):
            pass


def test_a_folder_that_was_made_for_nothing_vanishes(tmp_path):
    (tmp_path / "there").mkdir()
    for name in ("there", "new", "used"):
        with contextlib.suppress(ZeroDivisionError), alone_in(tmp_path / name):
            if name == "used":
                (tmp_path / name / "a.txt").write_text("")
            raise ZeroDivisionError
    assert sorted(p.name for p in tmp_path.iterdir()) == ["there", "used"]


def test_a_folder_that_is_a_file_cannot_be_worked_in(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(CadsightError, match="file could not be made a folder: File exists"),
        alone_in(tmp_path / "file"),
    ):
        pass
