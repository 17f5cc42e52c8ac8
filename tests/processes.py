"""Processes of a test's own: a fork of this one, and Python started anew with the same build."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import merklecore as mc

PATIENCE = 600  # seconds; whoever takes longer hangs


def in_a_fork(task: Callable[[], object]) -> None:
    """Runs `task` in a fork of this process. AssertionError says how it ended, unless it ended well."""
    reading, writing = os.pipe()
    with forking():
        child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(PATIENCE)
            task()
            code = 0
        except BaseException:
            os.write(writing, traceback.format_exc().encode())
        finally:
            os._exit(code)  # nothing of the parent's is ended twice
    os.close(writing)
    with open(reading, encoding="utf-8") as pipe:
        said = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    ended = f"died of {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
    assert code == 0, f"the fork {ended}\n{said}"


class forking(warnings.catch_warnings):
    """From Python 3.12 on a fork beside other threads is warned of, and NumPy has some: it is meant here."""

    def __enter__(self) -> None:
        super().__enter__()
        warnings.filterwarnings(
            "ignore", r"This process .* is multi-threaded, use of fork", DeprecationWarning
        )


def run(code: str, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs Python code on the build under test, with these variables and no other MERKLECORE_ ones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MERKLECORE_")}
    return subprocess.run(
        [sys.executable, "-P", "-c", code, *map(str, arguments)],
        env=kept | {"PYTHONPATH": str(Path(mc.__file__).parents[1])} | variables,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def output(code: str, *arguments: object, **variables: str) -> str:
    """What it prints, when it says nothing else and ends well."""
    done = run(code, *arguments, **variables)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout
