# What is offered here is known to type checkers by CPython's own types, which it follows.

import concurrent.futures as futures
import queue as queue
import threading as threading
import time as time
from collections.abc import Callable
from typing import Any

__all__ = ["set_provider"]

def set_provider(provider: Callable[[str], Any]) -> None: ...
