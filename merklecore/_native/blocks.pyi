from collections.abc import Sequence
from typing import Any, SupportsIndex, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from merklecore._native.arguments import _Data, _Messages

_Context: TypeAlias = tuple[Any, ...]
_Fault: TypeAlias = tuple[int, int, int, int, int]
TX_TABLE: list[tuple[str, str]]

@final
class Checked:
    @property
    def faults(self) -> list[_Fault]: ...
    @property
    def fault_count(self) -> int: ...
    @property
    def warnings(self) -> list[_Fault]: ...
    @property
    def warning_count(self) -> int: ...
    @property
    def unchecked(self) -> int: ...
    @property
    def root(self) -> bytes | None: ...
    @property
    def block_hash(self) -> bytes | None: ...
    @property
    def size(self) -> int: ...
    @property
    def tx_count(self) -> int: ...
    @property
    def next_context(self) -> _Context | None: ...

@final
class Bitcoin:
    def __new__(
        cls,
        pow_limit: int,
        magic: bytes,
        bip34_height: int,
        bip65_height: int,
        bip66_height: int,
        csv_height: int,
        segwit_height: int,
        halving: int,
        twenty_minutes: bool,
        no_retarget: bool,
        bip94: bool,
        signet_challenge: bytes | None,
        genesis_hash: bytes | None = None,
    ) -> Bitcoin: ...
    def check_block(
        self, data: _Data, context: _Context | None = None, now: SupportsIndex | None = None
    ) -> Checked: ...
    def check_many(
        self,
        data: _Data,
        spans: Sequence[tuple[int, int]],
        contexts: Sequence[_Context | None],
        now: SupportsIndex | None = None,
        threads: SupportsIndex | None = None,
    ) -> list[Checked]: ...
    def check_headers(
        self, rows: _Messages, context: _Context | None = None, now: SupportsIndex | None = None
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint8], NDArray[np.uint8], int, _Context | None]: ...
    def tx_table(self, data: _Data) -> NDArray[np.void]: ...
    def txids(self, data: _Data) -> NDArray[np.uint8]: ...
