"""The process in which `weft.check(function)` is answered: a request comes in, JSON goes out."""

import json
import os
import sys
from typing import Any, NoReturn

from weft.check import tell
from weft.check.settings import Settings
from weft.check.start import begin
from weft.errors import WeftError
from weft.host.children import mute

__all__ = ["main"]


def main() -> NoReturn:
    """Answer one request and end."""
    session = begin()
    request = json.loads(sys.stdin.buffer.read())
    sys.path[:] = ["", *request["path"]]
    out, _ = mute()
    answer: dict[str, Any]
    try:
        settings = Settings(**request["settings"])
        program = session.named(request["kind"], request["what"], [], request["choice"])
        report, path = session.check(program, settings)
        answer = {"report": json.loads(tell.as_json(report, path)), "text": tell.verdict(report, path)}
    except WeftError as error:
        answer = {"error": str(error)}
    data = json.dumps(answer).encode()
    while data:
        data = data[os.write(out, data) :]
    os._exit(0)
