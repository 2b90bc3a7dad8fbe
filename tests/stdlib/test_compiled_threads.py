"""Threads whose making, start, run and join are in C are what they are in Python, and what CPython's are."""

import sys
import textwrap

import pytest

from tests.support import needs_gil
from tests.support.programs import run_child, run_code
from weft.core import life

needs_c = pytest.mark.skipif(not life.COMPILED, reason="nothing is compiled here")

#: Each way in which threads are made and run, and what comes of it: with weft, in C and not, and without it.
WAYS = """
    import inspect, io, sys, threading, traceback
    from functools import partial
    from threading import Thread

    said = []

    def tell(*args, **names):
        said.append((args, sorted(names.items())))

    def run(thread):
        thread.start()
        thread.join()
        return thread

    def refused(call):
        try:
            print("not refused:", call())
        except BaseException as error:
            print(type(error).__name__, str(error).replace("_life.", ""))

    # Made in all ways.
    for made in (
        Thread(target=tell),
        Thread(None, tell, "given", (1,), {"two": 2}),
        Thread(None, tell, None, (3,)),
        Thread(target=tell, args=(4,), kwargs={"five": 5}, name="all", daemon=True),
        Thread(**{"".join(["tar", "get"]): tell, "".join(["ar", "gs"]): (6,)}),
        Thread(target=tell, args=[7]),
        Thread(target=tell, kwargs={}),
        Thread(target=partial(tell, 8)),
        Thread(target=tell, name=9),
        Thread(target=tell, name=""),
        Thread(),
        Thread(target=print, args=("printed",)),
    ):
        print(made.name, made.daemon, made.ident, made.is_alive(), repr(made))
        print(made._args, made._kwargs, type(made._target))
        run(made)
        print(made.name, made.ident is not None, made.is_alive(), hasattr(made, "_target"), repr(made)[:10])
    print(said)
    for call in (
        lambda: Thread(1),
        lambda: Thread(target=tell, nonsense=1),
        lambda: Thread(None, tell, target=tell),
        lambda: Thread(None, None, None, (), {}, True),
        lambda: Thread.__init__(),
        lambda: Thread.start(),
        lambda: Thread.join(),
        lambda: Thread(target=tell).join(),
        lambda: run(Thread(target=tell)).start(),
        lambda: threading.current_thread().join(),
        lambda: Thread(target=tell).start(1),
        lambda: setattr(run(Thread()), "daemon", True),
        lambda: Thread.__new__(Thread).start(),
        lambda: Thread.__new__(Thread).join(),
        lambda: Thread.__new__(Thread).name,
        lambda: Thread.__new__(Thread)._target,
    ):
        refused(call)
    print(Thread._initialized, Thread.__new__(Thread)._initialized, Thread()._initialized)
    print(run(Thread(target=tell)).join(timeout=1), run(Thread(target=tell)).join(1))

    # Names, numbers and daemons.
    def number():
        return int(Thread().name.partition("-")[2])

    first = number()
    named = [Thread(target=tell, name="x"), Thread(target=tell), Thread(target=tell)]
    print(number() - first, named[2].name < named[1].name, named[1].name.partition(" ")[2])

    class Odd(str):
        pass

    def odd():
        pass

    odd.__name__ = Odd("oddly")
    print(Thread(target=odd).name.partition(" ")[2], type(Thread(target=odd).name).__name__)
    odd.__name__ = "later"
    thread = Thread(target=odd)
    odd.__name__ = "too late"
    print(thread.name.partition(" ")[2])
    thread.name = 12
    thread.daemon = 1
    print(repr(thread.name), thread.daemon)
    found = []
    run(Thread(target=lambda: found.append([Thread().daemon, Thread(daemon=False).daemon]), daemon=True))
    run(Thread(target=lambda: found.append([Thread().daemon, Thread(daemon=True).daemon])))
    print(found)
    newname, threading._newname = threading._newname, lambda form="%d": "own " + form
    print(Thread().name, Thread(target=tell).name)
    threading._newname = newname

    # Its fields are set, read and taken away from outside; a class has its own; a run of its own.
    thread = Thread(target=tell, args=(20,))
    thread._target = lambda *args, **names: print("set", args, names)
    thread._args, thread._kwargs = (21,), {"a": 1}
    run(thread)
    thread = Thread(target=tell)
    del thread._args
    refused(lambda: thread._args)
    thread._args = (22,)
    run(thread)
    thread.run = lambda: print("never")
    thread = Thread(target=tell)
    thread.run = lambda: print("a run of its own", thread is threading.current_thread())
    run(thread)

    class Early(Thread):
        def __init__(self):
            self._target = "to be overwritten"
            self._name = "likewise"
            super().__init__(target=tell, args=(23,))

    print(run(Early())._initialized)

    class Own(Thread):
        _target = None

        def __init__(self, value):
            super().__init__(daemon=False)
            self._target, self._args = print, ("own", value)
            self.value = value

        def run(self):
            me = threading.current_thread()
            print("runs", self.value, self is me, self.name == me.name)
            super().run()
            print(hasattr(self, "_args"))

    run(Own(24))

    class Lazy(Thread):
        def __init__(self):
            pass

    refused(lambda: Lazy().start())
    refused(lambda: Lazy().join())
    refused(lambda: Lazy().is_alive())

    class Called(Thread):
        def __call__(self):
            print("called")

    class Both(Thread, list):
        __hash__ = object.__hash__

    class Slots(Thread):
        __slots__ = ("more",)

    both = Both(target=tell, args=(25,))
    both.append(1)
    slots = Slots(target=tell, args=(26,))
    slots.more = 2
    print(list(run(both)), run(slots).more, run(Called(target=tell)).name.partition(" ")[2])

    # What others put in place of the methods.
    run_before, start_before, init_before = Thread.run, Thread.start, Thread.__init__

    def run_seen(self):
        print("seen", self.name.partition(" ")[2])
        run_before(self)

    Thread.run = run_seen
    run(Thread(target=tell))
    Thread.run = run_before
    run(Thread(target=tell))

    def init_seen(self, *args, **kwargs):
        init_before(self, *args, **kwargs)
        print("made", self.name.partition(" ")[2])

    Thread.__init__ = init_seen
    run(Thread(target=tell, args=(27,)))
    Thread.__init__ = init_before

    def start_seen(self, *args):
        print("starts")
        return start_before(self, *args)

    Thread.start = start_seen
    run(Thread(target=tell))
    Thread.start = start_before

    # What leaves a thread.
    def fail():
        raise ValueError("told")

    def leave():
        raise SystemExit(3)

    def nothing(args):
        names = [frame.name for frame in traceback.extract_tb(args.exc_traceback)]
        print(args.exc_type.__name__, args.exc_value, args.thread.name.partition(" ")[2], names[-1])
        print(sys.exc_info()[0])
        raise KeyError("the hook fails")

    for hook in (threading.excepthook, nothing):
        threading.excepthook, sys.stderr = hook, io.StringIO()
        for target in (fail, leave):
            run(Thread(target=target))
        text, sys.stderr = sys.stderr.getvalue(), sys.__stderr__
        print([line for line in text.splitlines() if "Error" in line], "weft" in text)
    threading.excepthook = threading.__excepthook__
    own_file = io.StringIO()
    sys.stderr = own_file
    thread = Thread(target=fail)
    sys.stderr = sys.__stderr__
    stderr, sys.stderr = sys.stderr, None
    run(thread)
    sys.stderr = stderr
    print("ValueError: told" in own_file.getvalue())

    # Hooks of `threading`, and what is alive meanwhile.
    calls = []
    threading.setprofile(lambda frame, event, value: calls.append(frame.f_code.co_name))
    run(Thread(target=tell))
    threading.setprofile(None)
    print("tell" in calls)
    gate = threading.Event()
    waiting = [Thread(target=gate.wait) for _ in range(3)]
    for each in waiting:
        each.start()
    print([each.is_alive() for each in waiting], threading.active_count(), len(threading.enumerate()))
    print([threading._active[each.ident] is each for each in waiting])
    gate.set()
    for each in waiting:
        each.join()
    print([each.is_alive() for each in waiting], threading.active_count())
    names = ("_start_joinable_thread", "_start_new_thread")
    name = names[not hasattr(threading, names[0])]

    def no_thread(*args, **kwargs):
        raise threading.ThreadError("none to be had")

    real = getattr(threading, name)
    setattr(threading, name, no_thread)
    thread = Thread(target=tell, args=(29,))
    refused(thread.start)
    setattr(threading, name, real)
    print(thread.is_alive(), thread.ident, run(thread).is_alive())
    for call in (Thread, Thread.start, Thread().join):
        signature = inspect.signature(call)
        print([(each.name, each.default, each.kind) for each in signature.parameters.values()])
    print(Thread.start.__name__, Thread.join.__qualname__, Thread.__init__.__module__)
    print(bool(Thread.join.__doc__))
    Thread.__new__ = lambda cls, *args, **names: print("anew") or object.__new__(cls)
    run(Thread(target=tell, args=(28,)))
    print(threading.main_thread().name, threading.main_thread()._target, threading.main_thread().daemon)
    print(said)
"""


@pytest.mark.parametrize("pure", ["0", "1"])
@pytest.mark.parametrize(
    "model",
    ["user", "hybrid", pytest.param("kernel", marks=needs_gil("the kernel model is CPython's own threads"))],
)
def test_threads_are_made_and_run_as_cpythons_are(model: str, pure: str) -> None:
    ours = run_code(WAYS, model=model, env={"WEFT_PURE": pure}).check().stdout
    assert ours == run_code(WAYS, model=None).check().stdout
    assert len(ours.splitlines()) > 70


@needs_c
@pytest.mark.parametrize("model", ["user", "hybrid"])
def test_nothing_is_kept_of_threads_that_have_ended(model: str) -> None:
    code = """
        import gc, sys, weakref
        from threading import Thread

        class Thing:
            pass

        thing = Thing()

        def give(value, more=None):
            return value

        def fail(value):
            try:
                raise ValueError(value)
            except ValueError as error:
                raise SystemExit from error

        def rounds(count):
            for n in range(count):
                name = thing if n % 3 else None
                threads = [Thread(target=give, args=(thing,), name=name) for _ in range(40)]
                threads += [Thread(target=give, args=(thing,), kwargs={"more": thing}) for _ in range(20)]
                threads += [Thread(target=fail, args=(thing,)) for _ in range(20)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    assert thread.join() is None and thread.name
            return weakref.ref(threads[0])

        rounds(3)
        gc.collect()
        kept, objects = sys.getrefcount(thing), len(gc.get_objects())
        last = rounds(60)
        gc.collect()
        print(sys.getrefcount(thing) - kept, len(gc.get_objects()) - objects < 100, last())
    """
    assert run_code(code, model=model).check().stdout == "0 True None\n"


@needs_c
def test_a_thread_that_holds_itself_is_found_by_the_collector() -> None:
    code = """
        import gc, threading, weakref

        gone = []
        for started in (False, True):
            for name in "_target _args _kwargs _name _daemonic _stderr own".split():
                thread = threading.Thread(target=int)
                if started:
                    thread.start()
                    thread.join()
                setattr(thread, name, [thread])
                reference = weakref.ref(thread)
                del thread
                alive = reference() is not None
                gc.collect()
                gone.append(alive and reference() is None)
        print(gone)
    """
    assert run_code(code).check().stdout == f"{[True] * 14}\n"


@needs_c
def test_a_long_chain_of_threads_is_freed() -> None:
    """Each has the one before for an argument: to free one frees the next within."""
    code = """
        import threading

        thread = None
        for _ in range(200_000):
            thread = threading.Thread(target=int, args=(thread,))
        del thread
        print("freed")
    """
    assert run_code(code).check().stdout == "freed\n"


@needs_c
def test_a_thread_that_has_ended_tells_its_name() -> None:
    """Its control block outlives the object, and makes the name that nobody has asked for."""
    code = """
        import weft
        from threading import Thread

        blocks = []

        def target():
            blocks.append(weft.threads()[-1])

        for thread in (Thread(target=target), Thread(target=lambda: target(), name="given")):
            thread.start()
            thread.join()
            del thread
        Thread(target=target)  # takes a number
        print([block.name for block in blocks])
    """
    assert run_code(code).check().stdout == "['Thread-1 (target)', 'given']\n"


@needs_c
@pytest.mark.parametrize(
    "given", ["int", "3", "type('Loop', (), {})", "type('ControlBlock', (), {'run': 1})"]
)
def test_what_it_is_told_of_is_looked_at(given: str) -> None:
    code = f"""
        from weft.core import _life
        for function, *args in (_life.know, {given}), (_life.Work, {given}, 1), (_life.field, {given!r}):
            try:
                function(*args)
            except (TypeError, AttributeError, ValueError) as error:
                print("refused")
    """
    assert run_code(code, model=None).check().stdout == "refused\n" * 3


@pytest.mark.parametrize("revision", [0, 10_000])
def test_a_part_that_was_compiled_from_other_source_is_left_alone(revision: int) -> None:
    code = f"""
        import sys, types
        sys.modules["weft.core._life"] = types.SimpleNamespace(REVISION={revision})
        import weft
        weft.install("user")
        import threading
        from weft.core import life
        thread = threading.Thread(target=print, args=("run",))
        thread.start()
        thread.join()
        print(life.COMPILED)
    """
    done = run_child([sys.executable, "-c", textwrap.dedent(code)])
    assert (done.returncode, done.stdout) == (0, "run\nFalse\n"), done
