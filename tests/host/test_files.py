"""Files that are written whole or not at all."""

import os
import re
from pathlib import Path

import pytest

from weft.errors import WeftError
from weft.host.files import writable, write_whole


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeftError, match="it is a folder"):
        writable(str(tmp_path))
    with pytest.raises(WeftError, match="No such file or directory"):
        writable(str(tmp_path / "no" / "page.html"))
    with pytest.raises(WeftError, match="needs a file"):
        writable("")
    assert writable(str(tmp_path / "page.html")) == str(tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []
    if os.getuid() != 0:
        (tmp_path / "read only").mkdir(mode=0o500)
        with pytest.raises(WeftError, match="Permission denied"):
            writable(str(tmp_path / "read only" / "page.html"))


def test_it_is_replaced_as_a_whole_and_asking_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("before")
    assert writable(str(path)) == str(path)
    assert path.read_text() == "before"
    with path.open() as reader:
        write_whole(str(path), b"after")
        assert reader.read() == "before"
    assert path.read_text() == "after"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link_and_a_device_stays_a_device(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    write_whole(writable(str(link)), b"told")
    assert link.is_symlink()
    assert target.read_bytes() == b"told"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    fd = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(writable(str(pipe)), b"told")
        assert os.read(fd, 100) == b"told"
        assert pipe.is_fifo()
    finally:
        os.close(fd)


def test_what_goes_wrong_in_the_end_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    name = writable(str(folder / "page.html"))
    folder.rmdir()
    with pytest.raises(WeftError, match=re.escape(f"cannot write the page to {name!r}: No such file")):
        write_whole(name, b"told")
    assert list(tmp_path.iterdir()) == []
