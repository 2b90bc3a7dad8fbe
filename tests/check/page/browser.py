"""A real browser for the tests of this folder: Chromium without a window, driven by its own driver."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["CONTRAST", "browser", "reason"]

DRIVER = shutil.which("chromedriver")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # as root there is none
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--window-size=1280,900",
)

#: A script that lists the elements whose text is too faint on what is behind it (WCAG 2.2, 1.4.3).
CONTRAST = """
    const channel = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const behind = (node) => {
      for (let each = node; each; each = each.parentElement) {
        const colour = parse(getComputedStyle(each).backgroundColor);
        if (colour.length < 4 || colour[3] > 0) return colour;
      }
    };
    const bad = [];
    for (const node of document.querySelectorAll("body *")) {
      const own = [...node.childNodes].some((each) => each.nodeType === 3 && each.textContent.trim());
      if (!own || !node.offsetParent || node.disabled || node.closest("svg")) continue;
      const [one, other] = [light(parse(getComputedStyle(node).color)), light(behind(node))];
      const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
      if (ratio < 4.5) bad.push([node.className || node.tagName, node.textContent.trim(), ratio.toFixed(2)]);
    }
    return bad;
"""


def reason() -> str:
    """Why there is no browser here; "" if there is one."""
    try:
        import selenium  # noqa: F401 - whether it is there
    except ImportError:
        return "selenium is not installed (scripts/peers.py)"
    if CHROMIUM is None or DRIVER is None:
        return "Chromium and its driver are not installed (scripts/peers.py)"
    return ""


@contextmanager
def browser(folder: Path) -> Iterator[Any]:
    """The browser, with all that it keeps in a folder of its own."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()
