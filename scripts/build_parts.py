"""Compiles what of weft is in C as it is built or installed; without a compiler weft is pure Python.

A hook of hatchling's, told of in pyproject.toml. A wheel with the compiled parts is for one version of Python
and one platform, one without them for all. For an editable installation it compiles the bytecode too.
"""

import compileall
import os
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PARTS = ("weft/core/_life.c", "weft/stdlib/_calls.c", "weft/watch/_notes.c")  # below src
if sys.version_info < (3, 12):
    PARTS = (*PARTS, "weft/host/_tracer.c")
if sysconfig.get_config_var("Py_GIL_DISABLED"):  # the others lean on the interpreter's lock
    PARTS = ("weft/host/_guard.c",)
PURE = "WEFT_PURE"  # in the environment: do not compile


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the compiled parts to a wheel, or puts them beside their sources for an editable installation."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it builds."""
        if version == "editable":
            # As pip does where it copies files: else each start of a command compiles them all, where the
            # interpreter may keep none (PYTHONDONTWRITEBYTECODE).
            compileall.compile_dir(str(Path(self.root, "src", "weft")), quiet=2)
        if self.target_name != "wheel" or os.environ.get(PURE):
            return
        with tempfile.TemporaryDirectory(prefix="weft-build-") as folder:
            try:
                made = {part: compiled(Path(self.root, "src", part), Path(folder)) for part in PARTS}
            except Exception as error:  # noqa: BLE001 - compilers fail in all ways, and weft works without
                sys.stderr.write(
                    f"weft: built without its parts in C, so threads and recordings cost more: {error}\n"
                )
                return
            for part, module in made.items():
                place = Path(part).parent / module.name
                kept = Path(self.root, "src" if version == "editable" else "build", place)
                kept.parent.mkdir(parents=True, exist_ok=True)
                beside = kept.with_name(f"{module.name}.{os.getpid()}.new")
                beside.write_bytes(module.read_bytes())
                os.replace(beside, kept)  # somebody may be running the one before
                if version != "editable":
                    build_data["force_include"][str(kept)] = place.as_posix()
        if version != "editable":
            build_data["pure_python"] = False
            build_data["infer_tag"] = True


def compiled(source: Path, folder: Path) -> Path:
    """Compile a module of one file; gives what Python can import.

    Raises:
        Exception: whatever setuptools says of a compiler that is not there or fails.
    """
    from setuptools import Distribution, Extension  # noqa: PLC0415 - weft is built without it too
    from setuptools.command.build_ext import build_ext  # noqa: PLC0415

    extension = Extension(source.stem, [str(source)])
    command = build_ext(Distribution({"name": "weft", "ext_modules": [extension]}))
    command.build_temp, command.build_lib = str(folder / "temp"), str(folder)
    command.ensure_finalized()
    command.run()
    return Path(command.get_ext_fullpath(source.stem))
