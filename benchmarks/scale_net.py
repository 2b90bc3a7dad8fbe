"""Very many connections and waits in one process of user threads, a thread each.

*held*: n connections to an echo server, all open, all answered: memory a connection, and the time to open
and answer them. *active*: 100 connections that ask, among n that do not: what a request costs the server in
CPU time must not grow with n. *parked*: threads that wait on pipes, as many as descriptors allow, and on
timers: memory each, and what it takes to start and to wake them.

The server is `weft run` in a process of its own; the clients are plain sockets here, without threads.

    python benchmarks/scale_net.py                       all three, about a minute
    python benchmarks/scale_net.py held --count 10000
"""

import argparse
import json
import os
import re
import resource
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from keep import add_option, keep

PATIENCE = 60.0  # seconds for anything to answer
ACTIVE = 100
MESSAGE = b"x" * 100


# -- the process under weft ----------------------------------------------------------------------------


def serve() -> None:
    """Echo, a thread a connection."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    print(listener.getsockname()[1], flush=True)

    def echo(connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(4096):
                connection.sendall(data)

    while True:
        threading.Thread(target=echo, args=(listener.accept()[0],), daemon=True).start()


def park(count: int) -> dict[str, float]:
    """Wait on pipes and timers, and say what it cost."""
    pipes = min(count // 2, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2 - 50)
    ends = [os.pipe() for _ in range(pipes)]
    woken = [0]
    due = [0.0]
    all_began = [False]

    def read(fd: int) -> None:
        got = os.read(fd, 1)  # on a line of its own: `+=` reads what it adds to first
        woken[0] += len(got)

    def nap() -> None:
        while (left := due[0] - time.monotonic()) > 0 or not all_began[0]:
            time.sleep(left if left > 0 else 0.05)  # once, unless the machine has other work
        woken[0] += 1

    due[0] = time.monotonic() + 0.5 + count / 12_000
    before, begun = resident(os.getpid()), time.perf_counter()
    threads = [threading.Thread(target=read, args=(fd,), daemon=True) for fd, _ in ends]
    threads += [threading.Thread(target=nap, daemon=True) for _ in range(count - pipes)]
    for thread in threads:
        thread.start()
    time.sleep(0)  # the last ones begin
    started = time.perf_counter() - begun
    each = (resident(os.getpid()) - before) / count
    assert woken[0] == 0, "they were to wait until all had begun"
    if due[0] - time.monotonic() < 0.1 + count / 100_000:
        due[0] = time.monotonic() + 0.5 + count / 12_000
    all_began[0] = True
    total = resident(os.getpid())
    print(
        f"parked   {count} threads, {pipes} on pipes and {count - pipes} on timers, begun in {started:.2f} s"
    )
    print(f"parked   {each / 1024:.1f} KB each, {total / 2**20:.0f} MB in all, ", end="")
    begun = time.perf_counter()
    for _, fd in ends:
        os.write(fd, b"x")
    for thread in threads[:pipes]:
        thread.join()
    answered = time.perf_counter() - begun
    print(f"pipes answered in {answered:.2f} s, ", end="")
    cpu = time.process_time()
    for thread in threads[pipes:]:
        thread.join()
    late, cpu = time.monotonic() - due[0], time.process_time() - cpu
    print(f"timers, all due at once, within {late:.2f} s and {cpu:.2f} s of CPU", flush=True)
    assert woken[0] == count, woken
    return {
        "threads": count,
        "pipes": pipes,
        "begun_s": started,
        "bytes_each": each,
        "total_bytes": total,
        "pipes_s": answered,
        "late_s": late,
        "timers_cpu_s": cpu,
    }


# -- what measures it ----------------------------------------------------------------------------------


def resident(pid: int) -> int:
    """Bytes of memory that a process has."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        found = re.search(r"VmRSS:\s+(\d+)", file.read())
    assert found
    return int(found[1]) * 1024


def processor_time(pid: int) -> float:
    """Seconds of CPU that a process has used; from the scheduler, which counts finer than ticks."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        first = int(file.read().split()[0])
    for task in os.listdir(f"/proc/{pid}/task"):
        if int(task) != pid:
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
                first += int(file.read().split()[0])
    return first / 1e9


class Server:
    def __init__(self, model: str) -> None:
        command = [sys.executable, "-m", "weft", "run", "--model", model, __file__, "serve"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.address = ("127.0.0.1", int(self.process.stdout.readline()))
        self.clients: list[socket.socket] = []

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        for client in self.clients:
            client.close()
        self.process.kill()
        self.process.communicate()

    def open(self, count: int) -> None:
        """Open so many connections, and ask on each."""
        while len(self.clients) < count:
            batch = [socket.create_connection(self.address, PATIENCE) for _ in range(min(500, count))]
            ask(batch)
            self.clients += batch


def ask(clients: list[socket.socket]) -> None:
    """A request on each at once; all must be answered rightly."""
    with selectors.DefaultSelector() as selector:
        for client in clients:
            client.sendall(MESSAGE)
            selector.register(client, selectors.EVENT_READ)
        waiting = len(clients)
        while waiting:
            ready = selector.select(PATIENCE)
            assert ready, f"{waiting} of {len(clients)} have no answer"
            for key, _ in ready:
                assert key.fileobj.recv(len(MESSAGE), socket.MSG_WAITALL) == MESSAGE  # type: ignore[union-attr]
                selector.unregister(key.fileobj)
                waiting -= 1


def held(model: str, count: int) -> dict[str, float]:
    with Server(model) as server:
        before, begun = resident(server.process.pid), time.perf_counter()
        server.open(count)
        opened = time.perf_counter() - begun
        each = (resident(server.process.pid) - before) / count
        begun, cpu = time.perf_counter(), processor_time(server.process.pid)
        ask(server.clients)
        answered = time.perf_counter() - begun
        cost = (processor_time(server.process.pid) - cpu) / count * 1e6
        total = resident(server.process.pid)
        print(f"held     {count} connections opened and answered in {opened:.2f} s")
        print(f"held     {each / 1024:.1f} KB each in the server, {total / 2**20:.0f} MB in all")
        print(
            f"held     then one request on all at once: {answered:.2f} s, {cost:.1f} µs of CPU each",
            flush=True,
        )
    return {
        "connections": count,
        "opened_s": opened,
        "bytes_each": each,
        "total_bytes": total,
        "answered_s": answered,
        "cpu_us": cost,
    }


def active(model: str, counts: list[int], rounds: int = 60, turns: int = 5) -> dict[int, list[float]]:
    """The servers are asked in turn, so that a slow spell of the machine meets all of them."""
    servers = {count: Server(model) for count in counts}
    costs: dict[int, list[float]] = {count: [] for count in counts}
    try:
        for count, server in servers.items():
            server.open(count)
        for _ in range(turns):
            for count, server in servers.items():
                pid, busy = server.process.pid, server.clients[:: count // ACTIVE][:ACTIVE]
                before = processor_time(pid)
                for _ in range(rounds):
                    ask(busy)
                costs[count].append((processor_time(pid) - before) / (rounds * len(busy)) * 1e6)
    finally:
        for server in servers.values():
            server.__exit__()
    first = statistics.median(costs[counts[0]])
    for count in counts:
        cost = statistics.median(costs[count])
        ratio = cost / first
        print(f"active   {ACTIVE} of {count:>5}: {cost:.1f} µs of CPU a request, {ratio:.2f} of the first")
    return costs


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="*", help="held, active, parked; none: all")
    parser.add_argument("--model", default="user")
    parser.add_argument("--count", type=int, help="connections held, threads parked")
    parser.add_argument("--most", type=int, default=9000, help="connections of which 100 ask")
    parser.add_argument("--rounds", type=int, default=1, help="of what is held and parked")
    add_option(parser)
    asked = parser.parse_args()
    if asked.what == ["serve"]:
        serve()
    if asked.what == ["park"]:
        return keep(asked.json, park(asked.count))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else soft, hard))
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 500
    what = asked.what or ["held", "active", "parked"]
    found: dict[str, Any] = {}
    if "held" in what:
        found["held"] = [held(asked.model, min(asked.count or 10_000, most)) for _ in range(asked.rounds)]
    if "active" in what:
        counts = [count for count in (100, 1000, 9000) if count + 1100 < most and count <= asked.most]
        found["active"] = active(asked.model, counts)
    if "parked" in what:
        found["parked"] = [parked(asked.model, asked.count or 100_000) for _ in range(asked.rounds)]
    return keep(asked.json, found)


def parked(model: str, count: int) -> dict[str, float]:
    """What the process under weft says of itself."""
    with tempfile.NamedTemporaryFile("r", suffix=".json") as file:
        command = [sys.executable, "-m", "weft", "run", "--model", model, __file__, "park"]
        subprocess.run([*command, "--count", str(count), "--json", file.name], check=True)
        figures: dict[str, float] = json.load(file)
    return figures


if __name__ == "__main__":
    main()
