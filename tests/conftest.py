"""Tests run on the plain interpreter; weft programs run in child processes (tests/support)."""

import signal
from collections.abc import Iterator
from types import FrameType

import pytest

from tests.support import MODELS

#: What decides how much pytest, Python and others print, how wide and in which colours.
LOOKS = [
    "BUILD_NUMBER",
    "CI",
    "COLUMNS",
    "FORCE_COLOR",
    "LINES",
    "NO_COLOR",
    "PYTEST_ADDOPTS",
    "PYTHON_COLORS",
    "PY_COLORS",
    "TTY_COMPATIBLE",
    "TTY_INTERACTIVE",
]


def pytest_configure() -> None:
    signal.signal(signal.SIGTERM, end_tidily)
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as what a shell starts in the background has it
        signal.signal(signal.SIGINT, signal.default_int_handler)  # children would inherit that, and never end


def end_tidily(number: int, frame: FrameType | None) -> None:
    """Unwind instead of dying on the spot, so that running children are ended too."""
    pytest.exit("terminated", returncode=128 + number)


@pytest.fixture(scope="session", autouse=True)
def looks() -> Iterator[None]:
    """Programs print the same wherever the tests run: on a person's terminal, in CI, beside other work."""
    with pytest.MonkeyPatch.context() as patch:
        for name in LOOKS:
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> str:
    """Each model in turn: a test that takes this argument runs once on each."""
    return str(request.param)
