"""The helpers themselves: a test that hangs must end, say why, and leave nothing behind."""

import pytest

from tests.support import ProgramHung, run_code
from tests.support.waiting import until_ended


def test_a_program_is_run_with_its_arguments_and_input() -> None:
    done = run_code(
        "import sys; print(sys.argv[1:], input())\nsys.exit(3)", "a", "b", model=None, input="typed"
    )
    assert (done.stdout, done.returncode) == ("['a', 'b'] typed\n", 3)
    with pytest.raises(AssertionError, match=r"status 3 of (?s:.*)typed"):
        done.check()


def test_a_hung_program_is_asked_where_it_is() -> None:
    code = """
        import os, signal, time
        signal.signal(signal.SIGQUIT, lambda *_: (print("here I am", flush=True), os._exit(0)))
        time.sleep(60)
    """
    with pytest.raises(ProgramHung, match=r"(?s)still running after 0.5 s.*here I am"):
        run_code(code, model=None, timeout=0.5)


def test_a_hung_program_is_ended_with_its_children() -> None:
    code = """
        import os, signal, time
        signal.signal(signal.SIGQUIT, signal.SIG_IGN)
        print(os.fork(), flush=True)
        time.sleep(60)
    """
    with pytest.raises(ProgramHung) as caught:
        run_code(code, model=None, timeout=0.5)
    numbers = [int(line) for line in str(caught.value).splitlines() if line.isdigit() and line != "0"]
    assert numbers
    until_ended(*numbers)


def test_settings_of_weft_do_not_leak_into_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEFT_SLICE", "1")
    code = "import os; print({name for name in os.environ if name.startswith('WEFT_')})"
    assert run_code(code, model=None, env={"WEFT_X": "1"}).stdout == "{'WEFT_X'}\n"
