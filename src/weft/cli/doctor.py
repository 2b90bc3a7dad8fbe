"""`weft doctor`: does weft work here?"""

import json
import sys

from weft.cli.output import no_option, refuse, say
from weft.config import wants_colours
from weft.doctor.diagnosis import as_json, look, render, works

__all__ = ["doctor_command"]

HELP = """\
usage: weft doctor [options]

Looks at the interpreter, tries each model, and tells what weft lacks or will run into here: what is imported
too early, settings that are malformed, limits of descriptors and kernel threads, extras.

  --json  print JSON

Nothing is changed.
Exit status: 0 weft works here, 1 something is a problem, 2 for a bad call.
"""


def doctor_command(args: list[str]) -> None:
    """Look, tell, and exit with what it means."""
    for word in args:
        if word in ("-h", "--help"):
            say(HELP)
            return
        if word != "--json":
            takes = "it takes no program; `weft run` starts one"
            refuse("doctor", no_option("doctor", word) if word.startswith("-") else takes)
    facts = look()
    if "--json" in args:
        say(json.dumps(as_json(facts), indent=2) + "\n")
    else:
        terminal = sys.stdout is not None and sys.stdout.isatty()
        say(render(facts, terminal and wants_colours()))
    sys.exit(0 if works(facts) else 1)
