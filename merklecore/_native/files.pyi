from collections.abc import Sequence
from os import PathLike
from typing import SupportsIndex

from _typeshed import WriteableBuffer

def hash_files(
    paths: Sequence[str | bytes | PathLike[str] | PathLike[bytes]],
    algorithm: str,
    threads: SupportsIndex | None = None,
    kernel: str | None = None,
    done: WriteableBuffer | None = None,
) -> list[bytes | OSError]: ...
