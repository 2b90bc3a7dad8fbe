"""What a run of CPython's tests under weft says, held against plain CPython and the known exceptions."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
MODELS = ("kernel", "user", "hybrid")
SLICES = ("default", "1ms", "0.2ms")
KNOWN = {"test", "versions", "models", "slices", "reason"}


@dataclass(frozen=True)
class Known:
    """One entry of exceptions.toml."""

    test: str
    versions: tuple[str, ...]
    models: tuple[str, ...]
    slices: tuple[str, ...]
    reason: str

    def meets(self, version: str, model: str, slice_: str) -> bool:
        return version in self.versions and model in self.models and slice_ in self.slices


def known_exceptions(path: Path = HERE / "exceptions.toml") -> list[Known]:
    """The entries of the list, which must be well formed and as many as it says."""
    with open(path, "rb") as f:
        data = tomllib.load(f)
    entries = data.get("exception", [])
    for e in entries:
        if set(e) - KNOWN or not all(e.get(k) for k in ("test", "versions", "models", "reason")):
            raise SystemExit(
                f"{path.name}: test, versions, models and reason must be given, and no more: {e}"
            )
        if set(e["models"]) - set(MODELS) or set(e.get("slices", ())) - set(SLICES):
            raise SystemExit(f"{path.name}: models are {MODELS}, slices {SLICES}: {e}")
    if len(entries) != data["most"]:
        what = "lower `most`" if len(entries) < data["most"] else "the list may only shrink"
        raise SystemExit(f"{path.name}: {len(entries)} entries, most = {data['most']}: {what}")
    return [
        Known(
            e["test"], tuple(e["versions"]), tuple(e["models"]), tuple(e.get("slices", SLICES)), e["reason"]
        )
        for e in entries
    ]


@dataclass
class Verdict:
    """One run: a version, a model, a slice."""

    version: str
    model: str
    slice_: str
    counted: int = 0
    passed: int = 0
    listed: int = 0
    hung: int = 0
    crashed: int = 0
    seconds: float = 0.0
    failing: list[tuple[str, str, str]] = field(default_factory=list)  # not listed, did not pass
    passing: list[str] = field(default_factory=list)  # listed, passed
    wrong: list[str] = field(default_factory=list)  # of the run itself

    @property
    def good(self) -> bool:
        return not (self.failing or self.passing or self.wrong)

    @property
    def failed(self) -> int:
        """Tests that are not as the list has them, and at least one for anything else that is wrong."""
        return self.counted - self.passed - self.listed + len(self.passing) or len(self.wrong)

    def row(self) -> list[str]:
        share = f"{100 * self.passed / self.counted:.2f} %" if self.counted else "-"
        cells = [self.version, self.model, self.slice_, self.passed, self.counted, share, self.listed]
        cells += [len(self.failing), len(self.passing), self.hung, self.crashed, f"{self.seconds:.0f} s"]
        return [*map(str, cells), "ok" if self.good else "DIFFERENT"]

    def differences(self) -> list[str]:
        """Each difference in a line."""
        out = [f"{test}  {outcome}  {message}".rstrip() for test, outcome, message in self.failing]
        out += [f"{test}  passes and is listed: take it off the list" for test in self.passing]
        return out + self.wrong


HEAD = ["python", "model", "slice", "passed", "counted", "share", "listed"]
HEAD += ["new failures", "listed, pass", "hung", "crashed", "time", ""]


def judge(
    base: dict[str, Any],
    result: dict[str, Any],
    run: tuple[str, str, str],
    known: list[Known],
    complete: bool = True,
) -> Verdict:
    """Counts what passed on plain CPython, and finds where the run and the list disagree.

    All tests of the baseline's modules were to run; if those are `complete`, each entry must be among them.
    """
    v = Verdict(*run)
    listed = {k.test for k in known if k.meets(*run)}
    counted = set()
    for module, plain in base["modules"].items():
        ran = result["modules"].get(module)
        if ran is None:
            v.wrong.append(f"{module}: was not run")
            v.counted += sum(t["o"] == "passed" for t in plain["tests"].values())
            continue
        v.seconds += ran["seconds"]
        if "start" not in ran["probe"]:
            lost = [f"{module}.{key}" for key, t in plain["tests"].items() if t["o"] == "passed"]
            counted.update(lost)
            v.counted += len(lost)
            v.wrong.append(f"{module}: never began ({ran['state']}): none of its {len(lost)} tests ran")
            continue
        v.wrong += out_of_force(module, ran, v.model)
        for key, t in plain["tests"].items():
            if t["o"] != "passed":
                continue
            name = f"{module}.{key}"
            counted.add(name)
            got = ran["tests"].get(key, {"o": "absent", "m": "; ".join(ran["notes"])})
            v.counted += 1
            v.passed += got["o"] == "passed"
            v.hung += got["o"] == "hung"
            v.crashed += got["o"] == "crashed"
            if got["o"] == "passed":
                v.passing += [name] if name in listed else []
            elif name in listed:
                v.listed += 1
            else:
                v.failing.append((name, got["o"], got.get("m", "")))
    if complete:
        v.wrong += [f"{name}: listed, but no test that counts" for name in sorted(listed - counted)]
    return v


def out_of_force(module: str, ran: dict[str, Any], model: str) -> list[str]:
    """Says so if the module did not run on the model that was asked for."""
    probe = ran["probe"]["start"]
    one = probe["threads_on_main_os_thread"] and probe["raw_threads_on_main_os_thread"]
    if probe["weft"] == (model != "plain") and (model == "hybrid" or one == (model == "user")):
        return []  # a thread of hybrid is on the main kernel thread or on another
    return [f"{module}: the {model} model was not in force: {probe}"]


def table(rows: list[list[str]]) -> str:
    """Rows as a Markdown table, padded to be read as it is."""
    wide = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(r, wide, strict=True)) + " |" for r in rows]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in wide) + "|")
    return "\n".join(lines)
