"""Slices end: nobody who computes keeps the carrier from the others, and nothing is lost by it."""

import pytest

from tests.models.programs import user

SPIN = """
    flag = False
    def set_it():
        global flag
        flag = True
    t = threading.Thread(target=set_it)
    t.start()
    begun = time.monotonic()
    while not flag and time.monotonic() - begun < LIMIT:
        pass
    print(flag)
"""


def test_a_thread_that_spins_does_not_starve_the_others() -> None:
    assert user(SPIN.replace("LIMIT", "10")) == "True\n"


@pytest.mark.parametrize("off", ["off", "0"])
def test_with_the_slice_off_it_does(off: str) -> None:
    assert user(SPIN.replace("LIMIT", "0.2"), "--slice", off) == "False\n"


@pytest.mark.parametrize("what", ["time.sleep(0.001)", "os.read(read, 1)", "select.select([read], [], [])"])
def test_threads_that_always_have_work_starve_neither_timers_nor_descriptors(what: str) -> None:
    """No tick comes with the slice off: the dispatch looks itself."""
    code = """
        import os, select
        read, write = os.pipe()
        stop = False
        def give_way():
            while not stop:
                time.sleep(0)
        threads = [threading.Thread(target=give_way) for _ in range(3)]
        for t in threads: t.start()
        threading.Timer(0.001, os.write, (write, b"x")).start()
        WHAT
        stop = True
        for t in threads: t.join()
        print("done")
    """
    assert user(code.replace("WHAT", what), "--slice", "off") == "done\n"


@pytest.mark.parametrize("text", ["100us", "1ms", "0.05s"])
def test_all_who_spin_advance(text: str) -> None:
    code = """
        counts, stop = [0] * 4, False
        def spin(n):
            while not stop:
                counts[n] += 1
        threads = [threading.Thread(target=spin, args=(n,)) for n in range(4)]
        for t in threads: t.start()
        until(lambda: min(counts) > 1000)
        stop = True
        for t in threads: t.join()
        print("done")
    """
    assert user(code, "--slice", text) == "done\n"


def test_spinning_threads_get_about_the_same() -> None:
    code = """
        counts, stop = [0] * 4, False
        def spin(n):
            while not stop:
                counts[n] += 1
        threads = [threading.Thread(target=spin, args=(n,)) for n in range(4)]
        for t in threads: t.start()
        time.sleep(0.4)
        stop = True
        for t in threads: t.join()
        print(min(counts) / max(counts))
    """
    assert float(user(code, "--slice", "1ms")) > 0.3


def test_a_sleeper_wakes_in_time_beside_one_that_spins() -> None:
    code = """
        stop = False
        def spin():
            while not stop: pass
        t = threading.Thread(target=spin)
        t.start()
        late = []
        for _ in range(10):
            due = time.monotonic() + 0.01
            time.sleep(0.01)
            late.append(time.monotonic() - due)
        stop = True
        t.join()
        print(sorted(late)[5])
    """
    assert float(user(code, "--slice", "2ms")) < 0.05


def test_preemption_keeps_exclusion_and_loses_nothing() -> None:
    code = """
        import queue
        lock, total, items = threading.Lock(), 0, queue.Queue(3)
        rlock = threading.RLock()
        def add():
            global total
            for _ in range(2000):
                with lock:
                    with rlock:
                        was = total
                        for _ in range(3): pass
                        total = was + 1
                items.put(1)
        def take():
            for _ in range(2000):
                items.get()
                items.task_done()
        threads = [threading.Thread(target=f) for f in (add, take) * 3]
        for t in threads: t.start()
        for t in threads: t.join()
        items.join()
        print(total, items.qsize())
    """
    assert user(code, "--slice", "200us") == "6000 0\n"
