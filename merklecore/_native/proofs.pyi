from typing import Any, SupportsIndex

from numpy import uint8
from numpy.typing import NDArray

from merklecore._native.arguments import _Data, _Messages
from merklecore._native.spec import Spec
from merklecore._native.trees import Nodes

def path(nodes: Nodes, index: SupportsIndex, size: SupportsIndex | None = None) -> bytes: ...
def paths(nodes: Nodes, indices: Any, size: SupportsIndex | None = None) -> tuple[bytes, NDArray[uint8]]: ...
def set_hashes(
    nodes: Nodes, indices: Any, size: SupportsIndex | None = None, leaves: bool = False
) -> bytes: ...
def set_flags(spec: Spec, indices: Any, size: SupportsIndex) -> bytes: ...
def consistency(nodes: Nodes, old_size: SupportsIndex, size: SupportsIndex | None = None) -> bytes: ...
def fold(
    spec: Spec,
    leaf: _Data,
    path: bytes,
    width: int,
    index: SupportsIndex,
    size: SupportsIndex,
    hashed: bool = False,
    kernel: str | None = None,
) -> bytes: ...
def fold_to(
    spec: Spec,
    root: _Data,
    leaf: _Data,
    path: bytes,
    width: int,
    index: SupportsIndex,
    size: SupportsIndex,
    hashed: bool = False,
    kernel: str | None = None,
) -> None: ...
def fold_many(
    spec: Spec,
    leaves: _Messages,
    offsets: bytes,
    hashes: _Data,
    width: int,
    indices: Any,
    size: SupportsIndex,
    root: _Data,
    hashed: bool = False,
    kernel: str | None = None,
) -> tuple[tuple[int, ...], str]: ...
def fold_set(
    spec: Spec,
    leaves: _Messages,
    hashes: bytes,
    width: int,
    indices: Any,
    size: SupportsIndex,
    hashed: bool = False,
    kernel: str | None = None,
) -> bytes: ...
def fold_consistency(
    spec: Spec, hashes: bytes, width: int, old_size: SupportsIndex, size: SupportsIndex, old_root: _Data
) -> tuple[bytes, bytes]: ...
