"""Searches by several processes: the same comes of them as of one, whatever becomes of the processes."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.check.programs import SECONDS, asked

LONG = 100  # seconds: no search of these comes to an end by time


def searches(*requests: dict[str, Any]) -> list[dict[str, Any]]:
    """What comes of searches (tests/check/searches.py)."""
    said = "".join(json.dumps(request) + "\n" for request in requests)
    return [json.loads(line) for line in asked("searches", input=said, seconds=2 * SECONDS).splitlines()]


def noted(path: Path) -> Counter[str]:
    """How often each schedule was run."""
    return Counter(path.read_text().splitlines()) if path.exists() else Counter()


@pytest.mark.parametrize("seeds", [range(5), pytest.param(range(12), marks=pytest.mark.slow)], ids=str)
@pytest.mark.parametrize("name", ["narrow", "ring", "tried", "timed", "twice"])
def test_what_is_found_does_not_depend_on_how_many_search(name: str, seeds: Sequence[int]) -> None:
    wanted = [
        {"name": name, "settings": {"seed": seed, "jobs": jobs, "schedules": 150, "time": LONG}}
        for seed in seeds
        for jobs in (1, 2, 3)
    ]
    found = searches(*wanted)
    for first in range(0, len(found), 3):
        alone, *together = found[first : first + 3]
        assert "error" not in alone
        assert together == [alone, alone]


def test_the_programs_of_that_are_such_that_it_could() -> None:
    """Most are found by units that are begun before what came of earlier ones is known."""
    settings = {"jobs": 1, "schedules": 150, "time": LONG}
    found = searches(*({"name": "narrow", "settings": {"seed": seed, **settings}} for seed in (3, 4)))
    assert [each["findings"][0]["kind"] for each in found] == ["assertion", "assertion"]
    assert all(each["executions"] > 100 for each in found)


@pytest.mark.parametrize(
    ("strategy", "name", "bound", "schedules"),
    [("dfs", "twice", 1, 146), ("delay", "unlocked", 2, 128), ("dpor", "unlocked", 2, 36)],
)
def test_no_schedule_is_run_twice(
    tmp_path: Path, strategy: str, name: str, bound: int, schedules: int
) -> None:
    settings = {"strategy": strategy, "bound": bound, "time": LONG}
    requests = [
        {"name": name, "settings": {**settings, "jobs": jobs}, "note": str(tmp_path / f"{jobs}")}
        for jobs in (1, 2, 3)
    ]
    searches(*requests)
    alone, *together = (noted(tmp_path / f"{jobs}") for jobs in (1, 2, 3))
    assert len(alone) == schedules
    assert set(alone.values()) == {1}
    assert together == [alone, alone]


def test_parts_of_dpor_are_as_many_schedules_as_the_whole(tmp_path: Path) -> None:
    """There are 576 classes of four reads and writes; units are so small that each is many parts."""
    settings = {"strategy": "dpor", "jobs": 2, "time": LONG}
    (said,) = searches({"name": "four", "settings": settings, "note": str(tmp_path / "choices")})
    assert said["complete"]
    assert sorted(noted(tmp_path / "choices").values()) == [1] * 576


@pytest.mark.parametrize("name", ["narrow", "ring"])
def test_nothing_is_lost_where_workers_are_killed(name: str) -> None:
    """Each process that does a unit is killed once, in the middle."""
    request = {"name": name, "settings": {"seed": 4, "jobs": 2, "schedules": 200, "time": LONG}}
    calm, killed, late = searches(request, {**request, "kill": 1}, {**request, "kill": 9})
    assert calm["findings"]
    assert killed == calm
    assert late == calm


def test_a_unit_whose_process_is_killed_is_done_whole(tmp_path: Path) -> None:
    settings = {"strategy": "dfs", "bound": 1, "jobs": 2, "time": LONG}
    request = {"name": "twice", "settings": settings}
    calm, killed = searches(
        {**request, "note": str(tmp_path / "calm")}, {**request, "note": str(tmp_path / "killed"), "kill": 5}
    )
    assert calm == killed
    assert set(noted(tmp_path / "calm")) == set(noted(tmp_path / "killed"))
    assert sum(noted(tmp_path / "killed").values()) > sum(noted(tmp_path / "calm").values())


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_search_goes_on_with_exactly_the_rest(tmp_path: Path, jobs: int) -> None:
    settings = {"strategy": "dfs", "bound": 1, "jobs": jobs, "time": LONG}
    whole = {"name": "twice", "settings": settings, "note": str(tmp_path / "whole")}
    kept = str(tmp_path / "kept.json")
    begun = {**whole, "note": str(tmp_path / "parts"), "stop": 20, "keep": kept}
    at_once, first, then = searches(whole, begun, {**whole, "note": str(tmp_path / "parts"), "resume": kept})
    assert first["rest"]
    assert 0 < first["executions"] < at_once["executions"]
    assert then == at_once
    assert noted(tmp_path / "parts") == noted(tmp_path / "whole")
    assert set(noted(tmp_path / "whole").values()) == {1}


def test_dpor_goes_on_with_the_rest(tmp_path: Path) -> None:
    settings = {"strategy": "dpor", "jobs": 2, "time": LONG}
    kept = str(tmp_path / "kept.json")
    request = {"name": "four", "settings": settings, "note": str(tmp_path / "parts")}
    first, second, last = searches(
        {**request, "stop": 100, "keep": kept},
        {**request, "stop": 300, "keep": kept, "resume": kept},
        {**request, "resume": kept},
    )
    assert (first["rest"], second["rest"], last["complete"]) == (True, True, True)
    assert sorted(noted(tmp_path / "parts").values()) == [1] * 576


def test_what_was_cut_off_is_found_when_the_search_goes_on(tmp_path: Path) -> None:
    kept = str(tmp_path / "kept.json")
    request = {"name": "narrow", "settings": {"seed": 4, "jobs": 2, "time": LONG}}
    whole, first, then = searches(request, {**request, "stop": 40, "keep": kept}, {**request, "resume": kept})
    assert (whole["findings"] != [], first["findings"], first["rest"]) == (True, [], True)
    assert (then["findings"], then["choices"]) == (whole["findings"], whole["choices"])
