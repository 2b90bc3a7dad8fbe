"""Programs on the user model, with what most of them use."""

from textwrap import dedent

from tests.support import run_code

HEAD = """
    import sys, threading, time
    import weft

    def rss():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096

    def workers():
        import gc
        from weft.host.stacks import Worker
        return sum(isinstance(thing, Worker) for thing in gc.get_objects())

    def until(condition, seconds=10):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.0005)
"""


def user(code: str, *options: str, timeout: float = 60, env: dict[str, str] | None = None) -> str:
    """What the program prints on the user model; it must end well and without complaint."""
    program = "\n".join([dedent(HEAD), dedent(code)])
    return run_code(program, options=options, timeout=timeout, env=env).output()
