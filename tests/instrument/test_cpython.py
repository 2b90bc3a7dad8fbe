"""A part of CPython's own tests comes to the same rewritten; `cpython_suites.py` runs all."""

import importlib.util

import pytest

from tests.instrument.cpython_suites import EXCEPTIONS, SUITES, compare

SHORT = (
    "test_augassign",
    "test_class",
    "test_generators",
    "test_list",
    "test_property",
    "test_scope",
    "test_shlex",
)
SHORT += ("test_textwrap", "test_with")

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("test.test_scope") is None, reason="this Python came without its tests"
)


@pytest.mark.parametrize("name", SHORT)
def test_the_same_comes_of_it(name: str) -> None:
    count, heard, wrong = compare(name)
    assert wrong == []
    assert count > 5
    assert heard > 50


def test_every_exception_is_of_a_suite_and_has_a_reason() -> None:
    assert all(module in SUITES and len(why.split()) > 4 for (module, _), why in EXCEPTIONS.items())
