"""What could happen? Runs a program under many schedules and says what is wrong with it.

The package is also the function: `weft.check(function)` (weft.check.called); `weft.check.linearizable` is
another (weft.check.linear).
"""

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from weft.check import called
    from weft.check.linear import asking

__all__ = ["Check"]


class Check(ModuleType):
    """A package that can be called, and has another function, which is loaded when it is wanted."""

    if TYPE_CHECKING:
        linearizable = staticmethod(asking.linearizable)
        NotLinearizable = asking.NotLinearizable

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
        jobs: int | None = None,
        net_faults: bool | str | None = None,
        net_pass: bool | None = None,
        only: Any = (),
        exclude: Any = (),
        stdlib: bool = False,
    ) -> "called.Checked":
        """See weft.check.called.check."""
        loaded: Any = importlib.import_module(
            "weft.check.called"
        )  # it starts processes: only who calls wants it
        settings = {
            "time": time,
            "schedules": schedules,
            "strategy": strategy,
            "seed": seed,
            "bound": bound,
            "steps": steps,
            "jobs": jobs,
            "net_faults": net_faults,
            "net_pass": net_pass,
        }
        found: called.Checked = loaded.check(function, only=only, exclude=exclude, stdlib=stdlib, **settings)
        return found

    def __getattr__(self, name: str) -> Any:
        if name in ("linearizable", "NotLinearizable"):
            return getattr(importlib.import_module("weft.check.linear.asking"), name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


sys.modules[__name__].__class__ = Check
