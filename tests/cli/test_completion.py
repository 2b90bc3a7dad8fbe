"""The scripts of `weft completion`, run by the shells that read them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from weft.cli.commands import COMMANDS, SHELLS
from weft.cli.completion import script

ASK = """\
source {script}
COMP_WORDS=({words}) COMP_CWORD={at}
_weft
printf '%s\\n' "${{COMPREPLY[@]}}"
"""

CASES = {
    "commands": ("weft ch", {"check"}),
    "options": ("weft run --s", {"--slice", "--stall-limit", "--start-method"}),
    "models": ("weft run --model ", {"kernel", "user", "hybrid", "process"}),
    "programs": ("weft run ", {"prog.py", "folder"}),
    "after a value": ("weft check --time 3 --str", {"--strategy", "--strict"}),
    "files of an option": ("weft replay --html n", {"notes.txt"}),
    "shells": ("weft completion ", set(SHELLS)),
    "a program's own words": ("weft run prog.py n", {"notes.txt"}),
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "prog.py").touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / "folder").mkdir()
    return tmp_path


def asked(command: list[str], place: Path) -> set[str]:
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=30, check=True)
    assert done.stderr == ""
    return {line.partition("\t")[0].rstrip("/") for line in done.stdout.splitlines() if line}


@pytest.mark.parametrize("case", CASES)
def test_bash_completes(case: str, place: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    typed, expected = CASES[case]
    file = tmp_path_factory.mktemp("script") / "weft.bash"
    file.write_text(script("bash"))
    words = typed.split(" ")
    code = ASK.format(script=file, words=" ".join(f"'{word}'" for word in words), at=len(words) - 1)
    assert asked(["bash", "-c", code], place) == expected


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
@pytest.mark.parametrize("case", [case for case in CASES if case != "programs"])
def test_fish_completes(case: str, place: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    typed, expected = CASES[case]
    file = tmp_path_factory.mktemp("script") / "weft.fish"
    file.write_text(script("fish"))
    found = asked(["fish", "--no-config", "-c", f"source {file}; complete -C '{typed}'"], place)
    assert found == expected


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_zsh_takes_the_script(tmp_path: Path) -> None:
    file = tmp_path / "_weft"
    file.write_text(script("zsh"))
    code = f"autoload -Uz compinit; compinit -D -u; source {file}; print $_comps[weft]"
    assert asked(["zsh", "-f", "-c", code], tmp_path) == {"_weft"}


@pytest.mark.parametrize("shell", SHELLS)
def test_every_option_of_every_command_is_in_the_script(shell: str) -> None:
    text = script(shell)
    for name, command in COMMANDS.items():
        assert name in text
        for option in command.options:
            for each in option.names:
                written = f"-l {each[2:]} " if shell == "fish" and each.startswith("--") else each
                written = f"-s {each[1:]} " if shell == "fish" and not each.startswith("--") else written
                assert written in text, (name, each)
