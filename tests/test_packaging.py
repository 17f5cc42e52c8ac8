"""What is shipped: the wheel holds what runs and not how it was made; the sdist holds all that builds it."""

from __future__ import annotations

import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path, PurePosixPath

import pytest

import merklecore as mc
from tests.builds import QUICK, ROOT, copy_built, python

pytestmark = [pytest.mark.slow, pytest.mark.native_only]


@pytest.fixture(scope="module")
def wheel(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of what the sdist holds, which is built already: what is left is to link and to pack it."""
    tree = copy_built(built, tmp_path_factory.mktemp("packaging") / "tree")
    python("-m", "build", "--wheel", "--no-isolation", cwd=tree, **QUICK)
    (path,) = tree.glob("dist/*.whl")
    return path


@pytest.fixture(scope="module")
def shipped(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_holds_modules_and_their_types(shipped: list[str]) -> None:
    package = ROOT / "merklecore"
    wanted = {
        path.relative_to(ROOT).as_posix() for path in package.rglob("*") if path.suffix in (".py", ".pyi")
    }
    binaries = {name for name in shipped if name.endswith(".so")}
    held = {name for name in shipped if not PurePosixPath(name).parts[0].endswith(".dist-info")}
    assert held == wanted | {"merklecore/py.typed"} | binaries
    assert "merklecore/_native/hashing.pyi" in held
    assert {PurePosixPath(name).name.split(".")[0] for name in binaries} == {
        path.stem for path in package.glob("_native/*.pyx")
    }


def test_the_sdist_holds_every_source(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        held = {str(PurePosixPath(*PurePosixPath(name).parts[1:])) for name in archive.getnames()}
    folders = ("csrc", "merklecore", "tests", "docs", "examples", "benchmarks", "fuzz")
    made = (".so", ".o", ".a", ".pyc")
    sources = {
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix not in made and "__pycache__" not in path.parts
    }
    texts = {"README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md"}
    assert sources | texts | {"Makefile", "setup.py", "pyproject.toml"} <= held
    assert not [name for name in held if name.endswith(made)]


def test_metadata(wheel: Path, shipped: list[str]) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in shipped if name.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(archive.read(name))
    assert metadata["Version"] == mc.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    needed = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert needed == ["numpy>=1.26"]


def test_an_installed_wheel_works(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site)]
    python(*install, str(wheel), cwd=tmp_path)
    here = {"PYTHONPATH": str(site), "MERKLECORE_BACKEND": "native"}
    show = """
import merklecore as mc
print(mc.__file__)
print(mc.hash_many([b"abc"])[0].tobytes().hex(), mc.merkle_root([b""]).hex())
"""
    file, words = python("-c", show, cwd=tmp_path, **here).splitlines()
    assert Path(file).is_relative_to(site)
    assert words.split() == [
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",  # SHA-256 of "abc", FIPS 180-4
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",  # SHA-256 of one zero byte
    ]
    assert "usage: merklecore" in python("-m", "merklecore", "--help", cwd=tmp_path, **here)
    assert (site / "bin" / "merklecore").exists()
