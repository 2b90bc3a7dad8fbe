"""Makes a process ready to check: sets in fixed order, the model's modules before all others."""

import importlib
import os
import sys
from typing import Any

from weft.check import supply

__all__ = ["begin"]


def begin() -> Any:
    """Make this process ready; the module `weft.check.session`.

    The process starts anew if its sets are ordered by chance. What the checker itself imports comes after the
    model's modules, since some of it leads to `threading`.

    Raises:
        WeftError: something has imported `threading` already.
    """
    if sys.flags.hash_randomization and os.environ.get("PYTHONHASHSEED") is None:
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606
    supply.install()
    return importlib.import_module("weft.check.session")
