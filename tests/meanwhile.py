"""Two threads of Python that meet where a test wants them to."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")

TRIES = 200


@contextmanager
def switching(seconds: float) -> Iterator[None]:
    """After how long the interpreter takes the GIL away from a thread that wants to keep it."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def every_switch() -> AbstractContextManager[None]:
    """Threads take turns as often as they can."""
    return switching(1e-6)


def meanwhile(call: Callable[[], T], action: Callable[[], object]) -> T:
    """What `call` returns that another thread has run `action` under.

    The interpreter takes the GIL from nobody here, so the other thread runs when `call` lets it go, and at no
    other time. Where the call is over before the other thread has woken up, it is made again.
    """
    ready, ended = threading.Event(), threading.Event()
    failed: list[BaseException] = []

    def run() -> None:
        ready.wait()
        try:
            action()
        except BaseException as error:
            failed.append(error)
        ended.set()

    other = threading.Thread(target=run)
    other.start()
    with switching(1000):
        try:
            for _ in range(TRIES):
                ready.set()
                result = call()
                if ended.is_set():
                    break
            else:
                raise AssertionError(f"the GIL was not released in {TRIES} calls")
        finally:
            ready.set()
            other.join()
    if failed:
        raise failed[0]
    return result


@contextmanager
def at_step(step: int, part: str, action: Callable[[], object]) -> Iterator[threading.Event]:
    """Runs `action` before instruction `step`, counted from 0, of the code in files with `part` in the name.

    Between two instructions another thread may run: what it may do, `action` does. The event tells of it.
    """
    seen, passed = 0, threading.Event()

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal seen
        if part not in frame.f_code.co_filename:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            if seen == step:
                passed.set()
                action()
            seen += 1
        return trace

    before = sys.gettrace()
    sys._getframe().f_trace_opcodes = True  # Python 3.12 asks for it when tracing begins, and not again
    sys.settrace(trace)
    try:
        yield passed
    finally:
        sys.settrace(before)
