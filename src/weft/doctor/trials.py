"""What is tried, each in an interpreter of its own: each model, and whether weft comes first.

A model that starts a thread and takes it back works; reading versions would be a guess.
"""

import json
import subprocess
import sys
from collections.abc import Iterator

from weft.config import MODELS, Config, environment_with_weft, environment_without_settings
from weft.doctor.facts import NOTE, OK, PROBLEM, Fact
from weft.errors import WeftError
from weft.stdlib.supply import TOO_LATE

__all__ = ["early", "models"]

PATIENCE = 30.0  # seconds for one interpreter: it takes a tenth of one
#: Asks the thread itself, through what a model has shared among its threads.
TRIAL = """\
import queue
import threading

answers = queue.Queue()


def ask():
    answers.put("a thread ran")


if __name__ == "__main__":
    thread = threading.Thread(target=ask)
    thread.start()
    print(answers.get(timeout=20))
    thread.join()
"""
#: What a bare interpreter imports before its program, and who has it do so.
#: It runs with -S, and has `site` do its work where it can be seen.
WATCH = """\
import sys
import importlib, json
found = {{}}
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in {names!r} and name not in found:
            frame, who = sys._getframe(1), ""  # the innermost of the files that `site` reads
            while frame is not None:
                code = frame.f_code
                seen = [str(value) for value in frame.f_locals.values() if str(value).endswith(".pth")]
                if frame.f_globals.get("__name__") == "site" and seen and not who.endswith(".py"):
                    who = max([who, *seen], key=len)
                elif not who and code.co_filename.endswith(("sitecustomize.py", "usercustomize.py")):
                    who = code.co_filename
                frame = frame.f_back
            found[name] = who
        return None
for name in {names!r}:
    if name in sys.modules:
        found[name] = ""
sys.meta_path.insert(0, Finder)
import site
site.main()
sys.meta_path.remove(Finder)
print(json.dumps({{name: who for name, who in found.items() if name in sys.modules}}))
"""


def models() -> Iterator[Fact]:
    """Each model, tried; they start at once, since most of their time is the interpreter's."""
    try:
        chosen = Config.from_environment().model
    except WeftError:
        chosen = "user"
    running = [(model, _start(model)) for model in MODELS]
    for model, child in running:
        works, why = _outcome(child)
        if works:
            text = "works, and is the one that is chosen" if model == chosen else "works"
            yield Fact("models", model, OK, text, "", True)
        elif model == chosen:
            advice = "choose another one: --model, or WEFT_MODEL"
            yield Fact("models", model, PROBLEM, f"does not work: {why}", advice, False)
        else:
            yield Fact("models", model, NOTE, f"does not work: {why}", "", False)


def _start(model: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "weft", "run", "--model", model, "-c", TRIAL],
        env=environment_without_settings(environment_with_weft()),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )


def _outcome(child: "subprocess.Popen[str]") -> tuple[bool, str]:
    """Whether it said that a thread ran, and if not what it said instead."""
    try:
        out, errors = child.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        return False, f"it hangs (for {PATIENCE:g} s)"
    if child.returncode == 0 and out == "a thread ran\n":
        return True, ""
    lines = [line for line in errors.splitlines() if line.strip()]
    if not lines:
        return False, f"it ended with status {child.returncode}"
    return False, lines[-1].removeprefix("weft: ").partition(". ")[0]  # what to do is said elsewhere


def early() -> Iterator[Fact]:
    """What is imported before any program: `weft.install()` refuses after it."""
    code = WATCH.format(names=tuple(TOO_LATE))
    command = [sys.executable, "-S", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    try:
        found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        last = (done.stderr.splitlines() or ["it said nothing"])[-1]
        yield Fact("start", "imported before weft", NOTE, f"could not be looked at: {last}")
        return
    if not found:
        text = "nothing that weft replaces"
        yield Fact("start", "imported before weft", OK, text, "", {})
        return
    told = ", ".join(f"{name} by {who}" if who else name for name, who in found.items())
    advice = (
        "weft can no longer replace it: take the line out of that file, or use `python -I` or an"
        " environment of its own"
    )
    yield Fact("start", "imported before weft", PROBLEM, told, advice, found)
