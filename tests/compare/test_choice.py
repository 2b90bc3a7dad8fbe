"""What can be compared."""

import ast
from pathlib import Path

import pytest

from weft.compare.choice import ALL, CONTESTS, contest_file, contests, parse_models
from weft.config import MODELS, PLAIN
from weft.errors import WeftError

LONGEST = 40  # lines of a contest


def test_the_models_are_those_of_config_and_plain_python() -> None:
    assert (PLAIN, *MODELS) == ALL
    assert set(parse_models(None)) <= set(ALL)


def test_models_are_taken_in_the_order_in_which_they_are_named() -> None:
    assert parse_models("user, plain") == ("user", "plain")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("users", "there is no model 'users'; choose from: plain, kernel, user"),
        ("", "there is no model ''; choose from: plain, "),
        ("user,", "there is no model ''"),
        ("user,plain,user", "the model 'user' is named twice"),
    ],
)
def test_bad_models_are_refused(text: str, words: str) -> None:
    with pytest.raises(WeftError) as caught:
        parse_models(text)
    assert str(caught.value).startswith(words)


def test_contests_are_short_programs_that_say_what_they_are() -> None:
    found = contests()
    assert len(found) == len(list(CONTESTS.glob("*.py")))
    for name, what in found.items():
        assert 20 < len(what) < 100
        text = Path(contest_file(name)).read_text(encoding="utf-8")
        assert text.count("\n") <= LONGEST
        imported = [
            node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        assert "weft" not in ast.unparse(imported)
    assert {"starting-threads", "starting-processes", "cpu-bound", "io-bound", "locks", "sleepers"} <= set(
        found
    )


def test_a_contest_that_there_is_not_is_refused() -> None:
    with pytest.raises(WeftError, match="there is no contest 'chess'; choose one of: cpu-bound, "):
        contest_file("chess")
    with pytest.raises(WeftError, match="there is no contest"):
        contest_file("../compare/choice")
