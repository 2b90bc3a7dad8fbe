"""Makes a process ready to check: sets in fixed order, the model's modules before all others."""

import importlib
from typing import Any

from weft.check import supply
from weft.host.anew import with_fixed_hashes

__all__ = ["begin"]


def begin() -> Any:
    """Make this process ready; the module `weft.check.session`.

    The process starts anew if its sets are ordered by chance. What the checker itself imports comes after the
    model's modules, since some of it leads to `threading`.

    Raises:
        WeftError: something has imported `threading` already.
    """
    with_fixed_hashes()
    supply.install()
    return importlib.import_module("weft.check.session")
