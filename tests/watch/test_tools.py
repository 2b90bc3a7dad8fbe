"""The tools of the standard library on user threads: what docs/debuggers.md says of them."""

import sys

import pytest

from tests.support import run_code

PARKED = """
import threading
never = threading.Event()
def parked_here():
    never.wait()
for _ in range(2):
    threading.Thread(target=parked_here, daemon=True).start()
import time, weft
while sum(block.state.value == "blocked" for block in weft.threads()) < 2:
    time.sleep(0.001)
"""


@pytest.mark.parametrize(("model", "shown"), [("user", 0), ("kernel", 2)])
def test_faulthandler_shows_kernel_threads_alone(model: str, shown: int) -> None:
    done = run_code(
        PARKED + "import faulthandler\nfaulthandler.dump_traceback(all_threads=True)", model=model
    ).check()
    assert done.stderr.count("in parked_here") == shown
    assert "in <module>" in done.stderr


@pytest.mark.parametrize("model", ["user", "kernel", "hybrid"])
def test_current_frames_and_dumps_show_all(model: str) -> None:
    done = run_code(
        PARKED
        + "import sys, traceback, weft\n"
        + "stacks = map(traceback.extract_stack, sys._current_frames().values())\n"
        + "names = [place.name for stack in stacks for place in stack]\n"
        + "print(names.count('parked_here') >= 2)\nweft.dump()",
        model=model,
    ).check()
    assert done.stdout == "True\n"
    assert done.stderr.count("at ") >= 2
    assert done.stderr.count("in parked_here") >= 2


WORK = """
import cProfile, pstats, threading, time
def step():
    return sum(range(100))
def work():
    for _ in range(10):
        step()
        time.sleep(0.0001)
def counts(profile):
    return {key[2]: value[1] for key, value in pstats.Stats(profile).stats.items()}
"""


def test_cprofile_in_the_main_thread_is_what_it_is_on_plain_python() -> None:
    done = run_code(
        WORK
        + """
profile = cProfile.Profile()
profile.enable()
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
profile.disable()
print(counts(profile).get("step", 0))
"""
    ).check()
    assert done.stdout == ("30\n" if sys.version_info >= (3, 12) else "0\n")


def test_two_profiles_at_once_are_of_a_thread_each_or_refused() -> None:
    done = run_code(
        WORK
        + """
found = []
def profiled():
    profile = cProfile.Profile()
    profile.runcall(work)
    found.append(counts(profile).get("step", 0))
threads = [threading.Thread(target=profiled) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(found))
"""
    ).check()
    if sys.version_info >= (3, 12):
        assert "Another profiling tool is already active" in done.stderr
        assert len(done.stdout.split(",")) == 1
    else:
        assert done.stdout == "[10, 10]\n"


def test_hooks_of_threads_are_each_threads_own() -> None:
    done = run_code(
        WORK
        + """
calls = {}
def hook(frame, event, arg):
    if event == "call":
        name = threading.current_thread().name
        calls.setdefault(name, []).append(frame.f_code.co_name)
threading.setprofile(hook)
threads = [threading.Thread(target=work, name=f"worker {number}") for number in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
threading.setprofile(None)
print({name: (names.count("work"), names.count("step")) for name, names in sorted(calls.items())})
"""
    ).check()
    assert done.stdout == "{'worker 0': (1, 10), 'worker 1': (1, 10)}\n"
