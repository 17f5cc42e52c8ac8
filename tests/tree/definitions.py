"""Each profile's recursive definition: a root and a path of leaves, without code of the library's trees."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple

from merklecore.reference import recursive
from tests.oracles import HASHES

Leaves = tuple[bytes, ...]


class Definition(NamedTuple):
    root: Callable[[Leaves], bytes]
    path: Callable[[int, Leaves], Leaves]


def _made(root: Callable[..., bytes], path: Callable[..., Leaves], *more: object) -> Definition:
    return Definition(lambda leaves: root(leaves, *more), lambda m, leaves: path(m, leaves, *more))


def _over(leaf_hash: Callable[[bytes], bytes], definition: Definition) -> Definition:
    """The same over what another function makes of each leaf."""

    @lru_cache(maxsize=512)
    def hashed(leaves: Leaves) -> Leaves:
        return tuple(map(leaf_hash, leaves))

    return Definition(
        lambda leaves: definition.root(hashed(leaves)), lambda m, leaves: definition.path(m, hashed(leaves))
    )


def _twice(data: bytes) -> bytes:
    return HASHES["keccak256"](HASHES["keccak256"](data))


_rfc6962 = partial(_made, recursive.rfc6962_root, recursive.rfc6962_path)
_fisco = partial(_made, recursive.fisco_root, recursive.fisco_path)
_chainmaker = partial(_made, recursive.chainmaker_root, recursive.chainmaker_path)
_heap = _made(recursive.heap_root, recursive.heap_path, HASHES["keccak256"])

DEFINITIONS = {
    "rfc6962": _rfc6962(),
    "rfc6962-sm3": _rfc6962(HASHES["sm3"]),
    "bitcoin": _made(recursive.bitcoin_root, recursive.bitcoin_path),
    "ssz": _made(recursive.ssz_root, recursive.ssz_path),
    "openzeppelin": _over(_twice, _heap),
    "openzeppelin-simple": _heap,
    "cometbft-txs": _over(HASHES["sha256"], _rfc6962()),
    "fisco-bcos": _fisco(HASHES["keccak256"]),
    "fisco-bcos-sm3": _fisco(HASHES["sm3"]),
    "chainmaker": _chainmaker(HASHES["sha256"]),
    "chainmaker-sm3": _chainmaker(HASHES["sm3"]),
    "chainmaker-sha3": _chainmaker(HASHES["sha3_256"]),
}
