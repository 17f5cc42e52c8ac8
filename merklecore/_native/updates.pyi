import sys
from collections.abc import Sequence
from typing import Any, SupportsIndex, final

from numpy.typing import NDArray

from merklecore._native.arguments import _Messages
from merklecore._native.trees import Nodes

_Indices = Sequence[SupportsIndex] | NDArray[Any]

@final
class Level:
    if sys.version_info >= (3, 12):
        def __buffer__(self, flags: int, /) -> memoryview: ...

def update(
    nodes: Nodes,
    indices: _Indices,
    leaves: _Messages,
    hashed: bool = False,
    threads: SupportsIndex | None = None,
    kernel: str | None = None,
) -> None: ...
def truncate(nodes: Nodes, size: SupportsIndex) -> None: ...
def level_rows(
    nodes: Nodes, level: SupportsIndex, start: SupportsIndex, stop: SupportsIndex
) -> memoryview: ...
def same_leaves(one: Nodes, other: Nodes) -> bool: ...
