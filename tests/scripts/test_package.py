"""`./dev package` notices what is missing in an archive, and what has no business there."""

import importlib.util
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.programs import run_child
from tests.support.source import ROOT


@pytest.fixture(scope="module")
def package() -> ModuleType:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        spec = importlib.util.spec_from_file_location("weft_package", ROOT / "scripts" / "package.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(ROOT / "scripts"))
    return module


def archives(folder: Path, in_wheel: Iterable[str], in_sdist: Iterable[str]) -> tuple[Path, Path]:
    wheel, sdist = folder / "weft.whl", folder / "weft.tar.gz"
    (folder / "file").touch()
    with zipfile.ZipFile(wheel, "w") as made:
        for name in in_wheel:
            made.writestr(name, "")
    with tarfile.open(sdist, "w:gz") as packed:
        for name in in_sdist:
            packed.add(folder / "file", f"weft-0.1/{name}")
    return wheel, sdist


def whole(package: ModuleType) -> tuple[set[str], set[str]]:
    """What has to be in both."""
    sources = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*.py")}
    return {*sources, *package.IN_WHEEL, "weft-0.1.dist-info/METADATA"}, set(package.IN_SDIST)


def test_archives_that_are_whole_have_no_fault(package: ModuleType, tmp_path: Path) -> None:
    assert package.lacks(*archives(tmp_path, *whole(package))) == []


def test_what_is_missing_or_too_much_is_told(package: ModuleType, tmp_path: Path) -> None:
    wheel, sdist = whole(package)
    found = package.lacks(
        *archives(
            tmp_path, {*wheel, "tests/test_x.py"} - {"weft/py.typed", "weft/cli/doctor.py"}, sdist - {"dev"}
        )
    )
    assert sorted(found) == [
        "the sdist lacks dev",
        "the wheel has tests",
        "the wheel lacks weft/cli/doctor.py",
        "the wheel lacks weft/py.typed",
    ]


def test_what_has_to_be_there_is_in_the_repository(package: ModuleType) -> None:
    assert [name for name in package.IN_SDIST if not (ROOT / name).exists()] == []
    assert [name for name in package.IN_WHEEL if not (ROOT / "src" / name).exists()] == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_wheel_and_an_sdist_install_and_work() -> None:
    done = run_child([str(ROOT / "dev"), "package"], timeout=880)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "both install and work" in done.stdout
