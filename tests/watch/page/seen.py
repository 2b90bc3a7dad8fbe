"""A timeline in a browser, as a person has it."""

from typing import Any

__all__ = ["Page"]

SETTLED = "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))"


class Page:
    """What a person does with it, and sees."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self.settle()

    def settle(self) -> None:
        self.driver.execute_async_script(SETTLED)

    def run(self, script: str, *args: object) -> Any:
        return self.driver.execute_script(script, *args)

    def one(self, what: str) -> Any:
        return self.driver.find_element("css selector", what)

    def texts(self, what: str) -> list[str]:
        found: list[str] = self.run(
            "return [...document.querySelectorAll(arguments[0])].map((each) => each.innerText.trim())", what
        )
        return found

    def type(self, *keys: str) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()
        self.settle()

    def search(self, text: str) -> None:
        from selenium.webdriver.common.keys import Keys

        field = self.one("#search")
        field.clear()
        field.send_keys(text, Keys.ENTER)
        self.settle()

    @property
    def status(self) -> str:
        return str(self.one("#status").text)

    @property
    def panel(self) -> str:
        return str(self.one("#panel").text)

    @property
    def labels(self) -> list[str]:
        """Names of the rows that are seen, from the top."""
        found = self.run(
            "return [...document.querySelectorAll('#labels button')]"
            ".sort((a, b) => a.dataset.row - b.dataset.row).map((each) => each.innerText.trim())"
        )
        return [str(each) for each in found]

    def left_and_right(self) -> tuple[float, float]:
        """Which part of the time is seen: where the window stands in the overview, from 0 to 1."""
        found = self.run(
            """
            const canvas = document.querySelector("#overview");
            const probe = document.createElement("span");
            probe.style.color = "var(--focus)";
            document.body.append(probe);
            const wanted = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
            probe.remove();
            const row = canvas.getContext("2d").getImageData(0, canvas.height / 2, canvas.width, 1).data;
            const hits = [];
            for (let x = 0; x < canvas.width; x++) {
              if (wanted.every((value, i) => Math.abs(row[4 * x + i] - value) < 40)) hits.push(x);
            }
            return [hits[0] / canvas.width, hits[hits.length - 1] / canvas.width];
            """
        )
        return found[0], found[1]

    def colours(self, row: str, at: float) -> list[int]:
        """The colour of a row's lane at a part of what is seen, a little above its lower edge."""
        found: list[int] = self.run(
            """
            const [name, part] = arguments;
            const labels = [...document.querySelectorAll("#labels button")];
            const label = labels.find((each) => each.innerText.trim() === name);
            const canvas = document.querySelector("#canvas");
            const scale = canvas.width / canvas.clientWidth;
            const gutter = label.offsetWidth;
            const x = gutter + (canvas.clientWidth - gutter) * part;
            const y = label.offsetTop + 7;
            return [...canvas.getContext("2d").getImageData(x * scale, y * scale, 1, 1).data];
            """,
            row,
            at,
        )
        return found

    def click_at(self, row: str, at: float) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        x, y = self.run(
            """
            const [name, part] = arguments;
            const labels = [...document.querySelectorAll("#labels button")];
            const label = labels.find((each) => each.innerText.trim() === name);
            const area = label.getBoundingClientRect();
            const canvas = document.querySelector("#canvas").getBoundingClientRect();
            return [area.right + (canvas.right - area.right) * part, (area.top + area.bottom) / 2];
            """,
            row,
            at,
        )
        chain = ActionChains(self.driver)
        chain.w3c_actions.pointer_action.move_to_location(int(x), int(y)).click()
        chain.perform()
        self.settle()
