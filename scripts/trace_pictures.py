"""Makes the pictures of docs/trace.md: four programs, each traced and shown light and dark, in Chromium.

It needs what scripts/pictures.py needs. The programs are examples: the echo server under its client, the
deadlock, the semaphore and the pools.
"""

import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))  # -P leaves it out
from pictures import PICTURES, ROOT, smaller

EXAMPLES = ROOT / "examples"
COLOURS = 200  # of a picture: lanes have many
SIZE = {"width": 1180, "height": 760, "deviceScaleFactor": 1, "mobile": False}
WEFT = (sys.executable, "-m", "weft", "trace", "-o", "page.html")
LOOKED_AT = {  # picture: program and arguments, the group that opens, a row and a moment that are clicked
    "deadlock": (("r21_deadlock.py",), "", ("Ada", 0.9)),
    "semaphore": (("r24_semaphore.py", "--scale", "0.2"), "", ("Thread-17 (visit)", 0.4)),
    "pools": (("r27_pools.py",), "", ("MainThread", 0.4)),
    "server": (("r15_echo_server.py", "--port", "0", "--limit", "300"), "echo", ("MainThread", 0.5)),
}


def main() -> int:
    sys.path.insert(0, str(ROOT))
    from tests.check.page.browser import browser, reason  # noqa: PLC0415 - found only from here on

    if reason():
        print(f"trace_pictures: {reason()}", file=sys.stderr)
        return 1
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, browser(Path(name) / "chromium") as driver:
        for picture, (program, opens, click) in LOOKED_AT.items():
            (serve if picture == "server" else run)(program, Path(name))
            for scheme in ("light", "dark"):
                path = PICTURES / f"trace-{picture}-{scheme}.png"
                path.write_bytes(
                    smaller(drawn(driver, Path(name) / "page.html", scheme, opens, click), COLOURS)
                )
                print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")
    return 0


def run(program: tuple[str, ...], folder: Path) -> None:
    """Trace a program that ends by itself."""
    script, *args = program
    (folder / script).write_text((EXAMPLES / script).read_text())
    subprocess.run([*WEFT, script, *args], cwd=folder, stdout=subprocess.DEVNULL)


def serve(program: tuple[str, ...], folder: Path) -> None:
    """Trace the server while its client has a thousand connections; it serves some hundreds at once."""
    script, *args = program
    (folder / script).write_text((EXAMPLES / script).read_text())
    with subprocess.Popen([*WEFT, script, *args], cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = re.search(r"(\d+)\s*$", server.stdout.readline())
        assert address is not None
        client = [sys.executable, EXAMPLES / "r15_echo_client.py", "--port", address[1], "--messages", "5"]
        subprocess.run(client, stdout=subprocess.DEVNULL)
        server.send_signal(signal.SIGTERM)
        server.communicate()


def drawn(driver: Any, page: Path, scheme: str, opens: str, click: tuple[str, float]) -> bytes:
    """What a person sees first of the page, with something chosen."""
    from selenium.webdriver.common.action_chains import ActionChains  # noqa: PLC0415 - of an extra

    from tests.watch.page.seen import Page  # noqa: PLC0415 - found only from here on

    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", SIZE)
    driver.get(page.as_uri())
    seen = Page(driver)
    for label in driver.find_elements("css selector", "#labels .group"):
        if opens and opens in label.text:
            label.click()
    seen.settle()
    seen.click_at(*click)
    ActionChains(driver).move_to_element(driver.find_element("css selector", "h1")).perform()
    seen.run("scrollTo(0, 0)")
    seen.settle()
    picture: bytes = driver.get_screenshot_as_png()
    return picture


if __name__ == "__main__":
    sys.exit(main())
