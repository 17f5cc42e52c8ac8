from typing import SupportsIndex, final

from merklecore._native.arguments import _Data

@final
class Spec:
    def __new__(
        cls,
        algorithm: str,
        leaf: str,
        leaf_prefix: bytes,
        node_prefix: bytes,
        odd: str,
        sort_pairs: bool,
        limit: int | None,
        empty: bytes | str | None,
    ) -> Spec: ...
    @property
    def digest_size(self) -> int: ...
    def zero(self, level: SupportsIndex) -> bytes: ...

def leaf_hash(spec: Spec, leaf: _Data, kernel: str | None = None) -> bytes: ...
