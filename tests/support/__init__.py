"""What tests share: weft programs run in a child process, and the source tree read as syntax trees."""

from tests.support.builds import HAS_GIL, needs_gil
from tests.support.programs import MODELS, Finished, ProgramHung, run_code, run_weft
from tests.support.source import Module, read_tree

__all__ = [
    "HAS_GIL",
    "MODELS",
    "Finished",
    "Module",
    "ProgramHung",
    "needs_gil",
    "read_tree",
    "run_code",
    "run_weft",
]
