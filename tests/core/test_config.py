"""Settings: what is taken, what is refused, and which of several sources counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.config import BLOCKED_LIMIT, OFFLOAD_THREADS, SLICE, Config, parse_entries, parse_limit, parse_slice
from weft.errors import WeftError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10ms", 0.010),
        ("200us", 0.0002),
        ("0.01s", 0.01),
        ("0.01", 0.01),
        ("1e-2", 0.01),
        ("60s", 60.0),
        ("100us", 0.0001),
        ("off", 0.0),
        ("0", 0.0),
    ],
)
def test_times_are_read_with_their_units(text: str, seconds: float) -> None:
    assert parse_slice(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "ms", "ten", "10 minutes", "10m", "1_0x", "on", "--model"])
def test_what_is_no_time_is_refused_with_the_way_to_write_one(text: str) -> None:
    with pytest.raises(WeftError, match=r"is no time; write it as 10ms, 200us or 0\.01s$"):
        parse_slice(text)


@pytest.mark.parametrize("text", ["99us", "61s", "-1", "-5ms", "nan", "inf", "1e9"])
def test_what_cannot_be_kept_is_refused_with_the_bounds(text: str) -> None:
    with pytest.raises(WeftError, match=r"cannot be kept; choose between 100us and 60s, or off$"):
        parse_slice(text)


@given(st.floats(0.0001, 60))
def test_what_is_written_out_is_read_back(seconds: float) -> None:
    assert parse_slice(repr(seconds)) == seconds
    assert parse_slice(f"{seconds!r}s") == seconds


@given(st.text(max_size=12))
def test_any_text_is_a_time_or_an_error_of_ours(text: str) -> None:
    try:
        seconds = parse_slice(text)
    except WeftError:
        return
    assert seconds == 0 or 0.0001 <= seconds <= 60


def settings(config: Config) -> tuple[str, str, float]:
    return config.model, config.policy, config.slice


def test_the_defaults() -> None:
    assert settings(Config()) == ("user", "fifo", SLICE)


def test_the_environment_stands_in_for_what_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEFT_MODEL", "user")
    monkeypatch.setenv("WEFT_POLICY", "priority")
    monkeypatch.setenv("WEFT_SLICE", "2ms")
    assert settings(Config.from_environment()) == ("user", "priority", 0.002)
    assert settings(Config.from_environment(policy="fair", slice=0.0)) == ("user", "fair", 0.0)


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WEFT_MODEL", "WEFT_POLICY", "WEFT_SLICE"):
        monkeypatch.setenv(name, "")
    assert settings(Config.from_environment()) == settings(Config())


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"model": "users"}, r"^there is no model 'users'; choose one of: kernel, user, hybrid, process$"),
        ({"policy": "lifo"}, r"^there is no policy 'lifo'; choose one of: fifo, priority, fair, or name"),
        ({"model": "kernel", "policy": "fair"}, r"^the kernel schedules kernel threads"),
    ],
)
def test_what_cannot_work_is_refused(given: dict[str, str], text: str) -> None:
    with pytest.raises(WeftError, match=text):
        Config(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("slice", [-1.0, float("nan"), float("inf"), 1e-9])
def test_a_slice_that_cannot_be_kept_is_refused_from_a_program_too(slice: float) -> None:
    with pytest.raises(WeftError):
        Config(slice=slice)


def more(config: Config) -> tuple[tuple[str, ...], int, float]:
    return config.offload, config.offload_threads, config.blocked_limit


def test_offloading_and_the_limit_have_defaults_and_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    assert more(Config()) == ((), OFFLOAD_THREADS, BLOCKED_LIMIT)
    assert 5 <= OFFLOAD_THREADS <= 32
    monkeypatch.setenv("WEFT_OFFLOAD", "a:b, c.d:E.f ,a:b,")
    monkeypatch.setenv("WEFT_OFFLOAD_THREADS", "7")
    monkeypatch.setenv("WEFT_BLOCKED_LIMIT", "500ms")
    assert more(Config.from_environment()) == (("a:b", "c.d:E.f"), 7, 0.5)
    given = Config.from_environment(offload=["x:y"], offload_threads=1, blocked_limit=0)
    assert more(given) == (("x:y",), 1, 0.0)
    assert more(Config(offload="x:y,z:w")) == (("x:y", "z:w"), OFFLOAD_THREADS, BLOCKED_LIMIT)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            {"offload": ["a"]},
            r"^offload: 'a' names no callable; write module:function or module:Class\.method$",
        ),
        ({"offload": ["a:b", "c:"]}, r"^offload: 'c:' names no callable"),
        ({"offload": [print]}, r"^offload takes names as text, such as 'module:function', not <built-in"),
        (
            {"offload": ["__main__:f"]},
            r"^offload: '__main__:f' is in the program itself; put @weft\.offloaded",
        ),
        (
            {"offload_threads": 0},
            r"^there cannot be 0 kernel threads for offloaded calls; choose between 1 and",
        ),
        ({"offload_threads": 1025}, r"^there cannot be 1025 kernel threads"),
        ({"offload_threads": "8"}, r"^there cannot be '8' kernel threads"),
        ({"blocked_limit": "2"}, r"^a blocked limit is a number of seconds, not '2'$"),
        (
            {"blocked_limit": -1},
            r"^a blocked limit of -1 cannot be kept; choose between 10ms and 86400s, or 0$",
        ),
        ({"blocked_limit": 0.001}, r"^a blocked limit of 0\.001 cannot be kept"),
        ({"blocked_limit": float("nan")}, r"^a blocked limit of nan cannot be kept"),
    ],
)
def test_what_offloading_cannot_take_is_refused(given: dict[str, object], text: str) -> None:
    with pytest.raises(WeftError, match=text):
        Config(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [{"policy": 3}, {"offload": 3}, {"offload": [3]}, {"model": 3}])
def test_settings_of_a_wrong_type_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(WeftError, match=r"\b3\b"):
        Config(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["", "many", "1.5"])
def test_a_number_of_threads_is_a_number(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("WEFT_OFFLOAD_THREADS", value)
    if not value:
        assert Config.from_environment().offload_threads == OFFLOAD_THREADS
        return
    with pytest.raises(WeftError, match=rf"^WEFT_OFFLOAD_THREADS: '{value}' is no number of kernel threads$"):
        Config.from_environment()


@pytest.mark.parametrize(
    ("text", "seconds"), [("2s", 2.0), ("0", 0.0), ("off", 0.0), ("10ms", 0.01), ("90", 90.0)]
)
def test_a_limit_is_read_as_a_time(text: str, seconds: float) -> None:
    assert parse_limit(text) == pytest.approx(seconds)


@given(st.text(max_size=15))
def test_any_text_is_names_or_an_error_of_ours(text: str) -> None:
    try:
        entries = parse_entries([text])
    except WeftError:
        return
    assert all(entry.count(":") == 1 and "," not in entry and entry in text for entry in entries)
