"""Tests run on the plain interpreter; weft programs run in child processes (tests/support)."""

import signal
from types import FrameType

import pytest

from tests.support import MODELS


def pytest_configure() -> None:
    signal.signal(signal.SIGTERM, end_tidily)


def end_tidily(number: int, frame: FrameType | None) -> None:
    """Unwind instead of dying on the spot, so that running children are ended too."""
    pytest.exit("terminated", returncode=128 + number)


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> str:
    """Each model in turn: a test that takes this argument runs once on each."""
    return str(request.param)
