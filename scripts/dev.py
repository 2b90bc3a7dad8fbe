"""The project's commands, `./dev demo`, `./dev test` and others; each makes the environment it needs."""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import demo
import environment
import package

COMMANDS = """commands:
  demo      one program on kernel threads and on user threads, side by side
  test      the fast tests; arguments go to pytest (-m slow: the slow ones)
  lint      ruff check, ruff format --check and mypy
  docs      the documentation site, in build/site, without a warning (serve: shown while one writes)
  bench     all benchmarks in one run, and docs/benchmarks.md from it (--quick: five minutes; --help)
  package   a wheel and an sdist, in dist, each installed into a fresh environment and tried
  python    the environment's own Python; arguments go to it
"""
#: Commands that need other tools than the rest, and have an environment of their own.
EXTRAS = {"bench": "bench", "docs": "docs", "package": "package"}


def main(argv: Sequence[str]) -> int:
    """Run one command; `test`, `bench` and `python` take this process over, for signals and status."""
    parser = argparse.ArgumentParser(
        prog="./dev", epilog=COMMANDS, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", metavar="PATH", help="use this Python, with a .venv-3.X of its own")
    parser.add_argument(
        "command", choices=("demo", "test", "lint", "docs", "bench", "package", "python"), metavar="COMMAND"
    )
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    asked = parser.parse_args(argv)
    if asked.command in ("demo", "lint", "package") and asked.arguments:
        parser.error(f"{asked.command} takes no arguments")
    try:
        python = environment.ensure(asked.python, EXTRAS.get(asked.command, "dev"))
    except environment.SetupError as error:
        print(f"dev: {error}", file=sys.stderr)
        return 1
    if asked.command == "demo":
        return demo.main(python)
    if asked.command == "lint":
        return lint(python)
    if asked.command == "docs":
        return docs(python, asked.arguments or ["build"])
    if asked.command == "package":
        return package.main(python)
    command = [str(python), *asked.arguments]
    if asked.command == "bench":
        command = [str(python), str(environment.ROOT / "benchmarks" / "page" / "run.py"), *asked.arguments]
    if asked.command == "test":
        os.chdir(environment.ROOT)
        command = [str(python), "-m", "pytest", *asked.arguments]
    return os.execv(python, command)  # noqa: S606


def docs(python: Path, arguments: Sequence[str]) -> int:
    """Build or serve the site; a warning is an error. What mkdocs says of its own future is not ours."""
    command = [str(python), "-m", "mkdocs", *arguments]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=environment.ROOT, env=env).returncode


def lint(python: Path) -> int:
    """All three run, so that one round shows everything there is to mend."""
    tools = (["ruff", "check"], ["ruff", "format", "--check"], ["mypy"])
    codes = [subprocess.run([str(python), "-m", *tool], cwd=environment.ROOT).returncode for tool in tools]
    return max(codes)


if __name__ == "__main__":
    # Unwinding ends a running step of the set-up; dying on the spot would leave it at work.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
