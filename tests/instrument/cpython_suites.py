#!/usr/bin/env python3
"""CPython's own tests, rewritten with the modules they test, beside the same on plain CPython.

    python -P tests/instrument/cpython_suites.py [name ...]     about ten minutes for all

Each test module runs three times, in a process each: plain, rewritten with nobody listening, and rewritten
with a listener that hears of every access. What each test came to must be the same.
"""

import argparse
import importlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Iterable
from pathlib import Path

# Test module -> the modules that are rewritten with it.
SUITES: dict[str, tuple[str, ...]] = {
    "test_augassign": (),
    "test_bisect": ("bisect",),
    "test_class": (),
    "test_collections": ("collections",),
    "test_configparser": ("configparser",),
    "test_contextlib": ("contextlib",),
    "test_copy": ("copy", "copyreg"),
    "test_csv": ("csv",),
    "test_dataclasses": ("dataclasses",),
    "test_decimal": ("_pydecimal",),
    "test_deque": (),
    "test_descr": (),
    "test_dict": (),
    "test_difflib": ("difflib",),
    "test_enum": ("enum",),
    "test_fractions": ("fractions",),
    "test_fnmatch": ("fnmatch",),
    "test_functools": ("functools",),
    "test_generators": (),
    "test_genericpath": ("genericpath",),
    "test_graphlib": ("graphlib",),
    "test_heapq": ("heapq",),
    "test_html": ("html",),
    "test_htmlparser": ("html", "_markupbase"),
    "test_inspect": ("inspect",),
    "test_iter": (),
    "test_json": ("json",),
    "test_list": (),
    "test_named_expressions": (),
    "test_optparse": ("optparse",),
    "test_ordered_dict": ("collections",),
    "test_patma": (),
    "test_pprint": ("pprint",),
    "test_property": (),
    "test_raise": (),
    "test_reprlib": ("reprlib",),
    "test_scope": (),
    "test_sched": ("sched",),
    "test_set": (),
    "test_shlex": ("shlex",),
    "test_statistics": ("statistics",),
    "test_string": ("string",),
    "test_super": (),
    "test_textwrap": ("textwrap",),
    "test_tokenize": ("tokenize",),
    "test_traceback": (),
    "test_unpack": (),
    "test_userdict": ("collections",),
    "test_weakset": ("_weakrefset",),
    "test_with": (),
    "test_yield_from": (),
}
MODES = ("plain", "silent", "told")

# (test module, part of the test's name) -> why it cannot be the same.
EXCEPTIONS: dict[tuple[str, str], str] = {
    (
        "test_descr",
        "test_type_lookup_mro_reference",
    ): "a key among a class's attributes changes the class when it is compared, and is compared once more",
}


class Outcomes(unittest.TestResult):
    """What each test came to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def note(self, test: unittest.TestCase, outcome: str) -> None:
        name = test.id() if isinstance(test, unittest.TestCase) else str(test)
        self.found[name] = outcome if self.found.get(name) in (None, "passed") else self.found[name]

    def addSuccess(self, test: unittest.TestCase) -> None:
        self.note(test, "passed")

    def addFailure(self, test: unittest.TestCase, err: object) -> None:
        super().addFailure(test, err)
        self.note(test, "failed")

    def addError(self, test: unittest.TestCase, err: object) -> None:
        super().addError(test, err)
        self.note(test, "failed")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        self.note(test, "skipped")

    def addExpectedFailure(self, test: unittest.TestCase, err: object) -> None:
        self.note(test, "passed")

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: object) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.note(test, "failed")


def child(name: str, mode: str, out: str) -> None:
    """Run one test module in this process and write what came of it."""
    heard = 0

    def listener(access: int, obj: object, key: object, site: int) -> None:
        nonlocal heard
        heard += 1

    rewritten = 0
    if mode != "plain":
        from weft.instrument import hook, points
        from weft.instrument.rewriting import compile_module

        # Compiled once before they are taken away: the rewriter itself needs some of them.
        for module in SUITES[name]:
            spec = importlib.util.find_spec(module)
            if spec is not None and spec.origin is not None and spec.origin.endswith(".py"):
                compile_module(Path(spec.origin).read_bytes(), spec.origin)
        for module in SUITES[name]:
            for loaded in list(sys.modules):
                if loaded == module or loaded.startswith(module + "."):
                    del sys.modules[loaded]
        hook.NEVER = ("weft", "builtins", "sys", "importlib")  # what is asked for here is meant
        hook.install(only=(f"test.{name}", *SUITES[name]), stdlib=True)
        points.set_listener(listener if mode == "told" else None)
        for module in SUITES[name]:
            importlib.import_module(module)
    sys.argv = [name]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        suite = unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(f"test.{name}"))
        result = Outcomes()
        suite.run(result)
        os.chdir("/")
    if mode != "plain":
        points.set_listener(None)
        rewritten = len(points.sites)
    texts = [text for _, text in (*result.failures, *result.errors)]
    found = {"found": result.found, "texts": texts, "heard": heard, "sites": rewritten}
    Path(out).write_text(json.dumps(found))


def run(name: str, mode: str, timeout: float = 600) -> dict[str, object]:
    """What one test module comes to in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out.json")
        command = [sys.executable, "-P", __file__, "--child", name, mode, str(out)]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            errors="replace",
        )
        if not out.exists():
            return {"found": {}, "texts": [done.stderr[-3000:]], "heard": 0, "sites": 0}
        return dict(json.loads(out.read_text()))


def compare(name: str) -> tuple[int, int, list[str]]:
    """How many tests there are, how many accesses were heard of, and what differs."""
    plain = run(name, MODES[0])
    found = plain["found"]
    assert isinstance(found, dict)
    if not found:
        return 0, 0, [f"{name}: no tests on plain CPython: {plain['texts']}"]
    wrong = []
    heard = 0
    for mode in MODES[1:]:
        other = run(name, mode)
        theirs = other["found"]
        assert isinstance(theirs, dict)
        heard = int(str(other["heard"]))
        if mode == "told" and not heard:
            wrong.append(f"{name}: nothing was heard")
        wrong += [
            f"{name} {mode}: {test}: {found.get(test)} -> {theirs.get(test)}"
            for test in sorted(found.keys() | theirs.keys())
            if found.get(test) != theirs.get(test)
            and not any(name == module and part in test for module, part in EXCEPTIONS)
        ]
        if wrong and len(theirs) < len(found):
            wrong += [f"    {text}" for text in other["texts"][-1:]]  # type: ignore[index] # a list
    return len(found), heard, wrong


def main(names: Iterable[str]) -> int:
    bad = total = 0
    for name in names:
        if importlib.util.find_spec(f"test.{name}") is None:
            print(f"{name:20} not there")
            continue
        count, heard, wrong = compare(name)
        total += count
        bad += len(wrong)
        print(f"{name:20} {count:5} tests, {heard:9,} accesses told, {len(wrong)} differ", flush=True)
        for line in wrong[:12]:
            print("   ", line, flush=True)
    print(f"{total} tests, {bad} differ")
    return 1 if bad else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:5])
    else:
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("names", nargs="*", default=sorted(SUITES))
        sys.exit(main(parser.parse_args().names))
