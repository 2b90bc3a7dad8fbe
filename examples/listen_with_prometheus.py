"""What threads wait for, as metrics that Prometheus reads: `pip install prometheus-client` first.

A listener only counts and adds up, in dictionaries of its own; the library's collector reads them when
somebody scrapes. A library's counters take a lock for each step, and a listener must not wait. With a port
the metrics can be read at http://localhost:PORT/metrics while the program runs:

    weft run --model user examples/listen_with_prometheus.py --port 9100
"""

import argparse
import threading
import time
from collections import Counter

from prometheus_client import generate_latest, start_http_server
from prometheus_client.core import REGISTRY, CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

import weft


class Threads(Collector):
    """A listener that counts, and the collector that tells."""

    def __init__(self):
        self.parked = {}  # by thread: since when, and why
        self.waits = Counter()
        self.seconds = Counter()

    def __call__(self, kind, thread, by):
        if kind is weft.Kind.PARKED:
            wait = thread.wait
            self.parked[thread] = time.monotonic(), wait.reason.name.lower() if wait else "other"
        elif kind is weft.Kind.RUNNING and thread in self.parked:
            since, reason = self.parked.pop(thread)
            self.waits[reason] += 1
            self.seconds[reason] += time.monotonic() - since

    def collect(self):
        waits = CounterMetricFamily("weft_waits", "Waits of threads that have ended", labels=["reason"])
        seconds = CounterMetricFamily("weft_waited_seconds", "How long they took", labels=["reason"])
        for reason, count in list(self.waits.items()):
            waits.add_metric([reason], count)
            seconds.add_metric([reason], self.seconds[reason])
        yield waits
        yield seconds
        states = Counter(thread.state.value for thread in weft.threads())
        gauge = GaugeMetricFamily("weft_threads", "Threads that are there", labels=["state"])
        for state, count in states.items():
            gauge.add_metric([state], count)
        yield gauge


def work(lock):
    for _ in range(20):
        with lock:
            time.sleep(0.001)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--port", type=int, help="serve the metrics there while the program runs")
    port = options.parse_args().port
    threads = Threads()
    REGISTRY.register(threads)
    if port:
        start_http_server(port, addr="127.0.0.1")
    lock = threading.Lock()
    with weft.listen(threads):
        workers = [threading.Thread(target=work, args=(lock,)) for _ in range(10)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    lines = generate_latest(REGISTRY).decode().splitlines()
    print("\n".join(line for line in lines if line.startswith("weft_")))


if __name__ == "__main__":
    main()
