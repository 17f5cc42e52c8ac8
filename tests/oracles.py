"""What others say a digest is: hashlib, and the packages blake3 and safe-pysha3 for what it lacks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import blake3
import sha3

import merklecore as mc
from merklecore import _backend
from merklecore.reference.hashing import HAS_SM3
from merklecore.reference.incremental import Sm3

# sm3 is not in every build of OpenSSL. Where it is missing the known answers alone vouch for the reference.
INCREMENTAL: dict[str, Callable[..., Any]] = {
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
    "sha3_256": hashlib.sha3_256,
    "keccak256": sha3.keccak_256,
    "sm3": partial(hashlib.new, "sm3") if HAS_SM3 else Sm3,
    "blake3": blake3.blake3,
    "blake2b_256": partial(hashlib.blake2b, digest_size=32),
}


def _one(new: Callable[..., Any]) -> Callable[[bytes], bytes]:
    return lambda data: new(data).digest()


def _sha256d(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


HASHES = {"sha256d": _sha256d, **{name: _one(new) for name, new in INCREMENTAL.items()}}


SLOW = {"keccak256", "blake3"} | (set() if HAS_SM3 else {"sm3"})


def is_slow(backend: ModuleType, algorithm: str) -> bool:
    """Whether the hash is written in Python there: a third of a millisecond a block, so tests take fewer."""
    return backend.NAME == "reference" and algorithm in SLOW


def is_slow_here(profile: mc.Profile | str) -> bool:
    """The same of the backend that serves this run, for trees."""
    rules = mc.profiles[profile] if isinstance(profile, str) else profile
    return is_slow(_backend, rules.algorithm)
