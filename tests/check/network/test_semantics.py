"""Simulated sockets do what the machine's do: the same facts, and the same bodies as on every model."""

import difflib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.check.network.seen import FACTS, ROOT, check_bodies
from tests.check.programs import SECONDS, weft


def test_they_say_what_the_machine_says(tmp_path: Path) -> None:
    said = []
    for name in ("plain", "checked"):
        file = tmp_path / name
        if name == "plain":
            command = [sys.executable, "-W", "ignore", str(FACTS), str(file)]
            subprocess.run(command, check=True, timeout=SECONDS, cwd=ROOT)
        else:
            options = ("--strategy", "round-robin", "--schedules", "1")
            done = weft("check", *options, str(FACTS), str(file), cwd=tmp_path)
            assert done.returncode == 0, done.stdout
        said.append(file.read_text().splitlines())
    assert len(said[0]) > 120
    assert said[0] == said[1], "\n".join(
        difflib.unified_diff(said[0], said[1], "plain", "checked", lineterm="", n=0)
    )


#: Cases of the bodies of tests/stdlib that need other things of the machine than sockets, or take long here.
ELSEWHERE = {
    "connections": [
        "a_storm_of_short_connections_is_weathered",  # a thousand connections
        "a_reader_and_a_writer_share_a_socket",  # megabytes
        "slow_clients_do_not_hold_up_fast_ones",
        "what_is_sent_in_pieces_arrives_whole",
        "two_readers_get_each_byte_once",
        "a_full_inbox_makes_who_sends_datagrams_wait",
        "a_socket_that_was_passed_on_lives_on",  # ancillary data
        "ancillary_data_is_waited_for",
        "a_child_that_is_killed_ends_the_wait_for_it",
        "two_readers_of_a_pipe_wait_alone_when_the_other_was_faster",
    ],
    "closed": [
        "a_duplicate_outlives_the_one_that_was_waited_on",  # numbers of descriptors do not come back here
        "numbers_reused_by_pipes_and_sockets_in_turn_lose_nothing",
    ],
}


@pytest.mark.parametrize("name", list(ELSEWHERE))
def test_the_bodies_hold(tmp_path: Path, name: str) -> None:
    check_bodies(tmp_path, name, ELSEWHERE[name])


def test_the_bodies_of_select_hold(tmp_path: Path) -> None:
    only = [
        "select_gives_back_the_objects_it_was_given",
        "a_list_that_its_fileno_empties_is_waited_for_as_it_was_read",
        "bad_timeouts_are_refused_as_cpython_does",
        "the_types_look_like_cpythons",
        "a_write_to_a_full_socket_waits_alone",
        "sendfile_to_a_full_socket_waits_alone",
        "sendfile_without_an_offset_moves_on_by_what_was_sent",
        "what_may_not_wait_says_so",
        "timeouts_run_out",
    ]
    check_bodies(tmp_path, "descriptors", only, only=True)
