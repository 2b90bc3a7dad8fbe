"""Exceptions that are set for a thread from outside, by `PyThreadState_SetAsyncExc`."""

from tests.life.programs import out


def test_an_exception_can_be_set_for_a_thread_that_runs(model: str) -> None:
    code = """
        import ctypes, threading, time
        class Stop(Exception): pass
        got, ready = [], threading.Event()
        def spin():
            try:
                ready.set()
                while True: pass
            except Stop:
                got.append("stopped")
        def work():
            try:
                while True: time.sleep(0.001)
            except Stop:
                got.append("stopped")
        set_exc = ctypes.pythonapi.PyThreadState_SetAsyncExc
        for target in (spin, work):
            ready.clear()
            t = threading.Thread(target=target, daemon=True); t.start()
            if target is spin: ready.wait()
            time.sleep(0.02)
            print(set_exc(ctypes.c_ulong(t.ident), ctypes.py_object(Stop)))
            t.join(5)
        print(got, set_exc(ctypes.c_ulong(12345), ctypes.py_object(Stop)))
    """
    assert out(code, model) == "1\n1\n['stopped', 'stopped'] 0\n"


def test_an_exception_that_was_set_comes_once_and_in_its_thread_alone(model: str) -> None:
    code = """
        import ctypes, threading, time
        class Stop(Exception): pass
        got, stop = [], False
        def spin(n):
            while not stop:
                try:
                    for _ in range(1000): pass
                except Stop:
                    got.append(n)
        ts = [threading.Thread(target=spin, args=(n,)) for n in range(3)]
        for t in ts: t.start()
        time.sleep(0.02)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ts[1].ident), ctypes.py_object(Stop))
        time.sleep(0.2)
        stop = True
        for t in ts: t.join()
        print(got)
    """
    assert out(code, model) == "[1]\n"
