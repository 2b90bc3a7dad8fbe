"""Programs on the process model: each prints what it finds, and nothing on standard error."""

from tests.support import run_code

METHODS = ("fork", "forkserver", "spawn")


def printed(code: str, *options: str, status: int = 0) -> list[str]:
    """The lines that a program prints, which ends with that status and complains of nothing."""
    done = run_code(code, model="process", options=options)
    assert (done.returncode, done.stderr) == (status, ""), done
    return done.stdout.splitlines()


def complaints(code: str, *options: str, status: int = 0) -> list[str]:
    """The lines that a program writes on standard error."""
    done = run_code(code, model="process", options=options)
    assert done.returncode == status, done
    return done.stderr.splitlines()
