"""Which modules are rewritten, how they are loaded, and what is kept of them."""

import importlib
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.instrument.told import Told, listening
from weft.errors import WeftError
from weft.instrument import hook, points, rewriting
from weft.instrument.hook import Choice

LIBRARY = os.path.dirname(os.__file__)
PACKAGES = os.path.join(LIBRARY, "site-packages", "")


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on sys.path; what is imported from it is forgotten."""
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    yield folder
    hook.uninstall()
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_module_is_rewritten_from_now_on(modules: Path) -> None:
    (modules / "counted.py").write_text("class C: n = 0\nc = C()\ndef up():\n    c.n += 1\n    return c.n\n")
    hook.install()
    counted = importlib.import_module("counted")
    heard = Told()
    with listening(heard):
        assert counted.up() == 1
    assert heard.short == [("behind", "n"), ("read", "n"), ("write", "n"), ("read", "n")]
    assert counted.__file__ == str(modules / "counted.py")
    assert "c.n += 1" in counted.__loader__.get_source("counted")
    assert not (modules / "__pycache__").exists()


def test_after_uninstall_modules_are_left_alone(modules: Path) -> None:
    (modules / "alone.py").write_text("def f(o): return o.a\n")
    hook.install()
    with pytest.raises(WeftError, match="installed already"):
        hook.install()
    hook.uninstall()
    assert hook.installed() is None
    assert type(importlib.import_module("alone").__loader__) is not hook.Loader


@pytest.mark.parametrize(
    ("name", "origin", "only", "exclude", "stdlib", "taken"),
    [
        ("program", "/home/me/program.py", (), (), False, True),
        ("package.module", "/home/me/package/module.py", (), (), False, True),
        ("cachetools", PACKAGES + "cachetools/__init__.py", (), (), False, True),
        ("json.encoder", LIBRARY + "/json/encoder.py", (), (), False, False),
        ("json.encoder", LIBRARY + "/json/encoder.py", (), (), True, True),
        ("json.encoder", LIBRARY + "/json/encoder.py", ("json",), (), True, True),
        ("json.encoder", LIBRARY + "/json/encoder.py", ("jso",), (), True, False),
        ("threading", LIBRARY + "/threading.py", (), (), True, False),
        ("weft.core.parking", "/home/me/weft/core/parking.py", (), (), True, False),
        ("_pytest.main", PACKAGES + "_pytest/main.py", (), (), False, False),
        ("_pytest.main", PACKAGES + "_pytest/main.py", ("_pytest.*",), (), False, True),
        ("package.module", "/home/me/package/module.py", (), ("package",), False, False),
        ("package.module", "/home/me/package/module.py", ("package",), ("*.module",), False, False),
        ("other", "/home/me/other.py", ("package", "prog*"), (), False, False),
        ("program", "/home/me/program.py", ("package", "prog*"), (), False, True),
    ],
)
def test_what_is_taken(
    name: str, origin: str, only: tuple[str, ...], exclude: tuple[str, ...], stdlib: bool, taken: bool
) -> None:
    assert Choice(only, exclude, stdlib).takes(name, origin) is taken


@pytest.mark.parametrize("bad", [[""], [3], ["a", None]])
def test_a_bad_pattern_is_refused(bad: list[str]) -> None:
    with pytest.raises(WeftError, match="exclude takes patterns of module names"):
        hook.install(exclude=bad)
    assert hook.installed() is None


def test_an_error_of_syntax_is_the_compilers(modules: Path) -> None:
    (modules / "broken.py").write_text("def f(:\n")
    hook.install()
    with pytest.raises(SyntaxError) as caught:
        importlib.import_module("broken")
    assert (caught.value.filename, caught.value.lineno) == (str(modules / "broken.py"), 1)


@pytest.mark.parametrize(
    "data",
    [
        b"# coding: latin-1\nx = lambda o: o.\xe9\n",
        b"\xef\xbb\xbfx = lambda o: o.a\r\n",
        b"x = lambda o: o.a\x0c\n",
        b"",
    ],
)
def test_any_encoding(modules: Path, data: bytes) -> None:
    (modules / "coded.py").write_bytes(data)
    hook.install()
    importlib.import_module("coded")


# ---- what is kept


def kept_in(cache: Path) -> list[Path]:
    return sorted((cache / "code").iterdir()) if (cache / "code").exists() else []


def told_of(source: str) -> list[tuple[str, int]]:
    """What a function `f` tells, by text and line."""
    names: dict[str, object] = {"__name__": "p"}
    exec(hook.compile_source(source, "p.py"), names)
    heard = Told()
    with listening(heard):
        names["f"]()  # type: ignore[operator]
    return [(points.sites[site].text, points.sites[site].line) for *_, site in heard.events]


SOURCE = "class C: n = 1\nc = C()\ndef f():\n    t = c.n\n    c.n = t + 1\n"


def test_what_was_rewritten_is_used_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = told_of(SOURCE)
    assert len(kept_in(cache)) == 1
    monkeypatch.setattr(rewriting, "Rewriter", None)
    points.add_sites("x", [points.Site("x", 1, 0, "other", "")], {}, {})
    assert told_of(SOURCE) == first == [("c.n", 4), ("c.n", 4), ("c.n", 5)]
    write = len(points.sites) - 1
    assert points.defuse(write) or points.defuse(write - 1)


def test_what_makes_a_difference_is_in_the_key(cache: Path) -> None:
    hook.compile_source(SOURCE, "p.py")
    for source, name, main, settings in [
        (SOURCE + "\n", "p.py", True, "str"),
        (SOURCE, "q.py", True, "str"),
        (SOURCE, "p.py", False, "str"),
        (SOURCE, "p.py", True, "other"),
    ]:
        before = len(kept_in(cache))
        rewriting.compile_module(source.encode(), name, main, settings=settings)
        assert len(kept_in(cache)) == before + 1


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "foreign", "body"])
def test_a_damaged_cache_is_ignored(cache: Path, damage: str) -> None:
    first = told_of(SOURCE)
    (path,) = kept_in(cache)
    data = path.read_bytes()
    path.write_bytes(
        {
            "cut": data[:-5],
            "flipped": data[:80] + bytes([data[80] ^ 1]) + data[81:],
            "empty": b"",
            "foreign": b"#!/bin/sh\n" * 50,
            "body": data[: len(rewriting.HEAD) + rewriting.DIGEST],
        }[damage]
    )
    assert told_of(SOURCE) == first
    assert path.read_bytes() == data


def test_a_cache_that_cannot_be_written_is_no_error(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.write_text("a file where the folder would be")
    assert told_of(SOURCE)
    monkeypatch.setenv("WEFT_CACHE", "off")
    assert told_of(SOURCE)


# ---- under pytest

TEST_MODULE = """
import points_of

class C: n = 1

def test_fails():
    c = C()
    values = [1, 2]
    c.n = 5
    assert c.n == len(values) + 1, values
    assert points_of

def test_heard():
    c = C()
    with points_of.listening() as heard:
        c.n = 1
        assert c.n == 1
    assert heard == [(2, 'n'), (1, 'n')]
"""
HELPER = """
from contextlib import contextmanager
from weft.instrument import points

@contextmanager
def listening():
    heard = []
    points.set_listener(lambda access, obj, key, site: heard.append((access, key)) if access < 3 else None)
    try:
        yield heard
    finally:
        points.set_listener(None)
"""


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
def test_pytest_rewrites_assertions_first(tmp_path: Path, mode: str) -> None:
    (tmp_path / "test_it.py").write_text(TEST_MODULE)
    (tmp_path / "points_of.py").write_text(HELPER)
    plugin = "from weft.instrument import hook\nhook.install(exclude=['points_of'])\n"
    (tmp_path / "conftest.py").write_text(plugin)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--import-mode={mode}", "."]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert "1 failed, 1 passed" in done.stdout, done.stdout
    told = textwrap.dedent("""\
        E       AssertionError: [1, 2]
        E       assert 5 == (2 + 1)
        E        +  where 5 = <test_it.C object at""")
    assert told in done.stdout, done.stdout
    assert "test_it.py:10: AssertionError" in done.stdout
