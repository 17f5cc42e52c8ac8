"""What the tests of blocks share."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

from merklecore import _backend, blocks


@pytest.fixture
def engine(backend: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Callable[..., blocks.Engine]:
    """`Engine` over one backend."""
    monkeypatch.setattr(_backend, "Bitcoin", backend.Bitcoin)
    return blocks.Engine
