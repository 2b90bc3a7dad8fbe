"""Two ways to say what a thread does: hand it a function, or override `run`."""

import threading


def greet(name: str, results: list[str]) -> None:
    results.append(f"hello, {name}")


class Greeter(threading.Thread):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.whom = name
        self.result = ""

    def run(self) -> None:
        self.result = f"hello, {self.whom}"


results: list[str] = []
first = threading.Thread(target=greet, args=("Ada", results))
second = Greeter("Ben")
first.start()
second.start()
first.join()
second.join()
print("a function with arguments:", results[0])
print("a subclass with run:", second.result)
