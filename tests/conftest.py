"""What all tests share. Both backends are always there: a test that asks for `backend` runs over each."""

from __future__ import annotations

import gc
import importlib
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

import merklecore as mc
from tests.arrow import Ledger
from tests.builds import QUICK, build_inplace, copy_tree, python

VECTORS = Path(
    os.environ.get("MERKLECORE_VECTORS") or Path(__file__).parents[1].parent / "shared" / "vectors"
)

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile("few", max_examples=20, deadline=None)  # where the same is run again
settings.register_profile("ci", max_examples=200, deadline=None, derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-long", action="store_true", help="run the tests that take minutes, marked long")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what asks for `backend`, and leave out what is marked long.

    The latter not by -m, of which a run has one and the Makefile makes use.
    """
    for item in items:
        if "backend" in getattr(item, "fixturenames", ()):
            item.add_marker("both_backends")
    if not config.getoption("--run-long"):
        long = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


def pytest_report_header() -> str:
    about = mc.cpu_info()
    kernels = ", ".join(
        f"{name} {shape}: {k}" for name, s in about["chosen"].items() for shape, k in s.items()
    )
    return f"merklecore: {about['backend']} backend on {about['cpu']}; {kernels}"


@pytest.fixture(params=["native", "reference"])
def backend(request: pytest.FixtureRequest) -> ModuleType:
    """The primitives of one backend. Where the extension is not built its half fails, unskipped."""
    return importlib.import_module(
        {"native": "merklecore._native"}.get(request.param, "merklecore.reference")
    )


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, made with the tools that are installed here."""
    tree = copy_tree(tmp_path_factory.mktemp("sdist") / "tree")
    python("-m", "build", "--sdist", "--no-isolation", cwd=tree)
    (path,) = tree.glob("dist/*.tar.gz")
    return path


@pytest.fixture(scope="session")
def built(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the sdist holds, built in place and not optimised, once: tests that build it again copy it."""
    folder = tmp_path_factory.mktemp("built")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (tree,) = folder.iterdir()
    build_inplace(tree, **QUICK)
    return tree


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    """Arrow structures, and who has released them: at the end all is released that was handed out."""
    gc.freeze()  # garbage is looked for at the end, among what the test made: not in all that there is
    made = Ledger()
    yield made
    made.settle()
    gc.unfreeze()


@pytest.fixture(scope="session")
def vectors() -> Path:
    """Conformance data of other projects."""
    if not VECTORS.is_dir():
        pytest.skip("the conformance data is not beside the project; MERKLECORE_VECTORS says where it is")
    return VECTORS
