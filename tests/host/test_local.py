"""Folders that are one user's alone, and what stands in them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from weft.errors import WeftError
from weft.host import local


def test_a_folder_is_made_for_its_owner(tmp_path: Path) -> None:
    path = str(tmp_path / "weft")
    os.close(local.checked_folder(path, os.geteuid(), make=True))
    assert os.stat(path).st_mode & 0o777 == 0o700
    os.close(local.checked_folder(path, os.geteuid(), make=True))


def test_a_folder_that_is_not_there_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        local.checked_folder(str(tmp_path / "weft"), os.geteuid())


def test_a_folder_into_which_others_may_look_is_refused(tmp_path: Path) -> None:
    (tmp_path / "weft").mkdir(mode=0o755)
    (tmp_path / "weft").chmod(0o755)
    with pytest.raises(WeftError, match=r"others may look into .*chmod 700"):
        local.Door(str(tmp_path / "weft")).make()


def test_another_users_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "weft").mkdir(mode=0o700)
    with pytest.raises(WeftError, match="belongs to another user"):
        local.checked_folder(str(tmp_path / "weft"), os.geteuid() + 1)


def test_a_link_or_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "weft").symlink_to(tmp_path / "real")
    (tmp_path / "file").touch()
    for name in ("weft", "file"):
        with pytest.raises(WeftError, match="is not a folder"):
            local.Door(str(tmp_path / name)).make()
    assert list((tmp_path / "real").iterdir()) == []


def gone() -> int:
    """The number of a process that has ended."""
    return int(
        subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True).stdout
    )


def test_what_dead_processes_left_is_cleared(tmp_path: Path) -> None:
    folder = tmp_path / "weft"
    folder.mkdir(mode=0o700)
    for name in (f"{gone()}.sock", f"{gone()}.note", f"{os.getppid()}.note", "notes.txt", "x.sock"):
        (folder / name).touch()
    door = local.Door(str(folder))
    door.make()
    left = sorted(path.name for path in folder.iterdir())
    assert left == sorted([f"{os.getpid()}.sock", f"{os.getppid()}.note", "notes.txt", "x.sock"])
    door.leave()
    assert not (folder / f"{os.getpid()}.sock").exists()


def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100) / ("y" * 100)
    deep.mkdir(parents=True)
    door = local.Door(str(deep / "weft"))
    door.make()
    caller = local.Caller(str(deep / "weft"), os.geteuid(), f"{os.getpid()}.sock", 5.0)
    guest = door.accept()
    assert guest is not None
    assert guest.owner == os.geteuid()
    guest.close()
    caller.close()
    door.leave()


def test_sockets_are_not_left_where_the_program_would_find_them_loaded() -> None:
    code = "import sys\nfrom weft.host import local\nlocal.load()\nassert '_socket' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_note_is_left_whole_and_taken_away(tmp_path: Path) -> None:
    path = local.leave_note(str(tmp_path / "weft"), "{}")
    assert Path(path).read_text() == "{}"
    assert os.stat(path).st_mode & 0o777 == 0o600
    local.take_note_away(path)
    assert list((tmp_path / "weft").iterdir()) == []
