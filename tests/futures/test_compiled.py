"""What of the pool on user threads is in C does what the function in Python does, and frees what it takes."""

import sys
import textwrap

import pytest

from tests.support.programs import run_child, run_code
from weft.stdlib import user_pool

needs_c = pytest.mark.skipif(not user_pool.COMPILED, reason="nothing is compiled here")

#: Each way in which `submit` can be called, and what comes of it; printed by both versions.
WAYS = """
    import concurrent.futures, copy, inspect, weakref
    from weft.futures import executor, UserExecutor

    def told(*args, **names):
        return args, names

    class Own(UserExecutor):
        def submit(self, fn, /, *args, **kwargs):
            return super().submit(fn, "first", *args, **kwargs)

    class Lazy(UserExecutor):
        def __init__(self):
            pass

    class Asked(UserExecutor):
        def __getattribute__(self, name):
            if name == "_crew" and asked:
                asked.pop()
                raise KeyboardInterrupt("while it is asked for")
            return super().__getattribute__(name)

    asked = [True]

    with executor("user", 2) as pool:
        held = [pool.submit(told, *range(n)) for n in range(4)]
        held += [pool.submit(told, 1, two=2), UserExecutor.submit(pool, told, 3), pool.submit(told, **{})]
        print([future.result() for future in held])
        first = held[0]
        print(type(first).__name__, isinstance(first, concurrent.futures.Future), first.fn, first.args)
        print(weakref.ref(held[0])() is held[0])
        print(repr(held[0]).partition(" at ")[0], held[0].done(), held[0].exception())
        held[0].note = 1  # whoever has a future may put something on it
        print(held[0].note, copy.copy(first).result() == first.result(), copy.deepcopy(held[4]).result())
        waiting = pool.submit(told, 5)
        print(waiting.cancel() or waiting.done(), waiting._state in ("CANCELLED", "FINISHED"))
        print(pool.submit(None).exception(), pool.submit(divmod, 1, 0).exception())
    unmade = UserExecutor(1)
    unmade.submit(told)
    del unmade._crew.items
    with Own(1) as own:
        print(own.submit(told, 1).result())
    for call in (
        lambda: pool.submit(told),
        lambda: pool.submit(),
        lambda: UserExecutor.submit(),
        lambda: UserExecutor.submit(3, told),
        lambda: Lazy().submit(told),
        lambda: pool.submit(fn=told),
        lambda: Asked(1).submit(told),
        lambda: unmade.submit(told),
    ):
        try:
            print(call())
        except BaseException as error:
            print(type(error).__name__, str(error).replace("make_user_executor.<locals>.", ""))
    print(inspect.signature(pool.submit), inspect.signature(UserExecutor.submit))
    print(UserExecutor.submit.__name__, UserExecutor.submit.__qualname__, UserExecutor.submit.__module__)
    print(inspect.getdoc(pool.submit).splitlines()[0])
"""


@needs_c
@pytest.mark.parametrize("model", ["user", "hybrid"])
def test_both_versions_say_the_same(model: str) -> None:
    first, second = (
        run_code(WAYS, model=model, env={"WEFT_PURE": pure}).check().stdout.replace("_calls.", "")
        for pure in ("0", "1")
    )
    assert first == second
    assert len(first.splitlines()) == 19


@needs_c
def test_nothing_is_kept_of_calls_that_were_made() -> None:
    code = """
        import gc, sys
        from weft.futures import executor

        class Thing:
            pass

        thing = Thing()

        def give(value):
            return value

        def rounds(pool, count):
            for _ in range(count):
                for future in [pool.submit(give, thing) for _ in range(100)]:
                    assert future.result() is thing

        with executor("user") as pool:
            rounds(pool, 2)
            gc.collect()
            kept, objects = sys.getrefcount(thing), len(gc.get_objects())
            rounds(pool, 50)
            gc.collect()
            print(sys.getrefcount(thing) - kept, len(gc.get_objects()) - objects < 100)
    """
    assert run_code(code).check().stdout == "0 True\n"


@needs_c
def test_a_future_that_holds_itself_is_found_by_the_collector() -> None:
    code = """
        import gc, weakref
        from weft.futures import executor

        with executor("user") as pool:
            pool.submit(int)  # somebody is coming from here on
            knots = []
            names = "_result _exception _lazy_condition _parked _callbacks fn args own"
            for attribute in names.split():
                future = pool.submit(int)
                knots.append((attribute, future, weakref.ref(future)))
            for _, future, _ in knots:
                future.result()
            gone = []
            while knots:
                attribute, future, reference = knots.pop()
                setattr(future, attribute, [future])
                del future
                alive = reference() is not None
                gc.collect()
                gone.append(alive and reference() is None)
            print(gone)
    """
    assert run_code(code).check().stdout == f"{[True] * 8}\n"


@needs_c
def test_a_long_chain_of_futures_is_freed() -> None:
    """Each is the argument of the next: to free one frees the next within."""
    code = """
        from weft.futures import executor

        with executor("user") as pool:
            future = pool.submit(int)
            for _ in range(200_000):
                future = pool.submit(lambda kept: kept, future)
            print(future.result() is not None)
            del future
        print("freed")
    """
    assert run_code(code).check().stdout == "True\nfreed\n"


@needs_c
@pytest.mark.parametrize(
    "arguments", ["print, int, int, ''", "print, Task, int, ''", "print, Task, Crew, ''"]
)
def test_what_submit_is_made_of_is_looked_at(arguments: str) -> None:
    code = f"""
        from weft.stdlib import _calls
        Task, Crew = type("Task", (_calls.Call,), {{}}), type("Crew", (), {{"closed": None}})
        try:
            _calls.Submit({arguments})
        except (TypeError, AttributeError) as error:
            print("refused")
    """
    assert run_code(code, model=None).check().stdout == "refused\n"


@pytest.mark.parametrize("revision", [0, 10_000])
def test_a_part_that_was_compiled_from_other_source_is_left_alone(revision: int) -> None:
    code = f"""
        import sys, types
        sys.modules["weft.stdlib._calls"] = types.SimpleNamespace(REVISION={revision}, Call=None, Submit=None)
        import weft
        weft.install("user")
        from weft.stdlib import user_pool
        with weft.futures.executor("user") as pool:
            print(user_pool.COMPILED, pool.submit(pow, 2, 5).result())
    """
    done = run_child([sys.executable, "-c", textwrap.dedent(code)])
    assert (done.returncode, done.stdout) == (0, "False 32\n"), done
