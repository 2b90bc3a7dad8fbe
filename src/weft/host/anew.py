"""This process once more, as another interpreter would begin it."""

import os
import sys

from weft.config import environment_with_fixed_hashes

__all__ = ["with_fixed_hashes"]


def with_fixed_hashes() -> None:
    """Begin anew if strings hash by chance, and sets of them are in another order each time.

    Returns where they do not, and does not return where they do.
    """
    fixed = environment_with_fixed_hashes()
    if sys.flags.hash_randomization and fixed is not None:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], fixed)  # noqa: S606
