"""The page in a real browser: five findings of different kinds, clicked and typed through."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.check.page.browser import CONTRAST, browser, reason
from tests.check.programs import weft
from weft.host.files import write_whole

pytest.importorskip("jinja2", reason="the extra html is not installed")
if reason():
    pytest.skip(reason(), allow_module_level=True)

from tests.check.page.made import SOURCE, facts, finding, place, run
from weft.check.page.build import build
from weft.check.page.render import render

PROGRAMS = Path(__file__).parent / "programs"
FOUND = {  # program: how it is checked, the kind, and the numbers of steps with a part, of arrows, of nodes
    "lost_update": ([], "race", 3, 2, 0),
    "deadlock": ([], "deadlock", 3, 2, 5),
    "overdrawn": ([], "assertion", 0, 1, 0),
    "lost_wakeup": ([], "lost-wakeup", 2, 1, 3),
    "lock_order": (["--strategy", "round-robin", "--schedules", "3"], "lock-order", 4, 2, 4),
}


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with browser(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


@pytest.fixture(scope="module")
def opened(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """Opens the page of a program; it is checked once."""
    folder = tmp_path_factory.mktemp("pages")

    def open_page(name: str) -> Any:
        path = folder / f"{name}.html"
        if not path.exists():
            options = FOUND[name][0]
            done = weft("check", *options, "--html", str(path), str(PROGRAMS / f"{name}.py"), cwd=folder)
            assert done.returncode in (0, 1), done.stderr
        chromium.get(path.as_uri())
        return Page(chromium)

    return open_page


class Page:
    """What a person does with it, and sees."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def all(self, what: str) -> list[Any]:
        found: list[Any] = self.driver.find_elements("css selector", what)
        return found

    def one(self, what: str) -> Any:
        return self.driver.find_element("css selector", what)

    def shown(self, what: str) -> list[Any]:
        return [each for each in self.all(what) if each.is_displayed()]

    def type(self, *keys: str) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def go(self, where: str) -> None:
        self.one(f"[data-go={where}]").click()

    @property
    def figure(self) -> str:
        (shown,) = self.shown(".figure")
        name: str = shown.get_attribute("id")
        return name.removeprefix("figure-")

    @property
    def at(self) -> int:
        """Which row is singled out, -1 for none."""
        at: int = self.driver.execute_script(
            "const rows = [...document.querySelectorAll('.figure:not([hidden]) .row:not(.fold)')];"
            "return rows.findIndex((row) => row.classList.contains('now'))"
        )
        return at

    @property
    def status(self) -> str:
        return str(self.one("#status").text)

    def run(self, script: str) -> Any:
        return self.driver.execute_script(script)


@pytest.mark.parametrize("name", FOUND)
def test_each_finding_is_drawn(opened: Callable[[str], Page], name: str) -> None:
    _, kind, parts, arrows, nodes = FOUND[name]
    page = opened(name)
    assert kind in page.one("h1").text
    assert len(page.shown(".row.part")) == parts
    assert len(page.shown(".head")) == arrows
    assert len(page.all(".graph .node")) == nodes
    assert page.driver.get_log("browser") == []
    # The head of each arrow is at the edge of a step's box, and boxes lie in their columns.
    off = page.run(
        """
        const seen = (what) => [...document.querySelectorAll(what)].filter((each) => each.offsetParent);
        const boxes = seen('.box').map((each) => each.getBoundingClientRect());
        const lanes = seen('.lanes .lane').map((each) => each.getBoundingClientRect());
        const near = (head) => boxes.some((box) => head.top < box.bottom && head.bottom > box.top
          && Math.min(Math.abs(head.right - box.left), Math.abs(head.left - box.right)) < 14);
        return [seen('.head').filter((each) => !near(each.getBoundingClientRect())).length,
          boxes.filter((box) => !lanes.some((lane) => box.left > lane.left - 2
            && box.right < lane.right + 2)).length,
          document.documentElement.scrollWidth > innerWidth];
        """
    )
    assert off == [0, 0, False]


def test_it_is_stepped_through_with_buttons(opened: Callable[[str], Page]) -> None:
    page = opened("lost_update")
    count = len(page.shown(".row:not(.fold)"))
    assert (page.at, page.one("[data-go=back]").is_enabled()) == (-1, False)
    page.go("forward")
    assert page.at == 0
    assert page.status.startswith(f"1 of {count}, step ")
    first = page.shown(".row:not(.fold)")[0].get_attribute("data-name")
    assert first in ("Ada", "Ben"), "whoever comes first in the schedule that was found"
    assert f", {first}, " in page.status.replace(": ", ", ")
    assert "reads 7" in page.status
    assert [each.text for each in page.shown(".listing li.now code")] == ["        old = self.value"]
    page.go("last")
    assert (page.at, page.one("[data-go=forward]").is_enabled()) == (count - 1, False)
    page.go("back")
    assert page.at == count - 2
    assert len(page.all(".figure:not([hidden]) .row.later:not(.fold)")) == 1
    page.go("none")
    assert (page.at, page.all(".row.later")) == (-1, [])
    page.shown(".row:not(.fold)")[2].click()
    assert page.at == 2


def test_it_is_stepped_through_with_keys(opened: Callable[[str], Page]) -> None:
    from selenium.webdriver.common.keys import Keys

    page = opened("overdrawn")
    last = len(page.shown(".row:not(.fold)")) - 1
    seen = []
    for key in ("j", Keys.ARROW_DOWN, Keys.ARROW_RIGHT, "k", Keys.ARROW_UP, Keys.END, Keys.HOME, Keys.ESCAPE):
        page.type(key)
        seen.append(page.at)
    assert seen == [0, 1, 2, 1, 0, last, 0, -1]
    page.one("#scrub").send_keys(Keys.END)
    assert page.at == last
    assert "AssertionError" in page.status
    assert page.one("[aria-current=step]").get_attribute("class").split()[:2] == ["row", "fails"]


def test_all_can_be_reached_by_tab_and_the_focus_is_seen(opened: Callable[[str], Page]) -> None:
    from selenium.webdriver.common.keys import Keys

    page = opened("lost_update")
    reached = []
    for _ in range(12):
        page.type(Keys.TAB)
        reached.append(
            page.run(
                "const at = document.activeElement;"
                "return [at.id || at.dataset.go || at.className || at.tagName,"
                " getComputedStyle(at).outlineStyle]"
            )
        )
        if reached[-1][0] == "SUMMARY":
            break
    names = [name for name, _ in reached]
    assert names == ["theme", "tab-key", "first", "forward", "last", "scrub", "none", "rows", "SUMMARY"]
    assert all(outline != "none" for _, outline in reached)


def test_the_schedules_are_tabs(opened: Callable[[str], Page]) -> None:
    from selenium.webdriver.common.keys import Keys

    page = opened("deadlock")
    assert page.figure == "key"
    page.go("forward")
    page.one("#tab-found").click()
    assert (page.figure, page.at) == ("found", -1)
    page.type(Keys.ARROW_RIGHT)
    assert page.figure == "key"
    assert page.at == 0  # where it was left
    page.type(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert page.figure == "all"
    assert page.one("[role=tab][aria-selected=true]").text == "Smallest schedule"
    assert page.one("[role=tab][aria-selected=true]").get_attribute("aria-controls") == "figure-all"


def test_the_threads_say_what_they_hold_and_wait_for(opened: Callable[[str], Page]) -> None:
    page = opened("deadlock")
    page.go("last")
    state = {each.text.split()[0]: each.text for each in page.all(".state li")}
    assert "waits for the end of Al" in state["MainThread"]
    assert "holds " in state["Al"]
    assert "held by Ben" in state["Al"]
    assert "held by Al" in state["Ben"]
    assert len(page.all(".listing li.at")) + len(page.all(".listing li.now")) == 3
    page.go("first")
    assert "held by" not in page.one(".state").text


def test_light_and_dark(opened: Callable[[str], Page]) -> None:
    page = opened("lost_update")
    colour = "return getComputedStyle(document.body).backgroundColor"

    def system(scheme: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    system("light")
    light = page.run(colour)
    system("dark")
    dark = page.run(colour)
    assert light != dark
    seen = []
    for _ in range(3):
        page.one("#theme").click()
        seen.append((page.one("#theme").text, page.run(colour)))
    assert seen == [("Colours: light", light), ("Colours: dark", dark), ("Colours: auto", dark)]
    for scheme in ("light", "dark"):
        system(scheme)
        assert page.run(CONTRAST) == []
    system("")


#: Texts whose colour stands out too little from what is behind them (WCAG 2, level AA).
def test_on_paper_it_has_all_steps_and_no_buttons(opened: Callable[[str], Page]) -> None:
    page = opened("deadlock")
    page.go("first")
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert page.shown("button") == []
        assert len(page.shown(".figure .row")) == len(page.all(".figure:not([hidden]) .row"))
        faint = page.run(
            "return [...document.querySelectorAll('.later > *')]"
            ".filter((each) => getComputedStyle(each).opacity < 1).length"
        )
        assert faint == 0
        wide = page.run("return document.documentElement.scrollWidth > innerWidth")
        assert not wide
    finally:
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    paper = page.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]
    assert base64.b64decode(paper).startswith(b"%PDF")


def test_a_narrow_window_needs_no_sideways_scrolling(opened: Callable[[str], Page]) -> None:
    page = opened("deadlock")
    size = {"width": 420, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        assert not page.run("return document.documentElement.scrollWidth > innerWidth")
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_nothing_runs_and_nothing_is_fetched_but_its_own(chromium: Any, tmp_path: Path) -> None:
    odd = "</script><script>document.title = 'owned'</script><b>"
    odd += "<img src=http://127.0.0.1:9/x onerror=\"document.title='owned'\">"
    source = tmp_path / "program.py"
    source.write_text(f"# {odd}\n{SOURCE}")
    steps = [(n % 2 + 1, f"reads {odd}", place(source, 1), 1, f"reads {odd}") for n in range(3)]
    found = finding("race", title=odd, lines=[odd, odd], places=[place(source, 1)] * 2, threads=[odd])
    made = facts(found, minimal=run(steps, names={1: odd, 2: "Ben"}), command=odd, unseen=[odd])
    path = tmp_path / "page.html"
    write_whole(str(path), render(build(made)).encode())
    chromium.get(path.as_uri())
    page = Page(chromium)
    page.go("forward")
    assert page.one("h1").text.endswith(odd)
    assert odd in page.one(".state").text
    assert "owned" not in chromium.title.replace(odd, "")
    assert page.all("img") == []
    assert page.run("return performance.getEntriesByType('resource').length") == 0
    assert chromium.get_log("browser") == []


def test_a_long_schedule_is_quick_to_step_through(chromium: Any, tmp_path: Path) -> None:
    source = tmp_path / "program.py"
    source.write_text(SOURCE)
    steps = [(n % 2 + 1, "writes n", place(source, 10), 1, f"writes {n}") for n in range(20_000)]
    path = tmp_path / "page.html"
    made = facts(finding("livelock", threads=["Ada"]), minimal=run(steps))
    write_whole(str(path), render(build(made)).encode())
    assert path.stat().st_size < 3_000_000
    chromium.get(path.as_uri())
    page = Page(chromium)
    assert "steps of" in page.shown(".fold")[0].text
    page.one("#tab-all").click()
    nodes = page.run("return document.querySelectorAll('*').length")
    assert nodes < 30_000
    page.go("last")
    assert page.status.startswith("1200 of 1200")
    assert "goes round" in page.status
    page.go("back")
    page.go("back")
    assert "step 20000" in page.status
