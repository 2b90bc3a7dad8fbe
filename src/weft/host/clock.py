"""The machine's clocks and its real sleep."""

import time

__all__ = ["monotonic", "sleep"]

monotonic = time.monotonic
sleep = time.sleep
