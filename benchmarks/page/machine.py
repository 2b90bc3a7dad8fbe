"""What a run was made on: the machine, and what is installed."""

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
from typing import Any

__all__ = ["machine", "versions"]

PACKAGES = ("weft", "greenlet", "gevent", "eventlet", "uvloop", "requests")


def machine() -> dict[str, Any]:
    """Processors, memory and the system."""
    found: dict[str, Any] = {
        "processor": platform.processor() or platform.machine(),
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "kernel": f"{platform.system()} {platform.release()}",
        "libc": " ".join(platform.libc_ver()),
    }
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            name = re.search(r"model name\s*:\s*(.+)", file.read())
        with open("/proc/meminfo", encoding="utf-8") as file:
            found["memory_gb"] = round(int(file.read().split()[1]) / 1e6, 1)
    except OSError:
        return found
    return {**found, "processor": name[1]} if name else found


def versions() -> dict[str, str | None]:
    """What is compared; None: not there."""
    made_by = f"{platform.python_version()} (compiled by {platform.python_compiler()})"
    found: dict[str, str | None] = {platform.python_implementation(): made_by}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    compiler = next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
    found["C compiler"] = _first_line([compiler, "--version"]) if compiler else None
    found["wrk"] = _first_line(["wrk", "-v"]) if shutil.which("wrk") else None
    return found


def _first_line(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    line = (done.stdout or done.stderr).splitlines()[0].partition(" Copyright")[0]
    return line.removeprefix(f"{command[0]} ")
