"""1,000 `requests.get` at once, a thread each: what it costs on weft, on gevent and on kernel threads.

    python benchmarks/get.py [--threads 1000] [--rounds 3] [--peers weft,gevent-patched,kernel]

The server is one process with a bare epoll loop that answers every request at once; the figure is the CPU
time of the client process for each GET. Needs `requests`.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from keep import add_option, keep  # noqa: E402 - found beside this file

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\nConnection: close\r\n\r\n"
ANSWER = HEAD + b"Hello, world!"


def serve() -> None:
    """Answer each connection once, and close it."""
    import select
    import socket

    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    print(listener.getsockname()[1], flush=True)
    listener.setblocking(False)
    poll = select.epoll()
    poll.register(listener.fileno(), select.EPOLLIN)
    known: dict[int, Any] = {}
    while True:
        for fd, _ in poll.poll():
            if fd == listener.fileno():
                try:
                    while True:
                        connection, _ = listener.accept()
                        known[connection.fileno()] = connection
                        poll.register(connection.fileno(), select.EPOLLIN)
                except BlockingIOError:
                    continue
            connection = known.pop(fd)
            try:
                if connection.recv(65536):
                    connection.sendall(ANSWER)
            except OSError:
                pass
            connection.close()


def client(peer: str, port: int, threads: int) -> None:
    """All at once, in this process; prints its own CPU time, wall time and how many answers were right."""
    if peer == "gevent-patched":
        from gevent import monkey

        monkey.patch_all()
    import threading
    import time

    import requests

    if peer == "kernel":
        threading.stack_size(256 * 1024)
    right: list[int] = []
    requests.get(f"http://127.0.0.1:{port}/", timeout=60)  # what is loaded at the first one is not counted

    def get() -> None:
        if requests.get(f"http://127.0.0.1:{port}/", timeout=60).text == "Hello, world!":
            right.append(1)

    cpu, wall = time.process_time(), time.perf_counter()
    all_of_them = [threading.Thread(target=get) for _ in range(threads)]
    for thread in all_of_them:
        thread.start()
    for thread in all_of_them:
        thread.join()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"cpu_us": cpu / threads * 1e6, "wall_s": wall, "right": len(right), "rss_kb": peak}))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default="weft,gevent-patched,kernel")
    parser.add_argument("--python", default=sys.executable)
    add_option(parser)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--client", nargs=2, metavar=("PEER", "PORT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if options.serve:
        serve()
    elif options.client:
        client(options.client[0], int(options.client[1]), options.threads)
    else:
        compare(options)


def compare(options: Any) -> None:
    """Each peer in turn, in a process of its own, against one server."""
    me = [options.python, __file__, "--threads", str(options.threads)]
    server = subprocess.Popen([*me, "--serve"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    port = server.stdout.readline().strip()
    found: dict[str, list[dict[str, Any]]] = {}
    peers = options.peers.split(",")
    try:
        for turn in range(options.rounds):
            first = turn % len(peers)
            for peer in peers[first:] + peers[:first]:
                weft = ["-m", "weft", "run", "--model", "user"] if peer == "weft" else []
                command = [options.python, *weft, *me[1:], "--client", peer, port]
                done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
                if done.returncode:
                    why = done.stderr.strip().splitlines()[-1:]
                    found.setdefault(peer, []).append({"error": " ".join(why)})
                    print(f"{peer}: {done.stderr.strip()[-200:]}", file=sys.stderr)
                else:
                    found.setdefault(peer, []).append(json.loads(done.stdout))
    finally:
        server.kill()
        server.wait()
    print("| client | CPU µs a GET | wall s | peak RSS MB | right answers |\n| --- | --- | --- | --- | --- |")
    keep(options.json, found)
    for peer, every in found.items():
        rounds = [one for one in every if "error" not in one]
        if not rounds:
            print(f"| {peer} | not done |")
            continue
        middle = {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}
        print(
            f"| {peer} | {middle['cpu_us']:.0f} | {middle['wall_s']:.2f} | {middle['rss_kb'] / 1024:.0f} "
            f"| {middle['right']:.0f} of {options.threads} |"
        )


if __name__ == "__main__":
    main()
