"""Four small programs, each as `set_up()` and the bodies of its threads: what both checkers are given."""

import threading
from collections.abc import Callable
from typing import Any


class Counter:
    def __init__(self) -> None:
        self.n = 0
        self.lock = threading.Lock()


def add(counter: Counter) -> None:
    value = counter.n
    counter.n = value + 1


def add_locked(counter: Counter) -> None:
    for _ in range(2):
        with counter.lock:
            counter.n += 1


def new_cache() -> Any:
    return __import__("cachetools").LRUCache(maxsize=100)


def store(key: str) -> Callable[[Any], None]:
    def body(cache: Any) -> None:
        cache[key] = "value of " + key

    return body


def new_actor() -> Any:
    """An actor whose own thread does not run: its inbox is emptied by one of the bodies."""
    pykka = __import__("pykka")

    class Actor(pykka.ThreadingActor):  # type: ignore[misc, name-defined]
        use_daemon_thread = True

    return Actor()


def tell(actor: Any) -> None:
    actor.actor_ref.tell("ping")


def receive(actor: Any) -> None:
    for _ in range(2):
        actor.actor_inbox.get()


PROGRAMS: dict[str, tuple[Callable[[], Any], list[Callable[[Any], None]]]] = {
    "counter": (Counter, [add, add]),
    "locks": (Counter, [add_locked] * 4),
    "cachetools": (new_cache, [store("a"), store("b")]),
    "pykka": (new_actor, [tell, tell, receive]),
}
