"""What looks at threads from outside: debuggers, faulthandler, frames, dumps, logging."""

from tests.life.programs import out


def test_a_debugger_stops_in_a_thread(model: str) -> None:
    code = """
        import threading, time
        def work(n):
            secret = n * 21
            breakpoint()
            print("after", secret)
        t = threading.Thread(target=work, args=(2,), name="worker")
        t.start()
        t.join()
        print("end")
    """
    typed = "p secret\np __import__('threading').current_thread().name\nn\nc\n"
    printed = out(code, model, input=typed)
    assert "(Pdb) 42" in printed
    assert "'worker'" in printed
    assert "after 42" in printed
    assert printed.endswith("end\n")
    assert "/weft/" not in printed


def test_a_debugger_steps_in_main_beside_other_threads(model: str) -> None:
    code = """
        import threading, time
        stop = False
        def spin():
            while not stop: time.sleep(0.0005)
        t = threading.Thread(target=spin)
        t.start()
        x = 1
        breakpoint()
        x += 1
        x += 1
        time.sleep(0.005)
        stop = True
        t.join()
        print("end", x)
    """
    printed = out(code, model, input="n\nn\np x\nn\nn\np x\nc\n")
    assert "spin" not in printed.replace("def spin", "")
    assert printed.endswith("end 3\n")
    assert "/weft/" not in printed


def test_faulthandler_has_a_stack_for_each_kernel_thread(model: str) -> None:
    code = """
        import faulthandler, sys, threading, time, weft
        lock = threading.Lock()
        def parked():
            with lock: pass
        def dumps():
            faulthandler.dump_traceback(file=sys.stdout, all_threads=True)
            print("---", flush=True)
        lock.acquire()
        ts = [threading.Thread(target=parked) for _ in range(2)]
        for t in ts: t.start()
        while sum(block.on is lock for block in weft.threads()) < 2: time.sleep(0.001)
        dumps()
        t = threading.Thread(target=dumps)
        t.start()
        t.join()
        weft.dump(sys.stdout)
        lock.release()
    """
    by_main, by_thread, ours = out(code, model).split("---")
    for stacks in (by_main, by_thread):
        assert "in dumps" in stacks
        assert "(most recent call first)" in stacks
        if (
            model != "hybrid"
        ):  # a carrier without work waits on the stack of the thread that parked last there
            assert stacks.count("in parked") == (2 if model == "kernel" else 0)
    assert "in <module>" in by_main
    assert ours.count("in parked") == 2


def test_current_frames_has_every_thread(model: str) -> None:
    code = """
        import sys, threading, time, traceback, weft
        go = threading.Event()
        def work(): go.wait()
        ts = [threading.Thread(target=work) for _ in range(2)]
        for t in ts: t.start()
        while sum(block.on is go for block in weft.threads()) < 2: time.sleep(0.001)
        frames = sys._current_frames()
        print(["work" in {place.name for place in traceback.extract_stack(frames[t.ident])} for t in ts],
              frames[threading.get_ident()] is sys._getframe())
        go.set()
        for t in ts: t.join()
    """
    assert out(code, model) == "[True, True] True\n"


def test_current_frames_has_no_thread_of_ours(model: str) -> None:
    code = """
        import os, sys, threading, time, weft
        with weft.trace("trace.html"):
            print(sys._current_frames().keys() == {threading.get_ident()})
            pid = os.fork()
            if pid == 0:
                deadline = time.monotonic() + 0.2
                while len(sys._current_frames()) == 1 and time.monotonic() < deadline: pass
                os._exit(50 + len(sys._current_frames()))
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """
    assert out(code, model) == "True\n51\n"


def test_a_dump_names_each_thread_with_its_wait(model: str) -> None:
    code = """
        import io, threading, time, weft
        lock = threading.Lock()
        def want():
            with lock: pass
        lock.acquire()
        t = threading.Thread(target=want, name="want"); t.start()
        time.sleep(0.02)
        file = io.StringIO()
        weft.dump(file)
        lock.release()
        t.join()
        text = file.getvalue()
        print(text.splitlines()[0], "'MainThread' (running)" in text, "in want" in text,
              "'want' (blocked) waits for a lock" in text, "held by 'MainThread' for 0." in text)
    """
    assert out(code, model) == "2 threads True True True True\n"


def test_logging_from_many_threads_is_whole(model: str) -> None:
    code = """
        import logging, sys, threading
        logging.basicConfig(stream=sys.stdout, format="%(threadName)s %(message)s", level=logging.INFO)
        def work(n):
            for i in range(20): logging.info("%d-%d", n, i)
        ts = [threading.Thread(target=work, args=(n,), name=f"t{n}") for n in range(5)]
        for t in ts: t.start()
        for t in ts: t.join()
    """
    assert sorted(out(code, model).splitlines()) == sorted(
        f"t{n} {n}-{i}" for n in range(5) for i in range(20)
    )
