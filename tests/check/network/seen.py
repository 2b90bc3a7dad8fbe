"""What the tests of the simulated network share."""

import re
from pathlib import Path

from tests.check.programs import weft

__all__ = ["EXAMPLES", "FACTS", "ROOT", "check_bodies"]

ROOT = Path(__file__).resolve().parents[3]
AT_ONCE = 6  # cases of one execution, which must not last 10 s on a machine with other work
EXAMPLES = ROOT / "examples"
FACTS = Path(__file__).with_name("facts.py")


def check_bodies(folder: Path, name: str, cases: list[str], only: bool = False) -> None:
    """Run the cases of a module of tests/stdlib/bodies on the checker, some of them in each execution.

    Args:
        cases: those that are left out; only: those that are run.
    """
    source = (ROOT / "tests" / "stdlib" / "bodies" / f"{name}.py").read_text()
    there = re.findall(r"^def case_(\w+)", source, re.MULTILINE)
    assert set(cases) <= set(there)
    wanted = [f"case_{case}" for case in there if (case in cases) is only]
    program = ROOT / "tests" / "check" / "bodies.py"
    options = ("--strategy", "round-robin", "--schedules", "2", "--steps", "1000000")
    for at in range(0, len(wanted), AT_ONCE):
        some = wanted[at : at + AT_ONCE]
        done = weft("check", *options, str(program), str(ROOT), name, *some, cwd=folder, path=ROOT)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "no failure found in 2 executions" in done.stdout
        notes = [line for line in done.stdout.splitlines() if line.startswith("note:")]
        assert not [line for line in notes if "has started no thread" not in line], done.stdout
