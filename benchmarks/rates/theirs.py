"""`frontrun python theirs.py NAME SECONDS STRATEGY [clock]`: frontrun's executions in a second.

It is one of the processor's, or by the clock.
"""

import os
import sys
import time

# Of the processor, it is that of all threads. frontrun puts others there.
NOW = time.monotonic if sys.argv[4:] == ["clock"] else time.process_time

import frontrun  # noqa: E402
from programs import PROGRAMS  # noqa: E402

name, seconds, strategy = sys.argv[1], float(sys.argv[2]), sys.argv[3]
set_up, bodies = PROGRAMS[name]
begun = 0.0
count = 0


def made() -> object:
    global begun, count
    count += 1
    begun = begun or NOW()
    return set_up()


options = {"max_attempts": 10**9, "seed": 1} if strategy == "random" else {}
if name in ("cachetools", "pykka"):
    options["trace_packages"] = [f"{name}*"]
frontrun.explore(
    setup=made,
    workers=bodies,
    invariant=lambda state: True,
    strategy=strategy,
    total_timeout=seconds,
    **options,
)
print(count / (NOW() - begun), count, flush=True)
os._exit(0)
