from typing import Any, SupportsIndex

from merklecore._native.arguments import _Data, _Messages

def digest(data: _Data, algorithm: str, kernel: str | None = None) -> bytes: ...
def sha256(data: _Data, /) -> bytes: ...
def sha256d(data: _Data, /) -> bytes: ...
def hash_many(
    messages: _Messages,
    algorithm: str,
    prefix: _Data = b"",
    threads: SupportsIndex | None = None,
    out: Any = None,
    kernel: str | None = None,
) -> Any: ...
def hash_pairs(
    nodes: _Messages,
    algorithm: str,
    prefix: _Data = b"",
    threads: SupportsIndex | None = None,
    out: Any = None,
    kernel: str | None = None,
) -> Any: ...
