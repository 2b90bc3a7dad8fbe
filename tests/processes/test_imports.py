"""Who gets the process model's modules, by which import; and the model in a running program."""

import sys

import pytest

from tests.processes.programs import METHODS, complaints, printed
from tests.support import run_code
from tests.support.programs import run_child

FORMS = {
    "import threading": "threading.Thread",
    "import threading as t": "t.Thread",
    "from threading import Thread": "Thread",
    "from threading import *": "Thread",
    "import importlib; t = importlib.import_module('threading')": "t.Thread",
    "t = __import__('threading')": "t.Thread",
    "import queue": "queue.Queue",
    "from queue import Queue as Q": "Q",
    "import concurrent.futures": "concurrent.futures.ThreadPoolExecutor",
    "import concurrent.futures as f": "f.ThreadPoolExecutor",
    "import concurrent": "concurrent.futures.ThreadPoolExecutor",
    "from concurrent import futures": "futures.ThreadPoolExecutor",
    "from concurrent.futures import ThreadPoolExecutor as E": "E",
    "from concurrent.futures.thread import ThreadPoolExecutor": "ThreadPoolExecutor",
    "import concurrent.futures.thread": "concurrent.futures.thread.ThreadPoolExecutor",
    "import concurrent.futures.process": "concurrent.futures.ThreadPoolExecutor",
    "import _thread": "_thread.allocate_lock",
}


def test_every_form_of_import_gives_the_program_ours() -> None:
    code = "".join(
        f"names = {{}}\nexec({form!r}, {{'__name__': '__main__'}}, names)\n"
        f"print(eval({what!r}, names).__module__)\n"
        for form, what in FORMS.items()
    )
    assert {line.rpartition(".")[0] for line in printed(code)} == {"weft.processes"}


def test_libraries_keep_the_real_ones_and_what_is_not_ours_is_theirs() -> None:
    assert printed("""
        import concurrent.futures, logging, multiprocessing.util, queue, socketserver, sys, threading
        real = sys.modules["threading"]
        print(logging.threading is real, socketserver.threading is real, threading is real)
        print(threading.TIMEOUT_MAX == real.TIMEOUT_MAX, queue.Empty is sys.modules["queue"].Empty)
        print(concurrent.futures.Future is sys.modules["concurrent.futures"].Future, threading.__name__)
        try: threading.nothing
        except AttributeError as error: print(error)
        try: import nothing_of_the_kind
        except ModuleNotFoundError as error: print(error)
    """) == [
        "True True False",
        "True True",
        "True threading",
        "module 'threading' has no attribute 'nothing'",
        "No module named 'nothing_of_the_kind'",
    ]


def test_a_log_names_the_thread() -> None:
    lines = complaints("""
        import logging, threading
        logging.basicConfig(format="%(threadName)s %(message)s")
        thread = threading.Thread(target=logging.warning, args=("careful",), name="worker")
        thread.start()
        thread.join()
        logging.warning("too")
    """)
    assert lines == ["worker careful", "MainThread too"]


@pytest.mark.parametrize("method", METHODS)
def test_globals_that_a_target_refers_to_are_the_parent_s(method: str) -> None:
    assert printed(
        """
        import queue, threading
        class Book:
            def __init__(self):
                self.lock, self.lines = threading.Lock(), queue.Queue()
            def write(self, line):
                with self.lock:
                    self.lines.put(line)
        book, direct, said = Book(), queue.Queue(), "as imported"
        def work(n):
            book.write((n, said))
            direct.put(n)
        if __name__ == "__main__":
            said = "as main set it"
            later = queue.Queue()
            def local(n, factor=2):
                work(n * factor)
                later.put(n)
            threads = [threading.Thread(target=work, args=(n,)) for n in (1, 2)]
            threads += [threading.Thread(target=lambda: local(3))]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            print(sorted(book.lines.get(timeout=5) for _ in threads))
            print(sorted(direct.get(timeout=5) for _ in threads), later.get(timeout=5))
        """,
        "--start-method",
        method,
    ) == [
        "[(1, 'as main set it'), (2, 'as main set it'), (6, 'as main set it')]",
        "[1, 2, 6] 3",
    ]


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_an_argument_that_cannot_be_pickled_is_told_at_the_start(method: str) -> None:
    code = """
        import threading
        if __name__ == "__main__":
            try:
                threading.Thread(target=print, args=(open(__file__),), name="reader").start()
            except Exception as error:
                print(type(error).__name__, error)
            print(threading.active_count())
    """
    first, second = printed(code, "--start-method", method)
    assert first.startswith(f"WeftError reader cannot be started by {method}: what it is given")
    assert "cannot pickle" in first
    assert second == "1"


INSIDE = """\
import weft
weft.install(model="process", **SETTINGS)
import os, threading
def work():
    print(os.getpid() != threading.main_thread().ident, flush=True)
thread = threading.Thread(target=work)
thread.start()
thread.join()
threading.Thread(target=print, args=("late",)).start()
"""


def test_it_may_be_put_in_force_in_a_program() -> None:
    done = run_code(INSIDE.replace("SETTINGS", "{}"), model=None)
    assert (done.stdout, done.stderr, done.returncode) == ("True\nlate\n", "", 0)
    done = run_code("import logging\n" + INSIDE.replace("SETTINGS", "{}"), model=None)
    assert (done.stdout, done.stderr, done.returncode) == ("True\nlate\n", "", 0)


def test_what_has_been_imported_already_is_told() -> None:
    done = run_code(
        "import threading\nfrom queue import Queue\n" + INSIDE.replace("SETTINGS", "{}"), model=None
    )
    assert done.stderr.splitlines()[-1].startswith(
        "weft.errors.WeftError: weft comes too late: __main__.Queue, __main__.threading had been imported"
    )


def test_a_function_may_be_run_on_it_and_the_modules_taken_beside_it() -> None:
    code = """
        import os, sys, weft
        def main(n):
            import threading
            box = __import__("queue").Queue()
            threading.Thread(target=lambda: box.put((n, os.getpid()))).start()
            return box.get()
        number, pid = weft.run(main, 7, model="process")
        print(number, pid != os.getpid())
        import threading
        print(threading is sys.modules["threading"])
    """
    assert run_code(code, model=None).check().stdout == "7 True\nTrue\n"
    code = """
        import os, threading as real
        from weft.stdlib import futures, queue, threading, time
        box = queue.Queue()
        threading.Thread(target=lambda: box.put(os.getpid())).start()
        with futures.ThreadPoolExecutor(1) as pool:
            print(box.get() != os.getpid(), pool.submit(os.getpid).result() != os.getpid())
        print(threading is real)
    """
    done = run_code(code, model=None, env={"WEFT_MODEL": "process"}).check()
    assert (done.stdout, done.stderr) == ("True True\nFalse\n", "")


def test_what_the_model_has_not_is_told() -> None:
    words = (
        "on the process model each thread is a process of the system, and weft has no control blocks of them:"
        " use threading.enumerate()"
    )
    assert (
        printed("""
        import weft
        for call in (weft.threads, weft.dump, lambda: weft.call_later(1, print)):
            try: call()
            except weft.WeftError as error: print(error)
    """)
        == [words] * 3
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--policy", "fair"), "the kernel schedules processes: a policy"),
        (
            ("--slice", "1ms"),
            "--slice has no effect on --model process: the system says how long processes run",
        ),
        (("--blocked-limit", "1s"), "--blocked-limit has no effect on --model process: "),
        (("--offload", "a:b"), "--offload has no effect on --model process: "),
        (
            ("--start-method", "thread"),
            "there is no start method 'thread'; choose one of: fork, forkserver, spawn",
        ),
    ],
)
def test_options_that_cannot_have_an_effect_are_refused(options: tuple[str, ...], words: str) -> None:
    done = run_code("1", model="process", options=options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"weft: {words}")


def test_its_options_are_refused_on_other_models() -> None:
    for options in (("--start-method", "spawn"), ("--copy-globals",)):
        for model in ("user", "kernel"):
            done = run_code("1", model=model, options=options)
            assert done.returncode == 2
            assert done.stderr.startswith(f"weft: {options[0]} has no effect on --model {model}: ")


@pytest.mark.parametrize(("value", "status"), [("1", 0), ("0", 1), ("yes", 0), ("", 1), ("perhaps", 2)])
def test_variables_stand_in_for_options(value: str, status: int) -> None:
    code = "import threading\ndef work():\n    global n\n    n = 1\nthreading.Thread(target=work).start()\n"
    env = {"WEFT_MODEL": "process", "WEFT_COPY_GLOBALS": value, "WEFT_START_METHOD": "fork"}
    done = run_child([sys.executable, "-m", "weft", "run", "-c", code], env=env)
    assert done.returncode == status, done
    assert ("WEFT_COPY_GLOBALS: 'perhaps' is neither on nor off" in done.stderr) == (status == 2)
