from typing import SupportsIndex, final

from merklecore._native.arguments import _Data, _Messages

@final
class Spec:
    def __new__(
        cls,
        algorithm: str,
        leaf: str,
        leaf_prefix: bytes,
        node_prefix: bytes,
        odd: str,
        limit: int | None,
        empty: bytes | str | None,
    ) -> Spec: ...
    @property
    def digest_size(self) -> int: ...
    def zero(self, level: SupportsIndex) -> bytes: ...

@final
class Nodes:
    def __new__(cls, spec: Spec) -> Nodes: ...
    def __len__(self) -> int: ...
    @property
    def nbytes(self) -> int: ...
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
    def path(self, index: SupportsIndex, size: SupportsIndex | None = None) -> tuple[bytes, ...]: ...
    def equal_pairs(self) -> int: ...

def root(
    spec: Spec,
    leaves: _Messages,
    hashed: bool = False,
    threads: SupportsIndex | None = None,
    kernel: str | None = None,
) -> bytes: ...
def leaf_hash(spec: Spec, leaf: _Data, kernel: str | None = None) -> bytes: ...
def fold(
    spec: Spec,
    leaf: _Data,
    path: tuple[bytes, ...],
    index: SupportsIndex,
    size: SupportsIndex,
    hashed: bool = False,
    kernel: str | None = None,
) -> bytes: ...
