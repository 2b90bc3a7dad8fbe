"""One body of tests for every primitive, held on each model and by the plain interpreter.

The cases of a module run one after another in one child; each is a test of its own here.
"""

import importlib
import json
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.stdlib.runner import cases_of, is_for_user, is_for_weft
from tests.support import HAS_GIL, MODELS, ProgramHung, run_weft
from tests.support.programs import run_child

BODIES = Path(__file__).parent / "bodies"
ROOT = Path(__file__).resolve().parents[2]
PLAIN = "plain"
NAMES = sorted(path.stem for path in BODIES.glob("*.py") if path.stem != "__init__")


@dataclass(frozen=True)
class Outcomes:
    """What became of the cases of one module; `hung` is what the child said if it did not end."""

    why: dict[str, str]
    begun: list[str]
    printed: str


@cache
def outcomes(name: str, model: str) -> Outcomes:
    """Run the module's cases in a child, once a session."""
    args = ("-m", "tests.stdlib.runner", name, *(ON_PROCESSES[name] if model == "process" else ()))
    try:
        if model == PLAIN:
            done = run_child([sys.executable, *args], cwd=ROOT, timeout=60)
        else:
            done = run_weft("--model", model, *args, cwd=ROOT, timeout=60)
        printed, lines = f"status {done.returncode}\n{done.stdout}{done.stderr}", done.stdout.splitlines()
    except ProgramHung as error:
        printed = str(error)
        lines = printed.splitlines()
    found = [json.loads(line) for line in lines if line.startswith('{"case"')]
    begun = [line.split()[1] for line in lines if line.startswith("begin ")]
    return Outcomes({each["case"]: each["why"] for each in found}, begun, printed)


#: What is known not to hold, (module, case) -> models and the reason; told in docs/limits.md.
SIGNAL_ENDS_A_WAIT = "a signal ends main's wait, which begins anew after the handler"
KNOWN_GAPS = {
    ("signalled", "case_a_notify_that_comes_with_a_signal_is_not_lost"): (
        ("user", "hybrid"),
        SIGNAL_ENDS_A_WAIT,
    ),
    ("signalled", "case_a_pulse_that_comes_with_a_signal_is_not_lost"): (
        ("user", "hybrid"),
        SIGNAL_ENDS_A_WAIT,
    ),
    ("signalled", "case_who_waited_first_is_served_first_also_after_a_signal"): (
        ("user", "kernel", "hybrid"),
        SIGNAL_ENDS_A_WAIT,
    ),
}
if not HAS_GIL:
    KNOWN_GAPS["lines", "case_an_item_is_let_go_by_who_put_it"] = (
        (PLAIN, "hybrid"),
        "free-threaded: what a kernel thread made is freed when that runs again",
    )


#: What makes sense where each thread is a process: those that share no memory. Others are told so at start.
ON_PROCESSES = {
    "exclusion": (
        "case_a_free_lock_is_taken_and_let_go",
        "case_a_held_lock_is_refused_to_others",
        "case_a_timeout_runs_out_not_before_its_time",
        "case_a_lock_comes_in_time",
        "case_any_thread_may_release_a_lock",
        "case_a_lock_is_not_reentrant",
        "case_an_rlock_is_reentrant_and_counts",
        "case_an_rlock_handed_over_counts_from_one",
        "case_an_rlock_is_saved_and_restored_with_its_count",
        "case_only_the_owner_may_release_an_rlock",
        "case_a_failed_body_lets_the_lock_go",
        "case_locked_says_so",
        "case_the_old_names_are_there",
        "case_a_lock_can_be_weakly_referenced",
        "case_a_thread_that_ended_with_a_lock_still_holds_it",
    ),
    "counting": (
        "case_a_semaphore_counts",
        "case_a_bounded_semaphore_refuses_what_was_not_taken",
        "case_arguments_of_semaphores_are_checked",
        "case_reprs_say_the_state",
        "case_arguments_of_sleep_are_checked",
    ),
    "conditions": (
        "case_a_wait_times_out_holding_the_lock",
        "case_a_recursive_lock_is_let_go_altogether",
        "case_without_the_lock_there_is_no_waiting",
        "case_a_bad_timeout_leaves_the_condition_as_it_was",
        "case_the_old_name_warns",
        "case_a_notify_before_the_wait_is_forgotten",
        "case_an_action_that_fails_breaks_the_barrier",
    ),
    "lines": (
        "case_items_come_in_the_order_of_the_class",
        "case_an_empty_queue_says_so",
        "case_a_full_queue_says_so",
        "case_a_timeout_runs_out_not_before_its_time",
        "case_a_putter_waits_for_room",
        "case_a_queue_that_is_looked_into_keeps_its_items",
        "case_a_queue_that_is_looked_into_keeps_its_order",
        "case_own_kinds_of_queues_work",
        "case_a_simple_queue_takes_a_put_from_a_finalizer",
    ),
    "lives": (
        "case_a_thread_lives_from_start_to_end",
        "case_a_thread_that_has_a_run_of_its_own_is_run",
        "case_misuse_is_told_as_cpython_tells_it",
        "case_a_join_can_give_up",
        "case_a_thread_lets_go_of_its_target",
        "case_locals_with_arguments_are_made_in_each_thread",
        "case_a_local_is_no_iterator_unless_its_class_says_so",
        "case_a_context_is_a_thread_s_own",
        "case_nested_threads_are_all_joined",
    ),
}


def marks_of(name: str, case: str, model: str) -> list[pytest.MarkDecorator]:
    models, reason = KNOWN_GAPS.get((name, case), ((), ""))
    return [pytest.mark.xfail(strict=False, reason=reason)] if model in models else []


def cases() -> list[object]:
    found: list[object] = []
    for name in NAMES:
        for case_name, case in cases_of(importlib.import_module(f"tests.stdlib.bodies.{name}")).items():
            models: tuple[str, ...] = MODELS if is_for_weft(case) else (*MODELS, PLAIN)
            if is_for_user(case):
                models = ("user",)
            if case_name in ON_PROCESSES.get(name, ()):
                models = (*models, "process")
            found += [
                pytest.param(
                    name,
                    case_name,
                    model,
                    id=f"{name}-{case_name[5:]}-{model}",
                    marks=marks_of(name, case_name, model),
                )
                for model in models
            ]
    return found


@pytest.mark.parametrize(("name", "case", "model"), cases())
def test_primitive(name: str, case: str, model: str) -> None:
    became = outcomes(name, model)
    if case not in became.why:
        if became.begun and became.begun[-1] == case:
            pytest.fail(f"{case} did not end: {became.printed}")
        last = became.begun[-1] if became.begun else "anything"
        pytest.fail(f"not run, since {last} did not end" if became.begun else became.printed)
    assert became.why[case] == ""
