"""WEFT_OFFLOAD, `--offload` and `weft.install(offload=...)`: named callables go to kernel threads."""

import importlib
import re
import sys
from pathlib import Path

import pytest

from tests.support import Finished, needs_gil, run_weft
from tests.support.programs import run_child
from weft.errors import WeftError
from weft.stdlib.named import Named

DRIVER = '''
"""A module like a database driver's."""
from weft.host import threads
def where(*args):
    "Which kernel thread."
    return (threads.get_native_id() == HOME, *args)
HOME = threads.get_native_id()
class Base:
    def inherited(self): return where()
class Connection(Base):
    def __init__(self, name="db"): self.name, self.made = name, where()
    def execute(self, text): return where(self.name, text)
    @classmethod
    def open(cls, name): return where(cls.__name__, name)
    @staticmethod
    def ping(n): return where(n)
    class Inner:
        def deep(self): return where()
    @property
    def prop(self): return 1
value = 3
instance = Connection()
async def coroutine(): pass
from _collections import deque
'''
USE = """
import driver
c = driver.Connection()
for f in (lambda: driver.where(1), lambda: c.execute("q"), lambda: driver.Connection.open("n"),
          lambda: c.ping(2), lambda: driver.Connection.ping(3), c.inherited, driver.Base().inherited,
          driver.Connection.Inner().deep):
    print(*f())
"""
HERE = "True 1\nTrue db q\nTrue Connection n\nTrue 2\nTrue 3\nTrue\nTrue\nTrue\n".splitlines()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "driver.py").write_text(DRIVER)
    (tmp_path / "use.py").write_text(USE)
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("from pack.sub import f\n")
    (tmp_path / "pack" / "sub.py").write_text("from driver import where\ndef f(): return where()\n")
    return tmp_path


def run(place: Path, *args: str, **how: object) -> Finished:
    return run_weft(*args, cwd=place, timeout=30, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("entry", "lines"),
    [
        ("driver:where", {0}),
        ("driver:Connection.execute", {1}),
        ("driver:Connection.open", {2}),
        ("driver:Connection.ping", {3, 4}),
        ("driver:Connection.inherited", {5}),
        ("driver:Base.inherited", {5, 6}),
        ("driver:Connection.Inner.deep", {7}),
        ("driver:where,driver:Connection.ping", {0, 3, 4}),
        (" driver:where , driver:where,", {0}),
    ],
)
@pytest.mark.parametrize("way", ["option", "environment"])
def test_what_is_named_runs_on_a_kernel_thread(place: Path, entry: str, lines: set[int], way: str) -> None:
    if way == "option":
        done = run(place, "--offload", entry, "use.py")
    else:
        done = run(place, "use.py", env={"WEFT_OFFLOAD": entry})
    # `where` is also called by the other methods, by its global name: then they find its wrapper.
    expected = [re.sub("True", "False", line) if n in lines else line for n, line in enumerate(HERE)]
    if "driver:where" in entry:
        expected = [line.replace("True", "False") for line in HERE]
    assert done.check().stdout.splitlines() == expected
    assert done.stderr == ""


def test_the_option_may_be_given_more_than_once(place: Path) -> None:
    done = run(place, "--offload", "driver:Connection.execute", "--offload=driver:Connection.open", "use.py")
    assert [n for n, line in enumerate(done.check().stdout.splitlines()) if line.startswith("False")] == [
        1,
        2,
    ]


@needs_gil("the kernel model is CPython's own threads")
def test_on_kernel_nothing_is_replaced(place: Path) -> None:
    done = run(place, "--model", "kernel", "--offload", "driver:where", "use.py")
    assert done.check().stdout.splitlines() == HERE


def test_a_module_of_a_package_and_those_who_take_from_it(place: Path) -> None:
    done = run(place, "--offload", "pack.sub:f", "-c", "import pack; print(*pack.f())")
    assert done.check().stdout == "False\n"


def test_install_takes_them_and_uninstall_gives_them_back(place: Path) -> None:
    code = """
import driver, weft
real = vars(driver.Connection)["ping"], driver.where
weft.install("user", offload=["driver:Connection.ping", "driver:Connection.inherited"])
print(*driver.Connection.ping(1), *driver.Connection().inherited())
weft.uninstall()
print(vars(driver.Connection)["ping"] is real[0], "inherited" in vars(driver.Connection))
"""
    assert run_python(place, code) == "False 1 False\nTrue False\n"


def run_python(place: Path, code: str) -> str:
    return run_child([sys.executable, "-c", code], cwd=place, timeout=30).check().stdout


@pytest.mark.parametrize(
    "entry", ["driver", "driver:", ":where", "driver.where", "dri ver:f", "a:b:c", "driver:f()"]
)
def test_a_malformed_name_is_refused_at_the_start(place: Path, entry: str) -> None:
    option = run(place, "--offload", entry, "use.py")
    variable = run(place, "use.py", env={"WEFT_OFFLOAD": entry})
    for done, where in ((option, "offload"), (variable, "WEFT_OFFLOAD")):
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            f"weft: {where}: {entry!r} names no callable; write module:function or module:Class.method\n"
        )


def test_a_name_in_the_program_itself_is_told_to_use_the_decorator(place: Path) -> None:
    done = run(place, "--offload", "__main__:f", "use.py")
    assert (done.returncode, done.stderr) == (
        2,
        "weft: offload: '__main__:f' is in the program itself; put @weft.offloaded before it there\n",
    )


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("driver:whare", "names nothing: driver has no 'whare'; did you mean where?"),
        ("driver:Connection.exec", "names nothing: driver.Connection has no 'exec'; did you mean execute?"),
        ("driver:Conection.execute", "names nothing: driver has no 'Conection'; did you mean Connection?"),
        ("driver:zzz", "names nothing: driver has no 'zzz'"),
        ("driver:value", "cannot be offloaded: driver.value is no function but 3"),
        (
            "driver:Connection",
            "cannot be offloaded: driver.Connection is a class: name a function or a method",
        ),
        (
            "driver:Connection.prop",
            "cannot be offloaded: driver.Connection.prop is no function but <property",
        ),
        ("driver:coroutine", "cannot be offloaded: driver.coroutine is a coroutine function"),
        (
            "driver:deque.append",
            "cannot be replaced, since driver.deque is made in C; name a Python function",
        ),
    ],
)
def test_a_wrong_name_is_told_when_its_module_is_imported(
    place: Path, entry: str, says: str, model: str
) -> None:
    if model == "kernel" and says.startswith("cannot be replaced"):
        pytest.skip("nothing is replaced there")
    done = run(place, "--model", model, "--offload", entry, "use.py")
    assert (done.returncode, done.stdout) == (1, "")
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"weft.errors.WeftError: offload: {entry!r} {says}"), done.stderr
    assert 'use.py", line 2, in <module>' in done.stderr
    assert "/weft/" not in done.stderr


def test_a_module_that_is_not_there_is_told_at_the_start_and_part_of_a_package_at_the_end(
    place: Path, model: str
) -> None:
    names = "drivr:where,driver:where,pack.nothing:f,json:loads"
    code = "import pack, sys; sys.stderr.write('program\\n')"
    for args, env in (
        (("--offload", names), {}),
        ((), {"WEFT_OFFLOAD": names}),
    ):
        done = run(place, "--model", model, *args, "-c", code, env=env)
        assert done.returncode == 0
        assert done.stderr == (
            "weft: offload: 'drivr:where' has no effect: there is no module 'drivr'\n"
            "program\n"
            "weft: offload: 'pack.nothing:f' had no effect: there is no module 'pack.nothing'\n"
        )


def test_modules_are_looked_for_where_the_program_has_its_own(place: Path, tmp_path: Path) -> None:
    (place / "bundle").mkdir()
    (place / "bundle" / "__main__.py").write_text("import inner\n")
    (place / "bundle" / "inner.py").write_text("def f(): pass\n")
    for args in (("bundle",), ("-m", "bundle.inner"), ("bundle/inner.py",)):
        done = run(place, "--offload", "inner:f" if args[0] != "-m" else "bundle.inner:f", *args)
        assert (done.returncode, done.stderr) == (0, "")


def test_methods_of_a_c_type_are_refused_by_type() -> None:
    named = Named(["sqlite3:Connection.execute"])
    with pytest.raises(WeftError, match=r"sqlite3\.Connection is made in C; .* weft\.offload\(\.\.\.\)"):
        named.adapters()["sqlite3"](importlib.import_module("sqlite3"))
