"""Rewritten programs do what they did, in the same order."""

import ast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.instrument.programs import STATEMENTS, bodies, program
from tests.instrument.told import listening
from weft.instrument import hook, points
from weft.instrument.statements import Rewriter


def outcome(code: object) -> object:
    names: dict[str, object] = {"__name__": "program"}
    exec(code, names)  # type: ignore[arg-type] # code
    return names["result"]


def compiled(source: str) -> object | None:
    try:
        return compile(source, "program.py", "exec")
    except SyntaxError:  # what was made by chance need not be a program
        return None


@given(body=bodies, active=st.booleans())
@example(body=["d['a'] += t(1)", "t(o).a = 1", "t(o).a += t(2)", "del t(o).a"], active=True)
@example(body=["o[t('a')], x = t(1), 2", "o[t('a')] += x", "l[-1] += 1"], active=True)
@example(body=["x, g = g, (x := 5)", "g += x", "c = y = x"], active=True)
@example(body=["for g in [1, 2]:", "    for x in l: y += x"], active=True)
@example(body=["if o and not d or t(0): x = 1", "y = 1 if o else 2"], active=True)
@example(body=["l.get(1, t(2))"], active=True)
@settings(max_examples=250, deadline=None)
def test_a_program_made_by_chance_does_the_same(body: list[str], active: bool) -> None:
    does_the_same(body, active)


@pytest.mark.slow
@given(body=bodies, active=st.booleans())
@settings(max_examples=1_000, deadline=None)
def test_a_thousand_programs_made_by_chance_do_the_same(body: list[str], active: bool) -> None:
    does_the_same(body, active)


def does_the_same(body: list[str], active: bool) -> None:
    source = program(body)
    plain = compiled(source)
    if plain is None:
        return
    rewritten = hook.compile_source(source, "program.py")
    expected = outcome(plain)
    if active:
        with listening(lambda access, obj, key, site: None):
            assert outcome(rewritten) == expected
    else:
        assert outcome(rewritten) == expected


@given(body=bodies)
@settings(max_examples=60, deadline=None)
def test_a_listener_that_comes_and_goes_changes_nothing(body: list[str]) -> None:
    source = program(body)
    plain = compiled(source)
    if plain is None:
        return
    rewritten = hook.compile_source(source, "program.py")
    expected = outcome(plain)

    def off(access: int, obj: object, key: object, site: int) -> None:
        points.set_listener(None)

    with listening(off):
        assert outcome(rewritten) == expected


@given(body=bodies)
@settings(max_examples=60, deadline=None)
def test_every_place_told_is_in_the_source(body: list[str]) -> None:
    source = program(body)
    if compiled(source) is None:
        return
    lines = source.splitlines()
    first = len(points.sites)
    hook.compile_source(source, "program.py")
    for site in points.sites[first:]:
        assert lines[site.line - 1][site.column :].startswith(site.text.splitlines()[0][:5])


@pytest.mark.parametrize("source", STATEMENTS.split("\n\n"))
def test_every_kind_of_statement_compiles(source: str) -> None:
    """Both as a main script and as a module; the tree that was parsed is as it was."""
    tree = ast.parse(source)
    before = ast.dump(tree, include_attributes=True)
    for main in (True, False):
        compile(Rewriter(tree, "x.py", source, main).rewritten(), "x.py", "exec")
    assert ast.dump(tree, include_attributes=True) == before
