"""SHA-256 without OpenSSL, which `hashlib` loads: 5 ms at the start of a command that lasts 200."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hashlib import sha256

__all__ = ["sha256"]


def _own() -> Any:
    """The interpreter's own, where it was built with it: `_sha2` from 3.12 on, `_sha256` before."""
    for name in ("_sha2", "_sha256", "hashlib"):
        try:
            return importlib.import_module(name).sha256
        except ImportError:
            continue
    raise ImportError("this interpreter has no SHA-256")


if not TYPE_CHECKING:
    sha256 = _own()
