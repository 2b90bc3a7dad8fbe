"""The running loop of each user thread: what it costs when nobody has one, and greenlets within a loop."""

import pytest

from tests.support import run_code

TRACED = """
    import asyncio, greenlet, sys, threading, time

    async def main():
        await asyncio.to_thread(time.sleep, 0.001)
        return greenlet.gettrace() is not None

    def beside():
        time.sleep(0.001)

    assert greenlet.gettrace() is None
    for _ in range(3):
        assert asyncio.run(main())
        threads = [threading.Thread(target=beside) for _ in range(3)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert greenlet.gettrace() is None, "switches are still paid for"
    got = []
    def traced():
        sys.settrace(lambda *_: None)
        got.append(asyncio.run(main()))
        time.sleep(0.001)
        got.append(sys.gettrace() is not None)
    thread = threading.Thread(target=traced)
    thread.start()
    thread.join()
    assert got == [True, True], got
    assert sys.gettrace() is None
    print("done")
"""

GREENLETS = """
    import asyncio, threading
    import greenlet

    async def ask(number):
        await asyncio.sleep(0.001)
        return number, asyncio.get_running_loop()

    def synchronous(number):
        assert asyncio.get_running_loop() is loops[threading.current_thread()]
        answers = [greenlet.getcurrent().parent.switch(ask(number + n)) for n in range(3)]
        assert asyncio.get_running_loop() is loops[threading.current_thread()]
        return answers

    async def spawn(number):
        loops[threading.current_thread()] = asyncio.get_running_loop()
        inner = greenlet.greenlet(synchronous)
        result = inner.switch(number)
        while not inner.dead:
            result = inner.switch(await result)
        return result

    loops, got = {}, []
    def thread(number):
        for n, loop in asyncio.run(spawn(number)):
            assert loop is loops[threading.current_thread()]
            got.append(n)
    threads = [threading.Thread(target=thread, args=(10 * n,)) for n in range(4)]
    for t in threads: t.start()
    for t in threads: t.join()
    print(sorted(got))
"""

FORKED = """
    import asyncio, os, threading, time

    async def child():
        await asyncio.sleep(0)
        return 3

    def fork():
        pid = os.fork()
        if pid == 0:
            try:
                assert asyncio.events._get_running_loop() is None
                os._exit(asyncio.run(child()))
            finally:
                os._exit(1)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    async def main():
        mine = asyncio.get_running_loop()
        status = await asyncio.to_thread(fork)
        assert asyncio.get_running_loop() is mine
        return status

    print(asyncio.run(main()))
"""


@pytest.mark.parametrize(
    ("code", "printed"),
    [
        pytest.param(TRACED, "done\n", id="switches_cost_nothing_without_a_loop"),
        pytest.param(
            GREENLETS, f"{sorted(10 * n + k for n in range(4) for k in range(3))}\n", id="greenlets"
        ),
        pytest.param(FORKED, "3\n", id="a_forked_child_has_none"),
    ],
)
def test_running_loops(code: str, printed: str) -> None:
    done = run_code(code, options=["--slice", "1ms"]).check()
    assert done.stdout == printed
    assert "Error" not in done.stderr
