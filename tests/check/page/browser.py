"""A real browser for the tests of this folder: Chromium without a window, driven by its own driver."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["browser", "reason"]

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
