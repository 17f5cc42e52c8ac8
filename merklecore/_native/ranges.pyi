from collections.abc import Callable, Iterable
from typing import SupportsIndex, final

from numpy import uint8
from numpy.typing import NDArray

from merklecore._native.arguments import _Data, _Messages
from merklecore._native.spec import Spec

@final
class Range:
    def __new__(cls, spec: Spec, start: SupportsIndex = 0) -> Range: ...
    @property
    def start(self) -> int: ...
    @property
    def size(self) -> int: ...
    def append(self, leaf: _Data, hashed: bool = False) -> int: ...
    def extend(
        self,
        leaves: _Messages,
        hashed: bool = False,
        threads: SupportsIndex | None = None,
        kernel: str | None = None,
        on_nodes: Callable[[int, int, NDArray[uint8]], object] | None = None,
        what: str = "leaves",
    ) -> range: ...
    def extend_batches(
        self,
        batches: Iterable[tuple[_Messages, str]],
        hashed: bool = False,
        threads: SupportsIndex | None = None,
        kernel: str | None = None,
        on_nodes: Callable[[int, int, NDArray[uint8]], object] | None = None,
    ) -> range: ...
    def merge(self, other: Range) -> None: ...
    def nodes(self) -> tuple[bytes, ...]: ...
    def state(self) -> tuple[int, int, tuple[bytes, ...]]: ...
    def restore(self, size: SupportsIndex, nodes: bytes) -> None: ...
    def root(self) -> bytes: ...
