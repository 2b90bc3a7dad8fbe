"""`--json FILE` of the benchmarks: what each of them measured, all rounds, as it came.

It leads to nothing that has `threading`: in the process of a peer weft or gevent have to come first.
"""

import json
from typing import Any

__all__ = ["add_option", "keep"]


def add_option(parser: Any) -> None:
    """Give a parser of arguments the option."""
    parser.add_argument("--json", metavar="FILE", help="write all rounds there")


def keep(path: str | None, figures: Any) -> None:
    """Write figures to a file, if one was named."""
    if path:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(figures, file)
