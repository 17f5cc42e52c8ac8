"""The build follows every edit with what depends on it, and nothing else; portable and pure builds work."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builds import QUICK, build_inplace, copy_built, copy_tree, python

pytestmark = [pytest.mark.slow, pytest.mark.native_only]

PORTABLE = {"MERKLECORE_PORTABLE": "1", **QUICK}
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # SHA-256 of "abc", FIPS 180-4


@pytest.fixture(scope="module")
def tree(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree built in place: the tests below edit it one after another, and build it again."""
    return copy_built(built, tmp_path_factory.mktemp("build") / "tree")


def modules(tree: Path) -> dict[str, int]:
    """Each module, and when it was linked."""
    return {path.name.split(".")[0]: path.stat().st_mtime_ns for path in tree.glob("merklecore/_native/*.so")}


def relinked(tree: Path, **variables: str) -> set[str]:
    """The modules that a build makes anew."""
    before = modules(tree)
    build_inplace(tree, **variables)
    after = modules(tree)
    assert after.keys() == before.keys()
    return {name for name in after if after[name] != before[name]}


def objects(tree: Path) -> dict[str, int]:
    """Each compiled source of the C core, and when that was, of the last build."""
    last = max(tree.glob("build/common-*"), key=lambda path: (path / "lock").stat().st_mtime_ns)
    return {str(path.relative_to(last)): path.stat().st_mtime_ns for path in last.glob("csrc/**/*.o")}


def test_every_module_is_built(tree: Path) -> None:
    assert modules(tree).keys() == {path.stem for path in tree.glob("merklecore/_native/*.pyx")}


def test_nothing_is_built_twice(tree: Path) -> None:
    before = objects(tree)
    assert relinked(tree, **QUICK) == set()
    assert objects(tree) == before


def test_an_edited_source_is_compiled_alone_and_linked_everywhere(tree: Path) -> None:
    before = objects(tree)
    (tree / "csrc/cpu.c").touch()
    assert relinked(tree, **QUICK) == modules(tree).keys()
    assert {Path(name).name for name, made in objects(tree).items() if before[name] != made} == {"cpu.o"}


def test_an_edited_module_is_rebuilt_alone(tree: Path) -> None:
    (tree / "merklecore/_native/hashing.pyx").touch()
    assert relinked(tree, **QUICK) == {"hashing"}


def test_an_edited_declaration_rebuilds_every_module(tree: Path) -> None:
    before = objects(tree)
    (tree / "merklecore/_native/core.pxd").touch()
    assert relinked(tree, **QUICK) == modules(tree).keys()
    assert objects(tree) == before


def test_a_build_elsewhere_leaves_nothing_beside_it(tree: Path, tmp_path: Path) -> None:
    """An editable install builds in a folder of its own among everybody's temporary ones."""
    with pytest.raises(AssertionError, match="false"):
        python("setup.py", "build_ext", "--build-temp", str(tmp_path / "temp"), cwd=tree, CC="false")
    assert [path.name for path in tmp_path.iterdir()] == ["temp"]


def test_other_flags_build_everything_anew(tree: Path) -> None:
    before = objects(tree)
    assert relinked(tree, **PORTABLE) == modules(tree).keys()
    assert all(before[name] != made for name, made in objects(tree).items())


def test_a_portable_build_has_portable_kernels_only(tree: Path) -> None:
    show = """
import merklecore as mc
info = mc.cpu_info()
kernels = info["kernels"]
print(info["backend"], info["features"], kernels["sha256"]["node"], kernels["sha256d"]["messages"])
print(mc.sha256(b"abc").hex())
"""
    assert python("-c", show, cwd=tree).splitlines() == [
        "native ('portable',) ('portable',) ('portable',)",
        ABC,
    ]


def test_an_edited_header_recompiles_every_source_and_changes_behaviour(tree: Path) -> None:
    five_threads = """
import merklecore as mc
try:
    mc.hash_many([b"a", b"b"], threads=5)
    print("taken")
except mc.errors.InputError:
    print("refused")
"""
    before = objects(tree)
    header = tree / "csrc/merklecore.h"
    text = header.read_text()
    assert "#define MC_MAX_THREADS 1024\n" in text
    assert python("-c", five_threads, cwd=tree, MERKLECORE_BACKEND="native") == "taken\n"
    header.write_text(text.replace("#define MC_MAX_THREADS 1024\n", "#define MC_MAX_THREADS 4\n"))
    assert relinked(tree, **PORTABLE) == modules(tree).keys()
    assert all(before[name] != made for name, made in objects(tree).items())
    assert python("-c", five_threads, cwd=tree, MERKLECORE_BACKEND="native") == "refused\n"


def test_a_failed_build_is_not_taken_for_a_whole_one(tree: Path) -> None:
    assert list(tree.glob("build/temp*/recipe"))
    with pytest.raises(AssertionError, match="false"):
        build_inplace(tree, CC="false", **PORTABLE)
    assert not list(tree.glob("build/temp*/recipe"))


def test_without_the_extension_the_reference_serves(tmp_path: Path) -> None:
    tree = copy_tree(tmp_path / "tree")
    python("setup.py", "build", "--build-lib", str(tmp_path / "lib"), cwd=tree, MERKLECORE_NO_EXTENSION="1")
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".so", ".o", ".a")]
    show = """
import merklecore as mc
print(mc.__file__)
print(mc.cpu_info()["backend"], mc.sha256(b"abc").hex())
"""
    file, words = python("-c", show, cwd=tmp_path / "lib").splitlines()
    assert Path(file).is_relative_to(tmp_path / "lib")
    assert words == f"reference {ABC}"
