"""`weft run` runs programs as `python` does: what they see, what they print, how they end."""

import re
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.support import Finished, run_weft
from tests.support.programs import run_child

SHOW = """\
import os, sys
names = "__name__ __file__ __package__ __doc__ __spec__ __cached__ __builtins__ __loader__".split()
main = sys.modules["__main__"]
for name in names:
    value = main.__dict__.get(name, "missing")
    if name == "__spec__" and value not in (None, "missing"): value = value.name
    if name == "__loader__" and not isinstance(value, (str, type(None))):
        value = getattr(value, "__name__", type(value).__name__)
    if name == "__cached__" and value not in (None, "missing"): value = os.path.basename(value)
    print(name, value)
print("others", sorted(set(main.__dict__) - set(names) - {"os", "sys", "names", "main", "name", "value"}))
print("argv", sys.argv)
print("path0", sys.path[0])
print("globals", globals() is main.__dict__)
print("flags", sys.flags.safe_path, __debug__)
"""


def python(*args: str, **how: object) -> Finished:
    return run_child([sys.executable, *args], **how)  # type: ignore[arg-type]


def both(args: Sequence[str], model: str = "user", **how: object) -> tuple[Finished, Finished]:
    """The same on the plain interpreter and under weft."""
    return python(*args, **how), run_weft("--model", model, *args, **how)  # type: ignore[arg-type]


def folder(path: Path) -> Path:
    """A folder with a script, a module, a package and a program in a folder and in an archive."""
    (path / "script.py").write_text('"""Its words."""\n' + SHOW)
    (path / "neighbour.py").write_text("words = 'from the neighbour'\n")
    (path / "imports.py").write_text("import neighbour; print(neighbour.words)\n")
    (path / "package").mkdir()
    (path / "package" / "__init__.py").write_text("print('package', __name__)\n")
    (path / "package" / "__main__.py").write_text(SHOW)
    (path / "package" / "part.py").write_text(SHOW)
    (path / "dir").mkdir()
    (path / "dir" / "__main__.py").write_text("import inside; print(inside.words)\n" + SHOW)
    (path / "dir" / "inside.py").write_text("words = 'inside'\n")
    (path / "no main").mkdir()
    with zipfile.ZipFile(path / "app.zip", "w") as archive:
        archive.write(path / "dir" / "__main__.py", "__main__.py")
        archive.write(path / "dir" / "inside.py", "inside.py")
    with zipfile.ZipFile(path / "app.pyz", "w") as archive:
        archive.write(path / "dir" / "__main__.py", "__main__.py")
        archive.write(path / "dir" / "inside.py", "inside.py")
    raw = (path / "app.pyz").read_bytes()
    (path / "app.pyz").write_bytes(b"#!/usr/bin/env python3\n" + raw)
    (path / "link").symlink_to(path / "dir" / "inside.py")
    (path / "sub").mkdir()
    (path / "sub" / "linked.py").symlink_to(path / "imports.py")
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder(tmp_path_factory.mktemp("programs"))


WAYS: dict[str, tuple[str, ...]] = {
    "a script": ("script.py", "a", "-b", "--model", "c"),
    "a script in another folder": ("package/part.py",),
    "a script with options of its own": ("script.py", "-m", "x", "--", "-"),
    "a module": ("-m", "script", "a", "-b"),
    "a package": ("-m", "package", "a"),
    "a module of a package": ("-m", "package.part", "--help"),
    "code": ("-c", SHOW, "a", "-b"),
    "a folder": ("dir", "a"),
    "a folder with a slash": ("dir/", "a"),
    "an archive": ("app.zip", "a"),
    "an archive with a first line": ("app.pyz", "a"),
    "a script with a neighbour": ("imports.py",),
    "a link to a script with a neighbour": ("sub/linked.py",),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_program_sees_what_it_sees_under_python(way: str, place: Path) -> None:
    plain, weft = both(WAYS[way], cwd=place)
    assert plain.returncode == 0
    assert weft.stdout.splitlines() == plain.stdout.splitlines()
    assert (weft.stderr, weft.returncode) == (plain.stderr, 0)


def test_standard_input_is_a_program(place: Path) -> None:
    plain, weft = both(("-", "a", "-b"), cwd=place, input=SHOW)
    assert weft.stdout.splitlines() == plain.stdout.splitlines()
    assert (weft.stderr, weft.returncode) == ("", 0)


def test_a_script_named_by_its_whole_path(place: Path) -> None:
    plain, weft = both((str(place / "script.py"), "a"), cwd=place / "package")
    assert weft.stdout.splitlines() == plain.stdout.splitlines()


def test_a_safe_path_is_kept(place: Path) -> None:
    for way in ("a script", "a module of a package", "code", "a folder"):
        plain, weft = both(WAYS[way], cwd=place, env={"PYTHONSAFEPATH": "1", "PYTHONPATH": path_of_weft()})
        assert weft.stdout.splitlines() == plain.stdout.splitlines(), way
        assert weft.returncode == plain.returncode, way


def path_of_weft() -> str:
    import weft

    return str(Path(str(weft.__file__)).parents[1])


def test_a_compiled_script_is_run(place: Path) -> None:
    import py_compile

    compiled = place / "compiled.pyc"
    py_compile.compile(str(place / "imports.py"), str(compiled))
    plain, weft = both(("compiled.pyc",), cwd=place)
    assert (weft.stdout, weft.stderr, weft.returncode) == (plain.stdout, plain.stderr, 0)


FAILING: dict[str, str] = {
    "an exception": "def f():\n    raise ValueError('boom')\nf()\n",
    "an exception with a cause": "try:\n    {}['a']\nexcept KeyError as e:\n    raise OSError('b') from e\n",
    "an exception with a context": "try:\n    {}['a']\nexcept KeyError:\n    1 / 0\n",
    "a group": "raise ExceptionGroup('many', [ValueError(1), TypeError(2)])\n",
    "a note": "e = ValueError('x'); e.add_note('note'); raise e\n",
    "a syntax error": "x = (\n",
    "a syntax error in a line": "def f():\n    return return\n",
    "an indentation error": "if 1:\nx\n",
    "a null byte": "x = 1\0\n",
    "a name that was meant": "import sys\nsys.exitt()\n",
    "recursion": "def f(): f()\nf()\n",
    "sys.exit with a number": "import sys; sys.exit(5)\n",
    "sys.exit with words": "import sys; sys.exit('words')\n",
    "sys.exit with None": "import sys; sys.exit(None)\n",
    "sys.exit with a big number": "import sys; sys.exit(256 + 3)\n",
    "an interrupt": "raise KeyboardInterrupt\n",
    "an excepthook": (
        "import sys\nsys.excepthook = lambda *a: print('hook', a[0].__name__, a[2].tb_frame.f_code)\n1 / 0\n"
    ),
    "a module that fails": "import bad\n",
    "a warning": "import warnings; warnings.warn('careful')\n",
    "an assertion": "assert 1 == 2, 'not equal'\n",
    "a closed output": "import sys, os; os.close(1); print('x'); sys.stdout.flush()\n",
}


def without_machinery(text: str) -> str:
    """Without runpy's frames, addresses, and how deep a recursion got: the launcher takes a few frames."""
    text = re.sub(r"repeated \d+ more times", "repeated .. more times", text)
    text = re.sub(r'  File "<frozen runpy>", line \d+, in .*\n', "", text)
    return re.sub(r"0x[0-9a-f]+", "0x..", text)


Ways = dict[str, Callable[[Path, str], tuple[tuple[str, ...], str | None]]]


def as_script(path: Path, code: str) -> tuple[tuple[str, ...], str | None]:
    (path / "prog.py").write_text(code)
    return ("prog.py",), None


def as_whole_path(path: Path, code: str) -> tuple[tuple[str, ...], str | None]:
    (path / "prog.py").write_text(code)
    return (str(path / "prog.py"),), None


def as_module(path: Path, code: str) -> tuple[tuple[str, ...], str | None]:
    (path / "prog.py").write_text(code)
    return ("-m", "prog"), None


def as_code(path: Path, code: str) -> tuple[tuple[str, ...], str | None]:
    return ("-c", code), None


def as_input(path: Path, code: str) -> tuple[tuple[str, ...], str | None]:
    return ("-",), code


def as_folder(path: Path, code: str) -> tuple[tuple[str, ...], str | None]:
    (path / "prog").mkdir()
    (path / "prog" / "__main__.py").write_text(code)
    return ("prog",), None


HOW: Ways = {
    "script": as_script,
    "whole path": as_whole_path,
    "module": as_module,
    "code": as_code,
    "input": as_input,
    "folder": as_folder,
}
PAIRS = [(name, "script") for name in FAILING] + [
    (name, how)
    for name in ("an exception", "a syntax error in a line", "sys.exit with words", "an interrupt")
    for how in HOW
    if how != "script"
]


@pytest.mark.parametrize(("name", "how"), PAIRS)
def test_a_program_that_fails_says_what_it_says_under_python(name: str, how: str, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("def f(): raise OSError('in a module')\nf()\n")
    args, typed = HOW[how](tmp_path, FAILING[name])
    plain, weft = both(args, cwd=tmp_path, input=typed)
    assert weft.returncode == plain.returncode
    assert without_machinery(weft.stdout) == without_machinery(plain.stdout)
    assert without_machinery(weft.stderr) == without_machinery(plain.stderr)


MISSING: dict[str, tuple[str, ...]] = {
    "a script": ("nothing.py",),
    "a module": ("-m", "nothing"),
    "a module of a package": ("-m", "package.nothing"),
    "a package without a main": ("-m", "json"),
    "a folder without a main": ("no main",),
    "a folder that is not there": ("nowhere/",),
}


@pytest.mark.parametrize("what", MISSING)
def test_what_is_missing_is_named_with_python_s_status(what: str, place: Path) -> None:
    plain, weft = both(MISSING[what], cwd=place)
    assert weft.returncode == plain.returncode != 0
    assert "Traceback" not in weft.stderr
    assert MISSING[what][-1].rstrip("/") in weft.stderr
    assert len(weft.stderr.splitlines()) == 1


BAD: dict[str, tuple[tuple[str, ...], str]] = {
    "no program": ((), "weft run: no program was named"),
    "an unknown option": (("--modle", "user", "x.py"), "weft run: there is no option '--modle'"),
    "an option of python's": (("-u", "x.py"), "weft run: there is no option '-u'"),
    "an unknown model": (
        ("--model", "users", "-c", "1"),
        "weft: there is no model 'users'; choose one of: kernel, user",
    ),
    "an empty model": (("--model=", "-c", "1"), "weft: there is no model ''; choose one of: kernel, user"),
    "a model without a name": (("--model",), "weft run: --model needs a value"),
    "an unknown policy": (
        ("--policy", "best", "-c", "1"),
        "weft: there is no policy 'best'; choose one of: fifo, ",
    ),
    "a policy of no module": (
        ("--policy", "nothing:Best", "-c", "1"),
        "weft: the policy 'nothing:Best' cannot be made: ",
    ),
    "a policy of no class": (
        ("--policy", "json:Best", "-c", "1"),
        "weft: the policy 'json:Best' cannot be made: ",
    ),
    "a policy that is none": (
        ("--policy", "json:JSONDecoder", "-c", "1"),
        "weft: json:JSONDecoder is no policy: it lacks add, ",
    ),
    "a policy of the kernel": (
        ("--model", "kernel", "--policy", "fair", "-c", "1"),
        "weft: the kernel schedules kernel threads: a policy (--policy, WEFT_POLICY) needs --model user",
    ),
    "a slice of the kernel": (
        ("--model", "kernel", "--slice", "1ms", "-c", "1"),
        "weft: --slice has no effect on --model kernel: the system says how long kernel threads run; leave",
    ),
    "a blocked limit of the kernel": (
        ("--model", "kernel", "--blocked-limit=0", "-c", "1"),
        "weft: --blocked-limit has no effect on --model kernel: a call in C holds up no other kernel thread;",
    ),
    "a blocked limit without preemption": (
        ("--slice", "off", "--blocked-limit", "1s", "-c", "1"),
        "weft: --blocked-limit has no effect with a slice (--slice, WEFT_SLICE) of 0: ",
    ),
    "a slice that is no time": (
        ("--slice", "soon", "-c", "1"),
        "weft: 'soon' is no time; write it as 10ms, 200us or 0.01s",
    ),
    "a slice that is too short": (("--slice", "1us", "-c", "1"), "weft: a slice of 1us cannot be kept; "),
    "a slice without a time": (("--slice=", "-c", "1"), "weft: '' is no time; "),
    "-m without a module": (("-m",), "weft run: -m needs a module name"),
    "-c without code": (("-c",), "weft run: -c needs a piece of code"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_call_is_told_in_a_line_with_status_2(what: str) -> None:
    args, words = BAD[what]
    done = run_weft(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(words)
    assert len(done.stderr.splitlines()) <= 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"WEFT_MODEL": "users"}, "weft: WEFT_MODEL: there is no model 'users'"),
        ({"WEFT_POLICY": "best"}, "weft: WEFT_POLICY: there is no policy 'best'"),
        ({"WEFT_SLICE": "soon"}, "weft: WEFT_SLICE: 'soon' is no time"),
    ],
)
def test_a_bad_variable_is_told_in_a_line_with_status_2(variables: dict[str, str], words: str) -> None:
    done = run_weft("-c", "1", env=variables)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(words)
    assert len(done.stderr.splitlines()) == 1


def test_an_option_that_a_variable_takes_the_effect_of_is_refused() -> None:
    done = run_weft("--slice", "1ms", "-c", "1", env={"WEFT_MODEL": "kernel"})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("weft: --slice has no effect on --model kernel: ")


def test_variables_without_an_effect_are_let_be() -> None:
    variables = {"WEFT_SLICE": "1ms", "WEFT_BLOCKED_LIMIT": "1s", "WEFT_OFFLOAD_THREADS": "3"}
    done = run_weft("--model", "kernel", "-c", "print(1)", env=variables)
    assert (done.check().stdout, done.stderr) == ("1\n", "")


TELL = "from weft import runtime; c = runtime.runtime().config; print(c.model, c.policy, c.slice)"


@pytest.mark.parametrize(
    ("args", "variables", "told"),
    [
        ((), {}, "user fifo 0.01"),
        (("--model", "kernel"), {}, "kernel fifo 0.01"),
        (("--model=user", "--policy=fair", "--slice=2ms"), {}, "user fair 0.002"),
        ((), {"WEFT_MODEL": "kernel"}, "kernel fifo 0.01"),
        ((), {"WEFT_POLICY": "priority", "WEFT_SLICE": "off"}, "user priority 0.0"),
        (
            ("--model", "user", "--slice", "1ms"),
            {"WEFT_MODEL": "kernel", "WEFT_SLICE": "5ms"},
            "user fifo 0.001",
        ),
        ((), {"WEFT_MODEL": "", "WEFT_SLICE": ""}, "user fifo 0.01"),
    ],
)
def test_options_come_before_variables_and_those_before_defaults(
    args: tuple[str, ...], variables: dict[str, str], told: str
) -> None:
    assert run_weft(*args, "-c", TELL, env=variables).check().stdout == told + "\n"


def test_the_command_itself_answers() -> None:
    for args, status, words in (
        (["--help"], 0, "usage: weft run "),
        (["-h"], 0, "usage: weft run "),
        (["--version"], 0, "weft 0."),
        (["-V"], 0, "weft 0."),
        (["run", "--help"], 0, "usage: weft run [options]"),
    ):
        done = python("-m", "weft", *args)
        assert (done.returncode, done.stderr) == (status, "")
        assert done.stdout.startswith(words)
    for args in ([], ["walk"]):
        done = python("-m", "weft", *args)
        assert (done.returncode, done.stdout) == (2, "")
        assert "usage: weft run" in done.stderr


def test_a_program_after_a_forgotten_run_is_told_how_to_run_it(place: Path) -> None:
    for args, meant in (
        (("script.py", "a b"), "weft run script.py 'a b'"),
        (("dir",), "weft run dir"),
        (("--model", "user", "script.py"), "weft run --model user script.py"),
        (("-m", "script"), "weft run -m script"),
    ):
        done = python("-m", "weft", *args, cwd=place)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.splitlines()[0] == (
            f"weft: there is no command {args[0]!r}; to run a program: {meant}"
        )
    done = python("-m", "weft", "nothing.py", cwd=place)
    assert done.stderr.splitlines()[0] == "weft: there is no command 'nothing.py'"


def test_the_help_names_every_option_and_choice() -> None:
    text = python("-m", "weft", "run", "--help").stdout
    for word in (
        "--model",
        "--policy",
        "--slice",
        "--offload",
        "--blocked-limit",
        "kernel",
        "user",
        "fifo",
        "priority",
        "fair",
        "WEFT_MODEL",
        "WEFT_OFFLOAD",
        "WEFT_OFFLOAD_THREADS",
        "WEFT_BLOCKED_LIMIT",
        "-m",
        "-c",
    ):
        assert word in text


def test_a_program_may_be_run_by_its_name_in_another_program(place: Path) -> None:
    code = "import runpy; runpy.run_path('imports.py', run_name='__main__')"
    assert run_weft("-c", code, cwd=place).check().stdout == "from the neighbour\n"
    code = "import runpy; runpy.run_path('script.py')['names']"
    assert run_weft("-c", code, cwd=place).check().stderr == ""


def test_what_a_program_defines_can_be_pickled_and_inspected(place: Path, model: str) -> None:
    (place / "pickles.py").write_text(
        "import pickle, inspect, dataclasses, typing\n"
        "@dataclasses.dataclass\nclass A:\n    x: 'int' = 1\n"
        "def f(): return 1\n"
        "assert pickle.loads(pickle.dumps(A(2))) == A(2)\n"
        "assert inspect.getsource(f) == 'def f(): return 1\\n'\n"
        "assert typing.get_type_hints(A) == {'x': int}\n"
        "print('fine')\n"
    )
    assert run_weft("--model", model, "pickles.py", cwd=place).check().stdout == "fine\n"
