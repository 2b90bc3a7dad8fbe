"""What could happen? Runs a program under many schedules and says what is wrong with it.

The package is also the function: `weft.check(function)` (weft.check.called); `weft.check.linearizable` is another
(weft.check.linear).
"""

import importlib
import sys
from types import ModuleType
from typing import Any

__all__: list[str] = []


class _Check(ModuleType):
    """A package that can be called."""

    def __call__(
        self,
        function: Any,
        *,
        time: float | None = None,
        schedules: int | None = None,
        strategy: str | None = None,
        seed: int | None = None,
        bound: int | None = None,
        steps: int | None = None,
        only: Any = (),
        exclude: Any = (),
        stdlib: bool = False,
    ) -> Any:
        """See weft.check.called.check."""
        called = importlib.import_module("weft.check.called")  # it starts processes: only who calls wants it
        settings = {
            "time": time,
            "schedules": schedules,
            "strategy": strategy,
            "seed": seed,
            "bound": bound,
            "steps": steps,
        }
        return called.check(function, only=only, exclude=exclude, stdlib=stdlib, **settings)

    def linearizable(self, factory: Any, operations: Any, **options: Any) -> Any:
        """See weft.check.linear.asking.linearizable."""
        asking = importlib.import_module("weft.check.linear.asking")
        return asking.linearizable(factory, operations, **options)


sys.modules[__name__].__class__ = _Check
