"""Builds of CPython: with the interpreter's lock, and free-threaded ones."""

import sys

import pytest

__all__ = ["HAS_GIL", "needs_gil"]

HAS_GIL: bool = getattr(sys, "_is_gil_enabled", lambda: True)()


def needs_gil(why: str) -> pytest.MarkDecorator:
    """Leave a test out on free-threaded builds, where what it holds cannot be: say why."""
    return pytest.mark.skipif(not HAS_GIL, reason=f"free-threaded: {why}")
