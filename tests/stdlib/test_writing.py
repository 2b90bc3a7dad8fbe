"""`os.write` to a full pipe or socket parks its own thread, writes all of it, and says what CPython says."""

import pytest

from tests.support import run_code

FULL = """
    import os, socket, threading
    {make}
    size = 3_000_000
    data = bytes(range(256)) * (size // 256) + b"the end"
    said, got = [], []
    def write():
        said.append(os.write(writer, {data}))
        os.close(writer)
    def read():
        while part := os.read(reader, 65536):
            got.append(part)
    threads = [threading.Thread(target=write), threading.Thread(target=read)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    print(said == [len(data)], b"".join(got) == data)
"""
PIPE = "reader, writer = os.pipe()"
SOCKETS = "reader, writer = [end.detach() for end in socket.socketpair()]"


@pytest.mark.parametrize("make", [PIPE, SOCKETS], ids=["pipe", "socket"])
@pytest.mark.parametrize("data", ["data", "bytearray(data)", "memoryview(data)"])
def test_a_write_that_has_to_wait_writes_all(make: str, data: str, model: str) -> None:
    done = run_code(FULL.format(make=make, data=data), model=model, timeout=30).check()
    assert (done.stdout, done.stderr) == ("True True\n", "")


EDGES = """
    import os, tempfile
    reader, writer = os.pipe()
    def ask(function):
        try: print(function())
        except Exception as error: print(type(error).__name__, error)
    ask(lambda: os.write(writer, b""))
    ask(lambda: os.write(writer, "text"))
    ask(lambda: os.write("1", b"x"))
    ask(lambda: os.write(-1, b"x"))
    ask(lambda: os.write(10**20, b"x"))
    ask(lambda: os.write(reader, b"x"))
    ask(lambda: os.write(reader, b"x" * 100_000))
    with tempfile.TemporaryFile() as file:
        ask(lambda: os.write(file.fileno(), b"x" * 1_000_000))
    os.set_blocking(writer, False)
    ask(lambda: os.write(writer, b"x" * 1_000_000))
    ask(lambda: os.write(writer, b"x"))
    os.close(reader)
    ask(lambda: os.write(writer, b"x"))
    os.set_blocking(writer, True)
    ask(lambda: os.write(writer, b"x" * 100_000))
"""


def test_at_the_edges_it_is_as_cpythons() -> None:
    plain = run_code(EDGES, model=None).check()
    assert run_code(EDGES).check().stdout == plain.stdout
