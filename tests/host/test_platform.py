"""What differs between interpreters, asked of the interpreter itself."""

import sys
import threading

import pytest

from tests.support.programs import run_child
from tests.support.waiting import until
from weft.host import platform, signals, threads


def test_arguments_of_acquire_are_refused_as_a_real_lock_refuses_them() -> None:
    platform.check_acquire(True, -1)
    platform.check_acquire(True, 5.0)
    platform.check_acquire(False, -1)
    for blocking, timeout in ((False, 1), (True, -2), (True, 1e20)):
        with pytest.raises((ValueError, OverflowError)) as ours:
            platform.check_acquire(blocking, timeout)
        with pytest.raises(type(ours.value)) as theirs:
            threading.Lock().acquire(blocking, timeout)
        assert str(ours.value) == str(theirs.value)


def test_the_arguments_of_the_unraisable_hook_have_their_type(monkeypatch: pytest.MonkeyPatch) -> None:
    hook = sys.unraisablehook
    made = platform.unraisable_args((ValueError, ValueError("x"), None, "words", None))
    assert sys.unraisablehook is hook
    assert (made.exc_type, str(made.exc_value), made.err_msg, made.object) == (ValueError, "x", "words", None)
    seen: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", seen.append)

    class Noisy:
        def __del__(self) -> None:
            raise KeyError

    del_me = Noisy()
    del del_me
    assert type(seen[0]) is type(made)


def test_kernel_threads_are_counted() -> None:
    if platform.kernel_thread_count() is None:
        pytest.skip("the system does not tell")
    code = """
import threading
from weft.host import platform
before = platform.kernel_thread_count()
go = threading.Event()
thread = threading.Thread(target=go.wait)
thread.start()
print(before, platform.kernel_thread_count())
go.set()
"""
    # In a process of its own: threads that earlier tests have left may end meanwhile.
    assert run_child([sys.executable, "-c", code]).check().stdout == "1 2\n"


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell")
def test_who_runs_wants_a_processor_and_who_sleeps_does_not() -> None:
    assert platform.wants_processor(threads.get_native_id())
    go = threading.Event()
    thread = threading.Thread(target=go.wait)
    thread.start()
    assert thread.native_id is not None
    native_id = thread.native_id
    until(lambda: not platform.wants_processor(native_id))  # it has gone to sleep
    go.set()
    thread.join()
    until(lambda: not platform.wants_processor(native_id))  # `join` is over a little before the machine's end


def test_the_main_kernel_thread_is_known_from_any() -> None:
    idents: list[int] = []
    thread = threading.Thread(target=lambda: idents.append(threads.main_ident()))
    thread.start()
    thread.join()
    assert idents == [threads.main_ident()] == [threading.main_thread().ident]


def test_the_tripwire_is_a_signal_that_nobody_uses() -> None:
    assert signals.TRIPWIRE in signals.numbers()
    assert signals.TRIPWIRE not in {2, 3, 9, 10, 12, 13, 14, 15, 17}


def test_a_baton_handed_over_before_the_wait_is_there() -> None:
    baton = threads.Baton()
    baton.put(print)
    assert baton.get() is print
    with pytest.raises(threads.Empty):
        baton.get(True, 0.001)
