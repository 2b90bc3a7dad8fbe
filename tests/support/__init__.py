"""What tests share: weft programs run in a child process, and the source tree read as syntax trees."""

from tests.support.programs import MODELS, Finished, ProgramHung, run_code, run_weft
from tests.support.source import Module, read_tree

__all__ = ["MODELS", "Finished", "Module", "ProgramHung", "read_tree", "run_code", "run_weft"]
