"""The cases of one module of tests/stdlib/bodies as a program to check: `bodies.py ROOT NAME [CASE ...]`."""

import importlib
import sys

sys.path.insert(0, sys.argv[1])

from tests.stdlib.runner import cases_of, is_for_weft, run_case

failed = {}
for name, case in cases_of(importlib.import_module(f"tests.stdlib.bodies.{sys.argv[2]}")).items():
    if not is_for_weft(case) and (not sys.argv[3:] or name in sys.argv[3:]):
        why = run_case(case)
        if why:
            failed[name] = why.strip().splitlines()[-1]
assert not failed, failed
