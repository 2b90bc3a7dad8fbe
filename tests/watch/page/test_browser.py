"""The timeline in a real browser: zoomed, searched, clicked and typed through."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.check.page.browser import CONTRAST, browser, reason
from tests.watch.made import Made, simulated
from tests.watch.page.made import page
from tests.watch.page.seen import Page
from tests.watch.test_timeline import two_threads
from weft.watch.record import End, Start, Stint, Wait

pytest.importorskip("jinja2", reason="the extra html is not installed")
if reason():
    pytest.skip(reason(), allow_module_level=True)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with browser(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


@pytest.fixture
def opened(chromium: Any, tmp_path: Path) -> Any:
    def open_page(made: Made) -> Page:
        chromium.get(page(made, tmp_path / "t.html").as_uri())
        return Page(chromium)

    return open_page


def test_lanes_are_drawn_where_threads_ran_and_waited(opened: Any) -> None:
    seen = opened(two_threads())
    assert seen.driver.get_log("browser") == []
    assert seen.labels == ["carrier 0 (kernel thread 4711)", "MainThread", "Ada"]
    ran, waited, ended = (seen.colours("MainThread", part) for part in (0.1, 0.6, 0.1))
    assert ran == ended
    assert ran != waited
    assert seen.colours("Ada", 0.95) != seen.colours("Ada", 0.7), "it had ended"
    assert seen.run("return document.documentElement.scrollWidth > innerWidth") is False


def test_a_click_says_what_a_wait_was_and_leads_to_who_ended_it(opened: Any) -> None:
    seen = opened(two_threads())
    seen.click_at("MainThread", 0.6)
    assert seen.status.startswith("MainThread: waits for a lock: Lock box, 1.00 s from 2.0")
    for words in ("/app.py:3 in main", "held by", "woken by", "/app.py:9 in hold"):
        assert words in seen.panel
    seen.one("#to-waker").click()
    seen.settle()
    assert seen.status.startswith("Ada: running, 750 ms from 2.5")
    assert "woke" in seen.panel
    assert "waits for a lock: Lock box" in seen.panel
    seen.click_at("MainThread", 0.3)
    assert seen.status.startswith("MainThread: ready, 500 ms from 1.0")


def test_keys_move_choose_and_zoom(opened: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    seen = opened(two_threads())
    seen.one("#lanes").click()
    seen.type(Keys.ESCAPE, Keys.HOME)
    assert seen.left_and_right() == pytest.approx((0, 1), abs=0.01)
    seen.type("w")
    assert seen.left_and_right() == pytest.approx((0.25, 0.75), abs=0.02)
    seen.type(Keys.ARROW_RIGHT)
    assert seen.left_and_right() == pytest.approx((0.35, 0.85), abs=0.02)
    seen.type("s", "0")
    assert seen.left_and_right() == pytest.approx((0, 1), abs=0.01)
    seen.click_at("MainThread", 0.6)
    seen.type("f")
    left, right = seen.left_and_right()
    assert left < 0.5 < 0.75 < right
    assert right - left < 0.7
    seen.type(Keys.ENTER)
    assert seen.status.startswith("Ada: running")
    seen.type(",")
    assert seen.status.startswith("Ada: sleeps")
    seen.type(".", ".")
    assert seen.status == "This was the last of its lane."
    seen.type(Keys.ARROW_UP)
    assert seen.status.startswith("MainThread")
    seen.type(Keys.ESCAPE)
    assert seen.status == ""


def test_the_wheel_zooms_and_a_drag_moves(opened: Any) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

    seen = opened(two_threads())
    origin = ScrollOrigin.from_element(seen.one("#ruler"))
    ActionChains(seen.driver).scroll_from_origin(origin, 0, -400).perform()
    seen.settle()
    left, right = seen.left_and_right()
    assert right - left < 0.8
    box = seen.one("#lanes")
    ActionChains(seen.driver).move_to_element(box).click_and_hold().move_by_offset(
        -150, 0
    ).release().perform()
    seen.settle()
    moved = seen.left_and_right()
    assert moved[0] > left
    assert moved[1] - moved[0] == pytest.approx(right - left, abs=0.02)
    assert seen.status == "", "a drag chooses nothing"
    ActionChains(seen.driver).move_to_element_with_offset(
        seen.one("#ruler"), 50, 0
    ).click_and_hold().move_by_offset(100, 0).release().perform()
    seen.settle()
    assert seen.left_and_right()[1] - seen.left_and_right()[0] < (right - left) / 2


def test_search_keeps_what_matches(opened: Any) -> None:
    seen = opened(two_threads())
    seen.search("lock box")
    assert seen.labels == ["MainThread"]
    assert seen.one("#found").text == "1 thread, 1 wait"
    assert seen.status.startswith("MainThread: waits for a lock")
    seen.search("ada")
    assert seen.labels == ["Ada"]
    seen.search("app.py:9")
    assert seen.labels == ["MainThread", "Ada"], "who waits there, and who was woken from there"
    seen.search("no such thing")
    assert seen.labels == []
    assert seen.one("#found").text == "0 threads, 0 waits"
    seen.search("")
    assert len(seen.labels) == 3


def test_the_tables_have_the_figures_and_sort(opened: Any) -> None:
    seen = opened(two_threads())
    (row,) = seen.texts("#contention tbody tr")
    assert row.split("\t")[1:6] == ["waits for a lock", "1", "1.00 s", "1.00 s", "1.00 s"]
    seen.one("#contention .fold").click()
    detail = seen.one("#contention .detail").text
    assert "/app.py:3 in main" in detail
    assert "Ada" in detail
    assert [row.split("\t")[0] for row in seen.texts("#threads tbody tr")] == ["MainThread", "Ada"]
    header = next(
        each
        for each in seen.driver.find_elements("css selector", "#threads thead button")
        if each.text == "parked"
    )
    header.click()
    header = next(
        each
        for each in seen.driver.find_elements("css selector", "#threads thead button")
        if each.text == "parked"
    )
    header.click()
    assert len(seen.texts("#threads [aria-sort=ascending]")) == 1
    assert (
        "3 segments on 2 threads: 2.00 s running, 1.00 s ready without a carrier, 1.00 s waiting"
        in seen.one("#path-words").text
    )
    seen.one("#contention tbody .link:not(.fold)").click()
    seen.settle()
    assert seen.one("#search").get_attribute("value") == "Lock box"


def test_a_table_leads_to_the_lane(opened: Any) -> None:
    seen = opened(two_threads())
    longest = next(
        each
        for each in seen.driver.find_elements("css selector", "#contention tbody button")
        if each.text == "1.00 s"
    )
    longest.click()
    seen.settle()
    assert seen.status.startswith("MainThread: waits for a lock")


def test_the_critical_path_can_be_switched_off(opened: Any) -> None:
    seen = opened(two_threads())
    count = """
        const canvas = document.querySelector("#canvas");
        const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        let hits = 0;
        for (let i = 0; i < data.length; i += 4) {
          if (data[i] === 194 && data[i + 1] === 24 && data[i + 2] === 91) hits++;
        }
        return hits;
    """
    seen.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "light"}]}
    )
    seen.settle()
    assert seen.run(count) > 500
    seen.one("#path").click()
    seen.settle()
    assert seen.run(count) == 0


def test_threads_of_alike_names_are_a_group_that_opens(opened: Any) -> None:
    made = simulated(60, 3, 10)
    seen = opened(made)
    assert seen.labels[-1] == "▸ Worker-# 60"
    from selenium.webdriver.common.action_chains import ActionChains

    group = [
        each for each in seen.driver.find_elements("css selector", "#labels button") if "Worker" in each.text
    ]
    ActionChains(seen.driver).click(group[0]).perform()
    seen.settle()
    assert "Worker-1" in seen.labels
    seen.search("Worker-57")
    assert "Worker-57" in seen.labels
    assert not any("Worker-3" in each for each in seen.labels)


def test_light_and_dark_are_readable(opened: Any) -> None:
    seen = opened(simulated(3, 1, 20))
    seen.click_at("MainThread", 0.05)
    for scheme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        seen.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        seen.settle()
        assert seen.run(CONTRAST) == []
    before = seen.run("return getComputedStyle(document.body).backgroundColor")
    seen.one("#theme").click()
    assert seen.run("return getComputedStyle(document.body).backgroundColor") != before
    seen.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_on_paper_it_has_lanes_and_tables_and_no_buttons(opened: Any) -> None:
    seen = opened(simulated(3, 1, 20))
    seen.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert not seen.one("#search").is_displayed()
        assert not seen.one("#theme").is_displayed()
        assert seen.one("#canvas").is_displayed()
        assert seen.one("#threads table").is_displayed()
    finally:
        seen.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    paper = seen.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]
    assert base64.b64decode(paper).startswith(b"%PDF")


def test_a_narrow_window_needs_no_sideways_scrolling(opened: Any) -> None:
    seen = opened(simulated(3, 1, 20))
    size = {"width": 420, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    seen.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        assert not seen.run("return document.documentElement.scrollWidth > innerWidth")
    finally:
        seen.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_nothing_of_a_program_runs_and_nothing_is_fetched(opened: Any) -> None:
    odd = "</script><script>document.title='owned'</script>"
    odd += "<img src=http://127.0.0.1:9/x onerror=\"document.title='owned'\">"
    made = Made(program=["x"])
    thread, thing, place = made.thread(odd), made.object(odd), made.place(f"{odd}:1 in f")
    made.add(
        Start(0, thread, None, place),
        Stint(0, 1, thread, 0),
        Wait(1, 2, thread, "LOCK", thing, place, thread, thread, place, "thread"),
        End(2, thread, odd),
    )
    seen = opened(made)
    seen.search("</script>")
    seen.one("#contention .fold").click()
    assert odd in seen.panel or odd in seen.status
    assert "owned" not in seen.driver.title
    assert seen.run("return document.querySelectorAll('img, iframe').length") == 0
    assert seen.run("return performance.getEntriesByType('resource').length") == 0
    assert [entry for entry in seen.driver.get_log("browser") if entry["source"] != "rendering"] == []


def test_a_thousand_threads_are_quick(opened: Any) -> None:
    made = Made()
    chance = 0
    main = made.thread("MainThread")
    made.add(Stint(0, 1e-3, main, 0))
    for n in range(1_000):
        thread = made.thread(f"Thread-{n} (work)")
        made.add(Start(1e-3, thread, main, None))
        now = 1e-3
        for _ in range(30):
            chance = (chance * 1103515245 + 12345) % 2**31
            length = 1e-5 * (1 + chance % 97)
            made.add(Wait(now, now + length, thread, "SLEEP", None, None, None, None, None, "timer"))
            made.add(Stint(now + length, now + length + 1e-6, thread, 1 + n % 4))
            now += length + 1e-6
    seen = opened(made)
    assert seen.labels[-1] == "▸ Thread-# (work) 1,000"
    seen.run("document.querySelector('#labels button:last-child').click()")
    seen.settle()
    assert len(seen.labels) < 60, "rows that are not seen are not there"
    took = seen.run(
        """
        const box = document.querySelector("#lanes");
        const begin = performance.now();
        for (let i = 0; i < 20; i++) {
          box.scrollTop = i * 500;
          box.dispatchEvent(new KeyboardEvent("keydown", {key: "w", bubbles: true}));
        }
        return performance.now() - begin;
        """
    )
    assert took < 20_000
    seen.search("Thread-999 ")
    assert seen.labels == ["▾ Thread-# (work) 1", "Thread-999 (work)"]
