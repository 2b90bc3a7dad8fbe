"""Files that are written whole or not at all."""

import os

from weft.errors import WeftError

__all__ = ["folder_takes_files", "writable", "write_whole"]


def writable(name: str, what: str = "the page", option: str = "--html") -> str:
    """The file's name, if it can be written there; nothing is left behind by asking.

    Args:
        what: is to be written.
        option: that named the file.

    Raises:
        WeftError: it cannot.
    """
    if not name:
        raise WeftError(f"{option} needs a file")
    path = os.path.realpath(name)
    if os.path.isdir(path):
        raise WeftError(f"cannot write {what} to {name!r}: it is a folder")
    try:
        if not os.path.exists(path):
            beside = _beside(path)
            os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
            os.unlink(beside)
        elif os.path.isfile(path):
            os.close(os.open(path, os.O_WRONLY))
    except OSError as why:
        raise WeftError(f"cannot write {what} to {name!r}: {why.strerror}") from None
    return name


def folder_takes_files(path: str) -> bool:
    """Whether files can be made in a folder, or in the one above in which it would be made."""
    while not os.path.isdir(path):
        path, name = os.path.split(path)
        if not name or (os.path.exists(path) and not os.path.isdir(path)):
            return False
    return os.access(path, os.W_OK | os.X_OK)


def write_whole(path: str, data: bytes) -> None:
    """Write it beside its place and put it there; into what is no ordinary file it is written as it is.

    Raises:
        WeftError: it cannot be written.
    """
    name, path = path, os.path.realpath(path)
    beside = _beside(path)
    plain = os.path.isfile(path) or not os.path.exists(path)
    try:
        with open(beside if plain else path, "wb") as file:
            file.write(data)
        if plain:
            os.replace(beside, path)
    except OSError as why:
        if plain and os.path.exists(beside):
            os.unlink(beside)
        raise WeftError(f"cannot write the page to {name!r}: {why.strerror}") from None


def _beside(path: str) -> str:
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name}.{os.getpid()}")
