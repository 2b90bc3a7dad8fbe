"""`weft completion`: the scripts with which shells complete commands, options and their values.

All three are made of the table in `commands`. None of them asks weft while one types: that would take a tenth
of a second for each key.
"""

import os
import sys

from weft.cli.commands import COMMANDS, FILE, PYTHON, SHELLS, Command, Option
from weft.cli.output import meant, no_option, refuse, say
from weft.config import default_shell

__all__ = ["completion_command", "script"]

HELP = """\
usage: weft completion SHELL

Prints the script with which bash, zsh or fish completes weft's commands, options and their values.

  bash  weft completion bash > ~/.local/share/bash-completion/completions/weft
  zsh   weft completion zsh > ~/.zfunc/_weft      (with ~/.zfunc in fpath, before compinit)
  fish  weft completion fish > ~/.config/fish/completions/weft.fish

It holds from the next shell on. For this one: eval "$(weft completion bash)".
Exit status: 0, or 2 for a bad call.
"""
TOP = (Option(("-h", "--help"), "say what it does"), Option(("-V", "--version"), "say which version it is"))


def completion_command(args: list[str]) -> None:
    """Print the script of one shell."""
    if args[:1] in (["-h"], ["--help"]):
        say(HELP)
        return
    if not args:
        named = os.path.basename(default_shell())
        refuse("completion", f"for which shell: {', '.join(SHELLS)}?{_example(named)}")
    if args[0].startswith("-"):
        refuse("completion", no_option("completion", args[0]))
    if args[0] not in SHELLS:
        near = meant(args[0], SHELLS)
        refuse("completion", f"it knows {', '.join(SHELLS)}, and not {args[0]!r}{near}")
    if args[1:]:
        refuse("completion", f"it takes one shell, and nothing after it, not {args[1]!r}")
    say(script(args[0]))
    if sys.stdout.isatty():
        print(f"# `weft completion --help` says where to put it for {args[0]}", file=sys.stderr)


def script(shell: str) -> str:
    """The completions of weft as a script for a shell of SHELLS."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell]()


def _example(shell: str) -> str:
    return f" Yours is {shell}: weft completion {shell}" if shell in SHELLS else ""


def _names(options: tuple[Option, ...]) -> list[str]:
    return [name for option in options for name in option.names]


# -- bash -------------------------------------------------------------------------------------------------

BASH = """\
# Completions of weft for bash; made by `weft completion bash`.
_weft() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command=${{COMP_WORDS[1]}}
    local at options= valued= words=
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        COMPREPLY=($(compgen -W "{commands}" -- "$word"))
        return
    fi
    case $command in
{cases}
        *) return ;;
    esac
    case $command$before in
{values}
    esac
    for ((at = 2; at < COMP_CWORD; at++)); do  # behind the program, words are its own
        [[ " $valued " == *" ${{COMP_WORDS[at]}} "* ]] && ((at++)) && continue
        if [[ ${{COMP_WORDS[at]}} != -* ]]; then
            COMPREPLY=($(compgen -f -- "$word"))
            return
        fi
    done
    if [[ " $valued " == *" $before "* ]]; then
        return
    elif [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$word"))
    elif [[ $words == '{python}' ]]; then
        COMPREPLY=($(compgen -f -X '!*.py' -- "$word") $(compgen -d -- "$word"))
    elif [[ $words == '{file}' ]]; then
        COMPREPLY=($(compgen -f -- "$word"))
    else
        COMPREPLY=($(compgen -W "$words" -- "$word"))
    fi
}}
complete -o filenames -F _weft weft
"""


def _bash() -> str:
    cases, values = [], []
    for name, command in COMMANDS.items():
        valued = [each for option in command.options if option.takes_value for each in option.names]
        cases.append(
            f"        {name}) options='{' '.join(_names(command.options))}'"
            f" valued='{' '.join(valued)}' words='{' '.join(command.words)}' ;;"
        )
        for option in command.options:
            if not (option.choices and option.takes_value):
                continue
            found = "-f" if option.choices == (FILE,) else f'-W "{" ".join(option.choices)}"'
            pattern = "|".join(f"{name}{each}" for each in option.names)
            values.append(f'        {pattern}) COMPREPLY=($(compgen {found} -- "$word")); return ;;')
    commands = " ".join([*COMMANDS, *_names(TOP)])
    return BASH.format(
        commands=commands, cases="\n".join(cases), values="\n".join(values), python=PYTHON, file=FILE
    )


# -- zsh --------------------------------------------------------------------------------------------------

ZSH = """\
#compdef weft
# Completions of weft for zsh; made by `weft completion zsh`.
_weft() {{
    local curcontext=$curcontext state line
    local -a commands
    typeset -A opt_args
    commands=(
{commands}
    )
    _arguments -C {top} '1:command:->command' '*::argument:->argument'
    case $state in
        command) _describe -t commands 'weft command' commands ;;
        argument)
            case $words[1] in
{cases}
            esac ;;
    esac
}}
if [[ $funcstack[1] == _weft ]]; then
    _weft "$@"
else
    compdef _weft weft
fi
"""


def _zsh() -> str:
    commands = [f"        {_quoted(f'{name}:{command.about}')}" for name, command in COMMANDS.items()]
    cases = []
    for name, command in COMMANDS.items():
        specs = [spec for option in command.options for spec in _zsh_option(option)]
        lines = " \\\n                    ".join([*specs, *_zsh_words(command)])
        cases.append(f"                {name}) _arguments -S -A '-*' \\\n                    {lines} ;;")
    top = " ".join(spec for option in TOP for spec in _zsh_option(option))
    return ZSH.format(commands="\n".join(commands), cases="\n".join(cases), top=top)


def _zsh_option(option: Option) -> list[str]:
    about = option.about.replace("[", "(").replace("]", ")").replace(":", r"\:")
    if option.choices == (FILE,):
        action = "_files"
    else:
        action = f"({' '.join(option.choices)})" if option.choices else " "
    made = []
    for name in option.names:
        if not option.value:
            made.append(_quoted(f"{name}[{about}]"))
        elif option.takes_value:
            end = "=" if name.startswith("--") else ""
            made.append(_quoted(f"{name}{end}[{about}]:{option.value}:{action}"))
        else:
            made.append(_quoted(f"{name}=-[{about}]::value:{action}"))
    return made


def _zsh_words(command: Command) -> list[str]:
    if not command.words:
        return []
    first = {PYTHON: '_files -g "*.py(-.)"', FILE: "_files"}.get(
        command.words[0], f"({' '.join(command.words)})"
    )
    rest = ["'*::argument:_files'"] if command.words[0] in (PYTHON, FILE) else []
    return [_quoted(f"1:what:{first}"), *rest]


# -- fish -------------------------------------------------------------------------------------------------


def _fish() -> str:
    lines = ["# Completions of weft for fish; made by `weft completion fish`.", "complete -c weft -f"]
    first = "-n __fish_use_subcommand"
    lines += [f"complete -c weft {first} {_fish_names(option)}" for option in TOP]
    for name, command in COMMANDS.items():
        lines.append(f"complete -c weft {first} -a {name} -d {_quoted(command.about)}")
        inside = f"-n '__fish_seen_subcommand_from {name}'"
        for option in command.options:
            lines.append(f"complete -c weft {inside} {_fish_names(option)}{_fish_value(option)}")
        if command.words and command.words[0] in (PYTHON, FILE):
            lines.append(f"complete -c weft {inside} -F")
        elif command.words:
            lines.append(f"complete -c weft {inside} -a '{' '.join(command.words)}'")
    return "\n".join(lines) + "\n"


def _fish_names(option: Option) -> str:
    words = [f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names]
    return " ".join([*words, "-d", _quoted(option.about)])


def _fish_value(option: Option) -> str:
    if option.choices == (FILE,):
        return " -r -F"
    given = f" -a '{' '.join(option.choices)}'" if option.choices else ""
    return f" -x{given}" if option.takes_value else given


def _quoted(text: str) -> str:
    """As one word of a shell, which no text of ours ends early."""
    return "'" + text.replace("'", "'\\''") + "'"
