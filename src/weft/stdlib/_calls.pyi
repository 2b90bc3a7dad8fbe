from typing import Any

REVISION: int

class Call:
    fn: Any
    args: Any

class Submit:
    def __init__(self, slow: Any, task: type, crew: type, state: str, /) -> None: ...
    def __call__(self, executor: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any: ...
