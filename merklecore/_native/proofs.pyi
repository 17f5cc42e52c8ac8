from typing import SupportsIndex

from merklecore._native.arguments import _Data
from merklecore._native.spec import Spec
from merklecore._native.trees import Nodes

def path(nodes: Nodes, index: SupportsIndex, size: SupportsIndex | None = None) -> tuple[bytes, ...]: ...
def fold(
    spec: Spec,
    leaf: _Data,
    path: tuple[bytes, ...],
    index: SupportsIndex,
    size: SupportsIndex,
    hashed: bool = False,
    kernel: str | None = None,
) -> bytes: ...
