"""Listeners of a program's own: what they are told, several at a time, and until when."""

import importlib.util
import re
from pathlib import Path

import pytest

from tests.support import run_code, run_weft

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

TOLD = """
    import threading, time
    import weft

    def worker(lock):
        with lock:
            pass

    def play():
        lock = threading.Lock()
        with lock:
            thread = threading.Thread(target=worker, args=(lock,), name="worker")
            thread.start()
            time.sleep(0.01)
        thread.join()

    told = {first}, {second} = [], []
    def listener(into):
        return lambda kind, block, by: into.append((kind.name, block.name, by and by.name))
"""


def test_a_listener_is_told_of_a_thread_in_order(model: str) -> None:
    code = (
        TOLD.format(first="one", second="two")
        + """
    play()
    with weft.listen(listener(one)):
        play()
    play()
    print([kind for kind, name, by in one if name == "worker"])
    print(("READY", "worker", "MainThread") in one)
    """
    )
    kinds, woken = run_code(code, model=model).check().stdout.splitlines()
    assert kinds == "['STARTED', 'READY', 'RUNNING', 'PARKED', 'READY', 'RUNNING', 'ENDED']"
    assert woken == "True"


@pytest.mark.parametrize("model", ["user", "hybrid"])
def test_nobody_who_listens_stands_in_the_way_of_a_switch(model: str) -> None:
    """Nothing is paid then: what a switch calls are the queue's own methods, before a listener and after."""
    code = """
        import os, tempfile
        import weft
        from weft.core.current import getcurrent
        from weft.tracing import record_into

        loop = getcurrent().block.carrier

        def own():
            add, take = loop.ready.append, loop.ready.popleft
            return [loop.push == add, loop.again == add, loop.pick == take, loop.plain]

        print(*own())
        with weft.listen(lambda kind, block, by: None):
            print(*own())
        print(*own())
        path = os.path.join(tempfile.mkdtemp(), "spool")
        stop = record_into(path)
        print(*own())
        stop()
        print(*own())
    """
    before, listened, since, recorded, last = run_code(code, model=model).check().stdout.splitlines()
    assert before == since == last == "True True True True"
    assert listened == "False False False False"
    assert recorded == "False True False False"


def test_several_listen_and_end_each_for_itself(model: str) -> None:
    code = (
        TOLD.format(first="one", second="two")
        + """
    with weft.listen(listener(one)):
        with weft.listen(listener(two)):
            play()
        count = len(two)
        play()
    print(one[:count] == two, count > 0, len(one) > count, len(two) == count)
    """
    )
    assert run_code(code, model=model).check().stdout == "True True True True\n"


def test_without_a_runtime_or_on_processes_it_is_refused() -> None:
    code = """
        import weft
        try:
            with weft.listen(print): pass
        except weft.WeftError as error:
            print(error)
    """
    assert "no weft runtime is in force" in run_code(code, model=None).check().stdout
    assert "process" in run_code(code, model="process").check().stdout


def test_the_example_adds_up_what_threads_waited_for(model: str) -> None:
    done = run_weft("--model", model, str(EXAMPLES / "listen_for_waits.py")).check()
    waited = {
        name: (reason, int(time)) for name, reason, time in re.findall(r"(\w+) +(\w+) +(\d+) ms", done.stdout)
    }
    assert waited["maker"][0] == "SLEEP"
    assert waited["taker"][0] == "QUEUE_GET"
    assert waited["maker"][1] >= 50


@pytest.mark.skipif(
    importlib.util.find_spec("prometheus_client") is None, reason="prometheus-client is not there"
)
def test_the_metrics_of_the_example_can_be_read(model: str) -> None:
    done = run_weft("--model", model, str(EXAMPLES / "listen_with_prometheus.py")).check()
    found = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    assert float(found['weft_waits_total{reason="sleep"}']) == 200
    assert float(found['weft_waited_seconds_total{reason="sleep"}']) >= 0.2
    assert float(found['weft_threads{state="running"}']) == 1
