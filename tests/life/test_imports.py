"""Imports that threads make at the same time: whole modules, run once, and no deadlock."""

from pathlib import Path

import pytest

from tests.support import run_weft


@pytest.mark.parametrize("slice", ["10ms", "200us"])
def test_imports_from_several_threads_are_whole_and_run_once(slice: str, model: str, tmp_path: Path) -> None:
    package = tmp_path / "slow"
    package.mkdir()
    body = "import sys, time\nsys.stdout.write(f'run {__name__}\\n')\n"
    (package / "__init__.py").write_text(
        body + "from . import a\ntime.sleep(0.02)\nfrom . import b\ndone = True\n"
    )
    (package / "a.py").write_text(
        body + "time.sleep(0.01)\nfrom slow import c\nx = sum(range(20000))\ndone = True\n"
    )
    (package / "b.py").write_text(
        body + "time.sleep(0.01)\nfrom slow import a, c\nassert a.done\ndone = True\n"
    )
    (package / "c.py").write_text(body + "time.sleep(0.01)\ndone = True\n")
    # Who imports a part before the package is in `sys.modules` holds the part's lock and waits for the
    # package's, whose importer wants the part. CPython's importlib calls that a deadlock: in one run of 20 on
    # plain Python with a switch interval of 10 µs, and as often with slices as short, or on several carriers.
    often = model == "hybrid" or (model == "user" and slice == "200us")
    first = "importlib.import_module('slow')" if often else "pass"
    main = tmp_path / "main.py"
    main.write_text(
        "import importlib, threading\n"
        "bad = []\n"
        "def work(n):\n"
        "    name = ['slow', 'slow.a', 'slow.b', 'slow.c'][n % 4]\n"
        "    try:\n"
        f"        {first}\n"
        "        m = importlib.import_module(name)\n"
        "        if not getattr(m, 'done', False): bad.append((name, 'half'))\n"
        "        import json, decimal, email.message\n"
        "        email.message.Message, json.dumps, decimal.Decimal\n"
        "    except BaseException as error: bad.append((name, repr(error)))\n"
        "ts = [threading.Thread(target=work, args=(n,)) for n in range(12)]\n"
        "for t in ts: t.start()\n"
        "for t in ts: t.join()\n"
        "print(bad)\n"
    )
    done = run_weft("--model", model, str(main), env={"WEFT_SLICE": slice}).check()  # on kernel it is none
    lines = done.stdout.splitlines()
    assert sorted(lines[:-1]) == ["run slow", "run slow.a", "run slow.b", "run slow.c"]
    assert lines[-1] == "[]"


def test_a_circular_import_is_no_deadlock(model: str, tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("import time; time.sleep(0.01)\nimport two\ndone = 1\n")
    (tmp_path / "two.py").write_text("import time; time.sleep(0.01)\nimport one\ndone = 1\n")
    (tmp_path / "main.py").write_text(
        "import importlib, threading\n"
        "ts = [threading.Thread(target=importlib.import_module, args=(n,)) for n in ('one', 'two')]\n"
        "for t in ts: t.start()\n"
        "for t in ts: t.join()\n"
        "import one, two; print(one.done, two.done)\n"
    )
    done = run_weft("--model", model, str(tmp_path / "main.py"), timeout=20).check()
    assert (done.stdout, done.stderr) == ("1 1\n", "")
