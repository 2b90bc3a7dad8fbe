"""The closing sentence claims no more than the runs show."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.compare.made import comparison, outcome, run
from weft.compare.outcome import Counts, Outcome, Spread
from weft.compare.verdict import apart, verdict

NOISY = (1.0, 1.1, 1.2, 1.3, 1.4)


def test_the_quickest_suits_if_it_is_clearly_so() -> None:
    slow, quick = outcome("plain", (2.0, 2.1, 2.2, 2.3, 2.4)), outcome("user")
    assert verdict(comparison(slow, quick)) == (
        "user",
        "user suits this program: it takes 1.02 s, plain 2.20 s (2.2 times as much).",
    )


def test_within_the_noise_nobody_is_preferred() -> None:
    model, words = verdict(comparison(outcome("plain", NOISY), outcome("user", [w + 0.05 for w in NOISY])))
    assert model is None
    assert words == "No model stands out: in time and in memory the differences are within the noise."


def test_those_that_are_alike_are_named_together() -> None:
    worse = outcome("kernel", (5.0, 5.1, 5.2, 5.3, 5.4))
    model, words = verdict(comparison(outcome("plain", NOISY), worse, outcome("user", NOISY)))
    assert model is None
    assert words == (
        "plain and user suit this program alike: the differences between them are within the noise."
    )


def test_where_time_does_not_decide_cpu_time_does_and_then_memory() -> None:
    busy, idle = outcome("plain", NOISY, cpu=2.0), outcome("user", NOISY, cpu=1.0)
    assert verdict(comparison(busy, idle))[1] == (
        "user suits this program, though all models take the same time within the noise: "
        "it takes 1.00 s of CPU time, plain 2.00 s (2.0 times as much)."
    )
    large, small = outcome("plain", NOISY, memory=50_000_000), outcome("user", NOISY, memory=20_000_000)
    slow = outcome("kernel", (9.0,) * 5)
    assert verdict(comparison(large, small, slow))[1] == (
        "user suits this program, though plain and user take the same time within the noise: "
        "it takes 20.0 MB of memory, plain 50.0 MB (2.5 times as much)."
    )


def test_a_difference_too_small_to_matter_is_none() -> None:
    assert verdict(comparison(outcome("plain", [1.0] * 5), outcome("user", [1.04] * 5, cpu=0.5)))[0] is None


def test_who_fails_is_not_chosen() -> None:
    quick = outcome("user", (0.1,) * 5, status=1)
    assert verdict(comparison(outcome("plain"), quick, outcome("kernel", (2.0,) * 5)))[0] == "plain"
    assert verdict(comparison(outcome("plain"), quick)) == (
        "plain",
        "plain suits: no other model ran the program to its end with status 0.",
    )
    nobody = verdict(comparison(outcome("plain", status=-9), outcome("user", hung=True)))
    assert nobody == (
        None,
        "No model ran the program to its end with status 0, so there is nothing to choose from.",
    )


def test_one_that_failed_once_is_not_chosen() -> None:
    flaky = outcome("user", (0.1,) * 5)
    flaky.timed[3] = run(0.1, status=1)
    assert verdict(comparison(outcome("plain"), flaky))[0] == "plain"


def test_one_model_alone_is_not_compared() -> None:
    assert verdict(comparison(outcome("user"))) == (
        "user",
        "Only user was run, so there is nothing to compare it with.",
    )


def test_few_runs_are_said_to_be_few_and_need_more_of_a_difference() -> None:
    assert verdict(comparison(outcome("plain", (1.2,)), outcome("user", (1.0,))))[0] is None
    model, words = verdict(comparison(outcome("plain", (2.0, 2.0)), outcome("user", (1.0, 1.0))))
    assert model == "user"
    assert words.endswith("; 2 runs of each cannot say much about noise.")
    assert "one run of each" in verdict(comparison(outcome("plain", (2.0,)), outcome("user", (1.0,))))[1]


def test_another_output_is_a_reason_to_look_first() -> None:
    different = outcome("user", (0.1,) * 5, differing=6)
    words = verdict(comparison(outcome("plain"), different))[1]
    assert words.endswith("; look first at why user printed something else.")
    unsteady = verdict(comparison(outcome("plain", differing=2), different))[1]
    assert "printed" not in unsteady


def test_a_lead_that_is_the_start_alone_is_called_so() -> None:
    plain, user = outcome("plain", (0.02,) * 5, startup=0.01), outcome("user", (0.08,) * 5, startup=0.07)
    words = verdict(comparison(plain, user))[1]
    assert "nearly all of that lead is the start alone" in words
    slower = outcome("user", (0.5,) * 5, startup=0.07)
    assert "start" not in verdict(comparison(plain, slower))[1]


def test_an_empty_program_is_hardly_a_comparison() -> None:
    alike = [outcome(name, (0.10, 0.11, 0.12, 0.13, 0.14), startup=0.09) for name in ("plain", "user")]
    assert verdict(comparison(*alike))[1].endswith("try it with more work.")


def test_switches_and_processors_are_told_where_they_go_with_the_lead() -> None:
    kernel = outcome("kernel", (3.0,) * 5, voluntary=70_000, counts=Counts(20, 0, 1.0))
    user = outcome("user", counts=Counts(20, 40_000, 1.0))
    assert verdict(comparison(kernel, user, reference="kernel"))[1].endswith(
        "; the kernel switches 11 times instead of 70,001, since weft switches the 20 threads itself."
    )
    kernel = outcome("kernel", cpu=1.9, counts=Counts(20, 0, 1.0))
    user = outcome("user", (3.0,) * 5, counts=Counts(20, 40_000, 1.0))
    assert verdict(comparison(kernel, user, reference="kernel"))[1].endswith(
        "; its threads keep 1.9 processors busy at once."
    )


walls = st.lists(st.floats(1e-4, 1e4), min_size=1, max_size=6)
outcomes = st.builds(
    outcome,
    walls=walls,
    status=st.sampled_from([0, 0, 1]),
    cpu=st.floats(1e-4, 1e4),
    memory=st.integers(1, 10**12),
    startup=st.floats(1e-3, 1.0),
    counts=st.none() | st.builds(Counts, st.integers(0, 10**6), st.integers(0, 10**9), st.floats(0, 1e6)),
    differing=st.integers(0, 2),
    model=st.just("m"),
)


@given(st.lists(outcomes, min_size=1, max_size=5))
def test_whoever_is_chosen_is_able_and_nobody_is_clearly_quicker(found: list[Outcome]) -> None:
    for number, one in enumerate(found):
        one.model = f"m{number}"
    model, words = verdict(comparison(*found, reference="m0"))
    assert words.endswith(".")
    assert "\n" not in words
    if model is None:
        return
    chosen = next(one for one in found if one.model == model)
    mine = chosen.spread("wall")
    assert chosen.failed is None
    assert mine
    for other in found:
        theirs = other.spread("wall")
        assert other.failed is not None or theirs is None or not apart(theirs, mine)


@pytest.mark.parametrize(("runs", "most"), [(5, 0.02), (10, 0.005)])
def test_equal_models_are_seldom_told_apart(runs: int, most: float) -> None:
    chance = random.Random(1)
    told = 0
    for _ in range(5000):
        a, b = (Spread.of(chance.gauss(1.0, 0.1) for _ in range(runs)) for _ in range(2))
        assert a
        assert b
        told += apart(a, b) or apart(b, a)
    assert told / 5000 < most
