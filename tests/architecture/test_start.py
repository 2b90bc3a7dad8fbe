"""weft must be first: nothing it imports on its way to the program may bind the modules that it supplies."""

import subprocess
import sys

# Bound before the program, any of these would hold CPython's own threads for good.
TOO_EARLY = (
    "threading",
    "queue",
    "concurrent.futures",
    "logging",
    "multiprocessing",
    "asyncio",
    "socket",
    "tempfile",
)


def loaded_by(statement: str) -> list[str]:
    """Which of them a fresh interpreter has after one statement."""
    code = f"{statement}\nimport sys\nprint(*[name for name in {TOO_EARLY} if name in sys.modules])"
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert asked.returncode == 0, asked.stderr
    return asked.stdout.split()


def test_weft_is_first() -> None:
    assert loaded_by("import weft, weft.cli.main, weft.cli.run") == []


def test_what_comes_too_early_is_found() -> None:
    assert loaded_by("import queue") == ["threading", "queue"]


def test_no_folder_of_ours_hides_the_standard_library() -> None:
    """`src/weft/stdlib` first on sys.path would hand CPython our `threading` for its own."""
    assert [
        path for path in sys.path if path.rstrip("/").endswith(("src/weft", "weft/stdlib", "weft/core"))
    ] == []
