"""`./dev bench`: the page says what the file of a run says, and what is not in it; nothing is timed here."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.programs import run_child
from tests.support.source import ROOT

BENCHMARKS = ROOT / "benchmarks"
RUN = str(BENCHMARKS / "page" / "run.py")
SMALL = Path(__file__).parent / "benchmarks.json"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def page() -> Iterator[SimpleNamespace]:
    """The modules of benchmarks/page, which import each other by their bare names."""
    before, path = set(sys.modules), list(sys.path)
    sys.path[:0] = [str(BENCHMARKS / "page"), str(BENCHMARKS)]
    import digests
    import goals
    import kept
    import parts
    import run
    import sections
    import shapes

    yield SimpleNamespace(
        digests=digests, goals=goals, kept=kept, parts=parts, run=run, sections=sections, shapes=shapes
    )
    sys.path[:] = path
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None)
        if file and Path(file).is_relative_to(BENCHMARKS):
            del sys.modules[name]


@pytest.fixture(scope="module")
def small(page: SimpleNamespace) -> Callable[[], Json]:
    def read() -> Json:
        results: Json = page.kept.read(SMALL)
        return results

    return read


@pytest.fixture(scope="module")
def text(page: SimpleNamespace, small: Callable[[], Json]) -> str:
    made: str = page.sections.page(small(), "small.json")[0]
    return made


def section(text: str, title: str) -> str:
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def row(text: str, title: str, first: str) -> list[str]:
    """The cells after the first one."""
    found = [line for line in section(text, title).splitlines() if line.startswith(f"| {first} |")]
    assert found, section(text, title)
    return [cell.strip() for cell in found[0].strip("|").split("|")][1:]


# -- the page of the tree ------------------------------------------------------------------------------


def test_the_page_is_what_the_results_make(page: SimpleNamespace) -> None:
    """When this fails after a change of the page: `./dev bench --from benchmarks/results.json`."""
    made, plots = page.sections.page(page.kept.read(BENCHMARKS / "results.json"), "benchmarks/results.json")
    assert (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8") == made
    folder = ROOT / "docs" / page.sections.PICTURES
    drawn = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.svg")}
    assert {plot.name: page.digests.comment(plot) for plot in plots} == {
        name: picture.rstrip().rpartition("\n")[2] for name, picture in drawn.items()
    }
    assert all("prefers-color-scheme: dark" in picture for picture in drawn.values())


def test_the_page_of_the_tree_is_of_a_whole_run(page: SimpleNamespace) -> None:
    results = page.kept.read(BENCHMARKS / "results.json")
    assert results["made"]["form"] == "full"
    assert tuple(results["parts"]) == page.parts.NAMES


# -- what it says --------------------------------------------------------------------------------------


def test_a_figure_is_the_median_with_its_spread(text: str, page: SimpleNamespace) -> None:
    raw, _, weft, ratio, goal, verdict = row(text, "What an operation costs", "yield, 2 threads")
    assert raw == "0.220<br><small>0.210 to 0.230</small>"  # quartiles of five
    assert weft == "0.440<br><small>0.400 to 0.500</small>"
    assert (ratio, goal) == ("2.00 x raw", "2; 0.27")
    assert verdict == "met; n/a"
    assert page.shapes.spread([1.0, 5.0, 2.0, 9.0]) == (1.0, 3.5, 9.0)  # least and most of four
    assert page.shapes.cell([3.0]) == "3.00"
    assert page.shapes.cell(None) == "-"


def test_goals_are_judged(text: str, page: SimpleNamespace) -> None:
    goals = "Figures that have goals of their own"
    assert row(text, goals, "10,000 sleepers late by, median") == [
        "0.090<br><small>0.050 to 0.100</small> ms", "0.1 ms", "met",
    ]  # fmt: skip
    assert row(text, goals, "a parked thread of 100,000")[2] == "met"
    assert row(text, goals, "1,000,000 parked threads in all") == ["not in this run", "8 GB", "n/a"]
    assert row(text, goals, "`weft run` of an empty script adds")[0].startswith("32.0<br>")
    assert row(text, "Servers: echo", "epoll")[-3:] == ["1.30 x", "1.3", "met"]
    assert "begins at 3.0 times the median (goal 2: **short, 1.50**)" in section(text, "Servers: echo")
    assert row(text, "Recording", "an echo, 100 connections")[-2:] == ["1.1", "**short, 1.36**"]
    assert row(text, "Several carriers", "rounds of work a second")[-2:] == ["at least 0.9", "short, 1.06"]
    assert page.goals.judge_least(45.0, 30) == "met"
    assert page.goals.judge_least(20.0, 30) == "**short, 1.50**"


def test_ratios_of_what_is_asked_in_turn_are_of_the_rounds(text: str) -> None:
    cells = row(text, "Pools", "submit and result, 10,000 at once")
    assert cells[2:5] == ["0.150<br><small>0.100 to 0.200</small>", "0.05", "**short, 3.00**"]
    assert row(text, "Recording", "a switch, 2 threads that give way")[2:] == [
        "1.50<br><small>1.40 to 1.60</small>", "1.5", "met",
    ]  # fmt: skip


def test_a_checkers_figures_stand_beside_the_others(text: str) -> None:
    assert row(text, "Checking, beside frontrun", "pykka")[-3:] == ["40 x", "at least 30", "met"]
    by_the_clock = section(text, "Checking, beside frontrun").partition("by the clock")[2]
    assert "| pykka | 3,800 | 4.00 | 40.0 | 50.0 | 76 x | at least 30 | met |" in by_the_clock
    assert row(text, "Checking, beside frontrun", "counter")[2:] == ["-", "-", "-", "at least 100", "n/a"]
    assert row(text, "How soon a bug is found", "reorder_3") == ["6 / 7", "20 (1 of 2) / -", "-"]


def test_the_machine_and_the_versions_are_told(text: str) -> None:
    run = section(text, "The run")
    assert "| run | 2026-01-02 03:04 UTC, full form, 2 minutes |" in run
    assert "| machine | 2 processors (a processor), 8 GB |" in run
    assert "| load | 0.5 to 1.5, this run's own included |" in run
    assert "| versions | CPython 3.13.0, weft 0.1.0, greenlet 3.5.6 |" in run
    assert "| not installed | gevent, wrk, frontrun |" in run


def test_what_is_not_there_is_told_and_spoils_nothing(text: str) -> None:
    def without(title: str) -> list[str]:
        return section(text, title).partition("Without figures:\n\n")[2].strip().splitlines()

    assert without("What an operation costs") == ["* gevent: ModuleNotFoundError: No module named 'gevent'"]
    assert without("Starting a program, and being preempted") == [
        "* preempted: AssertionError: preempted too late"
    ]
    assert without("Very many threads") == ["* gevent-patched, 100,000: not done in 240 s"]
    assert without("Servers: http.server") == ["* net.py: --http needs `wrk` (Debian: apt-get install wrk)"]
    assert without("Servers: echo") == [
        "* uvloop-protocol, 100: uvloop-protocol did not start",
        "* kernel threads, 100: no request was answered in a round",
    ]
    assert without("Servers: TLS") == ["* gevent-patched: the server of gevent-patched did not start"]
    assert without("Checking") == ["* not in this run"]
    assert without("Checking, beside frontrun") == [
        "* frontrun: frontrun 0.7.0 could not be installed: no network"
    ]


def test_every_picture_is_shown_and_has_figures(page: SimpleNamespace, small: Callable[[], Json]) -> None:
    made, plots = page.sections.page(small(), "small.json")
    names = [plot.name for plot in plots]
    assert "micro" in names
    assert not {"http", "checking"} & set(names)
    assert [name for name in names if f"]({page.sections.PICTURES}/{name}.svg)" not in made] == []
    assert made.count(".svg)") == len(names)


def test_a_run_of_nothing_makes_a_page(page: SimpleNamespace, small: Callable[[], Json]) -> None:
    made, plots = page.sections.page({**small(), "parts": {}}, "small.json")
    assert made.count("* not in this run") == len(page.parts.NAMES)
    assert plots == []


def test_another_figure_is_another_picture(page: SimpleNamespace, small: Callable[[], Json]) -> None:
    results = small()
    first = page.sections.page(results, "")[1][0]
    results["parts"]["micro"]["figures"]["all"]["yield2"]["weft"][0]["cpu"] *= 2
    other = page.sections.page(results, "")[1][0]
    assert page.digests.comment(first) != page.digests.comment(other)


def test_pictures_are_read_in_light_and_dark(page: SimpleNamespace, small: Callable[[], Json]) -> None:
    pytest.importorskip("matplotlib", reason="the extra bench is not installed")
    import plots

    plot = page.sections.page(small(), "")[1][0]
    picture = plots.draw(plot)
    assert picture == plots.draw(plot)
    assert picture.rstrip().endswith(page.digests.comment(plot))
    assert ">yield, 2 threads</text>" in picture
    assert "prefers-color-scheme: dark" in picture
    inked = picture.partition("</style>")[2]
    assert inked.count(plots.INK) == inked.count(f"var(--c0, {plots.INK})") > 0


# -- files that are none -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"format": 1,', "not JSON, line 1, column 14: "),
        ("[]", "not results of the format 1, which this reads"),
        ('{"format": 7}', "not results of the format 1, which this reads"),
        ('{"format": 1, "made": {}, "machine": {}, "versions": {}}', "it has no 'parts'"),
        (b"\xff\xfe", "not text, from byte 0 on"),
        (None, "No such file or directory"),
    ],
)
def test_a_damaged_file_is_told(tmp_path: Path, content: str | bytes | None, said: str) -> None:
    file = tmp_path / "results.json"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = run_child([sys.executable, RUN, "--from", str(file), "--page", str(tmp_path / "page.md")])
    assert done.returncode == 1
    assert done.stderr.startswith(f"bench: {file}: {said}")
    assert done.stderr.endswith("; make it again: ./dev bench\n")
    assert not (tmp_path / "page.md").exists()


def test_a_part_in_another_shape_is_told(page: SimpleNamespace, small: Callable[[], Json]) -> None:
    results = small()
    del results["parts"]["pools"]["figures"]["all"][0]["weft"]["many"]
    with pytest.raises(
        page.kept.BadResultsError, match=r"^r.json: damaged: in the part 'pools', there is no"
    ):
        page.sections.page(results, "r.json")
    results = small()
    del results["machine"]["kernel"]
    with pytest.raises(page.kept.BadResultsError, match=r"^r.json: damaged: there is no 'kernel'; make it"):
        page.sections.page(results, "r.json")


def test_results_are_kept_as_they_are(
    tmp_path: Path, page: SimpleNamespace, small: Callable[[], Json]
) -> None:
    results = small()
    page.kept.write(tmp_path / "new" / "results.json", results)
    assert page.kept.read(tmp_path / "new" / "results.json") == results
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["results.json"]
    assert page.shapes.short(99.96) == "100"


def test_the_page_alone_is_made_from_a_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "small.json"
    shutil.copy(SMALL, file)
    out = tmp_path / "out" / "page.md"
    done = run_child([sys.executable, RUN, "--from", str(file), "--page", str(out)]).check()
    assert done.stdout.startswith(f"bench: the page in {out}")
    assert out.read_text(encoding="utf-8") == text


# -- a run ---------------------------------------------------------------------------------------------


def test_what_a_program_leaves_is_taken(page: SimpleNamespace, capfd: pytest.CaptureFixture[str]) -> None:
    def figures(code: str, seconds: float = 30) -> Any:
        return page.run.figures_of(page.parts.Command("all", ("-c", code), seconds))

    leave = "import sys; open(sys.argv[2], 'w').write('[1.5]')"
    assert figures(leave) == ([1.5], None)
    assert figures(f"{leave}; print('a word', file=sys.stderr)") == ([1.5], None)
    assert capfd.readouterr().err == "a word\n"
    assert figures("raise RuntimeError('no luck')") == (None, "RuntimeError: no luck")
    assert figures("import sys; sys.exit(3)") == (None, "status 3")
    assert figures("pass")[1].startswith("it left no figures: ")


def test_what_takes_too_long_is_ended_with_all_it_started(page: SimpleNamespace, tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    code = f"""
import fcntl, os, time
file = open({str(lock)!r}, "w")
os.fork()
fcntl.flock(file, fcntl.LOCK_EX)
time.sleep(600)
"""
    done = page.run.figures_of(page.parts.Command("all", ("-c", code), 0.5))
    assert done == (None, "not done in 0.5 s")
    import fcntl

    with open(lock, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # waits for ever if one of the two lives


def test_a_part_that_fails_leaves_the_others(
    page: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    good = page.parts.Command("one", ("-c", "import sys; open(sys.argv[2], 'w').write('{}')"), 30)
    bad = page.parts.Command("two", ("-c", "1 / 0"), 30)
    monkeypatch.setattr(page.run, "parts", lambda *_: {"micro": (good, bad), "tls": (bad,), "get": (good,)})
    monkeypatch.setattr(page.run.frontrun, "options", lambda: pytest.fail("not asked for"))
    file, out = tmp_path / "r.json", tmp_path / "p.md"
    assert page.run.main(["--only", "micro,tls", "--json", str(file), "--page", str(out)]) == 0
    found = json.loads(file.read_text())["parts"]
    assert list(found) == ["micro", "tls"]
    assert (found["micro"]["figures"], found["micro"]["errors"]) == (
        {"one": {}},
        {"two": "ZeroDivisionError: division by zero"},
    )
    assert sorted(path.name for path in tmp_path.glob("*.*")) == ["p.md", "r.json"]
    assert "* two: ZeroDivisionError: division by zero" in out.read_text(encoding="utf-8")


def test_what_was_measured_before_a_run_was_stopped_is_kept(
    page: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def part(name: str, _: Any) -> Json:
        if name == "tls":
            raise KeyboardInterrupt
        return {"load": [1.0, 2.0], "figures": {}, "errors": {}, "seconds": 3.0}

    monkeypatch.setattr(page.run, "part", part)
    file, out = tmp_path / "r.json", tmp_path / "p.md"
    with pytest.raises(KeyboardInterrupt):
        page.run.main(["--only", "micro,tls", "--json", str(file), "--page", str(out)])
    assert not file.exists()
    assert page.run.main(["--from", f"{file}.unfinished", "--page", str(out)]) == 0
    assert out.read_text(encoding="utf-8").count("* not in this run") == len(page.parts.NAMES) - 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "micro,nothing"], "no part nothing; there are micro, start, scale"),
        (["--rounds", "0"], "--rounds: at least one"),
        (["--from", "x.json", "--quick"], "--from measures nothing"),
    ],
)
def test_what_cannot_be_asked_is_told(
    page: SimpleNamespace, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        page.run.arguments(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_only_a_whole_run_replaces_the_page_of_the_project(page: SimpleNamespace) -> None:
    whole = page.run.arguments([])
    assert (whole.json, whole.page) == (BENCHMARKS / "results.json", ROOT / "docs" / "benchmarks.md")
    for arguments in (["--quick"], ["--only", "net"]):
        asked = page.run.arguments(arguments)
        assert asked.json.parent == asked.page.parent == ROOT / "build" / "benchmarks"
    assert page.run.arguments(["--from", "x.json"]).page == ROOT / "docs" / "benchmarks.md"


def test_every_part_is_a_program_with_its_options(page: SimpleNamespace) -> None:
    """In both forms; what a program does not know would be told an hour later."""
    wanted: dict[str, set[str]] = {}
    for quick in (True, False):
        made = page.parts.parts(quick, None, ("--frontrun", "python", "--path", "there"))
        assert tuple(made) == page.parts.NAMES == tuple(page.sections.MADE)
        for command in (each for commands in made.values() for each in commands):
            options = {word for word in command.arguments if word.startswith("--")}
            wanted.setdefault(command.arguments[0], {"--json"}).update(options)
    for program, options in wanted.items():
        source = (BENCHMARKS / program).read_text(encoding="utf-8")
        known = {option for option in options if f'"{option}"' in source}
        if "add_option(" in source:
            known.add("--json")
        assert options == known, program


def test_rounds_replace_the_parts_own(page: SimpleNamespace) -> None:
    commands = page.parts.parts(False, 4)["tls"]
    assert commands[0].arguments[:3] == ("tls.py", "--rounds", "4")


def test_a_peer_that_is_not_there_is_told_for_each_bench(tmp_path: Path) -> None:
    peer = tmp_path / "peer.py"
    peer.write_text("class Gone:\n    def setup(self):\n        import no_such_peer\n")
    worker = str(BENCHMARKS / "worker.py")
    done = run_child([sys.executable, worker, f"{peer}:Gone", "0.1"], input="yield2\nlock_free\n").check()
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert answers == [{"error": "ModuleNotFoundError: No module named 'no_such_peer'"}] * 2
