"""Makes the pictures of docs/page.md: five findings, each light and dark, in Chromium without a window.

It needs the groups `html` and `browser`, and Chromium with its driver (scripts/peers.py). Each program of
tests/check/page/programs is checked, its page is opened, stepped to where it is most telling, and drawn.
"""

import io
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "tests" / "check" / "page" / "programs"
PICTURES = ROOT / "docs" / "pictures"
WIDTH = 1180  # pixels
COLOURS = 96  # of a picture: text and lines need no more
STEPS = {  # program: the keys that are typed in the light and in the dark picture, and options of the check
    "lost_update": ("", "jj", ()),
    "deadlock": ("", "jjjj", ()),
    "overdrawn": ("jjjjjjjjjj", "", ()),
    "lost_wakeup": ("", "jjj", ()),
    "lock_order": ("", "jj", ("--strategy", "round-robin", "--schedules", "3")),
}


def main() -> int:
    sys.path.insert(0, str(ROOT))
    from tests.check.page.browser import browser, reason  # noqa: PLC0415 - found only from here on

    if reason():
        print(f"pictures: {reason()}", file=sys.stderr)
        return 1
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, browser(Path(name) / "chromium") as driver:
        for program, (light, dark, options) in STEPS.items():
            page = Path(name) / "page.html"
            source = f"{program}.py"
            (Path(name) / source).write_text((PROGRAMS / source).read_text())
            command = [sys.executable, "-m", "weft", "check", *options, "--html", page.name, source]
            subprocess.run(command, cwd=name, stdout=subprocess.DEVNULL)
            for scheme, keys in (("light", light), ("dark", dark)):
                picture = PICTURES / f"{program}-{scheme}.png"
                picture.write_bytes(smaller(drawn(driver, page.as_uri(), scheme, keys)))
                print(f"{picture.relative_to(ROOT)}: {picture.stat().st_size:,} bytes")
    return 0


def drawn(driver: Any, address: str, scheme: str, keys: str) -> bytes:
    """The whole page as a picture."""
    from selenium.webdriver.common.action_chains import ActionChains  # noqa: PLC0415 - of an extra

    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    size = {"width": WIDTH, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.get(address)
    for key in keys:
        ActionChains(driver).send_keys(key).perform()
    driver.execute_script("scrollTo(0, 0)")
    height = driver.execute_script("return document.querySelector('footer').getBoundingClientRect().bottom")
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**size, "height": int(height)})
    driver.execute_script("scrollTo(0, 0)")
    picture: bytes = driver.get_screenshot_as_png()
    return picture


def smaller(picture: bytes, colours: int = COLOURS) -> bytes:
    """The same picture in few colours."""
    from PIL import Image  # noqa: PLC0415 - comes with the group `html`

    file = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as image:
        few = image.convert("RGB").quantize(colours, dither=Image.Dither.NONE)
        few.save(file, "PNG", optimize=True)
    return file.getvalue()


if __name__ == "__main__":
    sys.exit(main())
