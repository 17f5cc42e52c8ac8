"""For the tests that build the project: a copy of its tree, and Python run in it as a newcomer would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
QUICK = {"MERKLECORE_QUICK": "1"}  # not optimised, which takes a third of the time
MADE = ["build", "dist", "node_modules", "__pycache__", "*.so", "*.pyc", "*.egg-info", ".*"]


def copy_tree(to: Path) -> Path:
    """The sources without anything made from them."""
    shutil.copytree(ROOT, to, ignore=shutil.ignore_patterns(*MADE))
    for name in (".clang-format", ".gitignore"):
        shutil.copy2(ROOT / name, to)
    return to


def copy_built(tree: Path, to: Path) -> Path:
    """A tree with all that was made from it, and when: what is built there again is what is edited there."""
    shutil.copytree(tree, to)
    return to


def python(*arguments: str, cwd: Path, **variables: str) -> str:
    """What `python <arguments>` prints, without the settings of this run. AssertionError where it fails."""
    ours = ("MERKLECORE_", "PYTHON", "PIP_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**environment, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def build_inplace(tree: Path, **variables: str) -> str:
    return python("setup.py", "build_ext", "--inplace", cwd=tree, **variables)
