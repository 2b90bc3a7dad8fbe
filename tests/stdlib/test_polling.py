"""Asking for descriptors on and on: CPython gives up its lock at each question, so others run meanwhile."""

import pytest

from tests.support import run_code

ASKS = {
    "select": "ask = lambda: select.select([reader], [], [])",
    "select_now": "ask = lambda: select.select([], [], [reader], 0)",
    "poll": "poll = select.poll(); poll.register(reader); ask = poll.poll",
    "poll_now": "poll = select.poll(); poll.register(reader, select.POLLPRI); ask = lambda: poll.poll(0)",
    "epoll": "poll = select.epoll(); poll.register(reader, select.EPOLLIN); ask = poll.poll",
    "selector": "poll = selectors.DefaultSelector(); poll.register(reader, 1); ask = poll.select",
}

CODE = """
    import os, select, selectors, threading
    reader, writer = os.pipe()
    other_reader, other_writer = os.pipe()
    os.write(writer, b"there is always something")
    {ask}
    done = []
    def runs():
        done.append(1)
    def reads():
        done.append(os.read(other_reader, 1))
    threads = [threading.Thread(target=runs), threading.Thread(target=reads)]
    for thread in threads: thread.start()
    while not done:
        ask()
    os.write(other_writer, b"x")
    while len(done) < 2:
        ask()
    for thread in threads: thread.join()
    print(done)
"""


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_a_thread_that_asks_on_and_on_lets_others_run(ask: str) -> None:
    done = run_code(CODE.format(ask=ask), options=["--slice", "off"], timeout=20).check()
    assert (done.stdout, done.stderr) == ("[1, b'x']\n", "")
