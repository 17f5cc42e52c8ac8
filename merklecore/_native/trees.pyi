from typing import Any, SupportsIndex, final

from merklecore._native.arguments import _Data, _Messages
from merklecore._native.spec import Spec

__pyx_capi__: dict[str, object]  # what the sibling modules call in C

@final
class Nodes:
    def __new__(cls, spec: Spec) -> Nodes: ...
    def __len__(self) -> int: ...
    @property
    def nbytes(self) -> int: ...
    def make_room(self, size: SupportsIndex) -> None: ...
    def extend(
        self,
        leaves: _Messages,
        hashed: bool = False,
        threads: SupportsIndex | None = None,
        kernel: str | None = None,
    ) -> range: ...
    def append(self, leaf: _Data, hashed: bool = False) -> int: ...
    def leaf(self, index: SupportsIndex) -> bytes: ...
    def root(self, size: SupportsIndex | None = None) -> bytes: ...
    def equal_pairs(self) -> int: ...

def root(
    spec: Spec,
    leaves: _Messages,
    hashed: bool = False,
    threads: SupportsIndex | None = None,
    kernel: str | None = None,
) -> bytes: ...
def leaf_hashes(
    spec: Spec,
    leaves: _Messages,
    hashed: bool = False,
    threads: SupportsIndex | None = None,
    kernel: str | None = None,
    what: str = "leaves",
) -> Any: ...
