"""Hashes that take their message piece by piece, with the interface of hashlib, where hashlib has none.

``digest`` changes nothing. The compression functions are those of ``hashes``.
"""

from __future__ import annotations

from hashlib import sha256

from merklecore.reference.hashes import blake3, keccak, sm3
from merklecore.reference.inputs import contiguous

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol, Self

    from _typeshed import ReadableBuffer

    from merklecore.reference.inputs import Data

    class Hash(Protocol):
        """What hashlib's objects and those below have in common."""

        @property
        def name(self) -> str: ...
        @property
        def digest_size(self) -> int: ...
        @property
        def block_size(self) -> int: ...
        def update(self, data: ReadableBuffer, /) -> None: ...
        def digest(self) -> bytes: ...
        def hexdigest(self) -> str: ...
        def copy(self) -> Self: ...


__all__ = ["Blake3", "Keccak256", "Sha256d", "Sm3"]


class Sha256d:
    """SHA-256 of the SHA-256, over hashlib's.

    >>> Sha256d(b"abc").hexdigest()[:16]
    '4f8b42c22dd3729b'
    """

    __slots__ = ("_inner",)

    name, digest_size, block_size = "sha256d", 32, 64

    def __init__(self, data: Data = b"") -> None:
        self._inner = sha256(contiguous(data, "data"))

    def update(self, data: Data, /) -> None:
        """Append to the message."""
        self._inner.update(contiguous(data, "data"))

    def digest(self) -> bytes:
        """The digest of the message so far."""
        return sha256(self._inner.digest()).digest()

    def hexdigest(self) -> str:
        """The same in hexadecimal."""
        return self.digest().hex()

    def copy(self) -> Sha256d:
        """Another one with the same message, which goes its own way."""
        other = Sha256d()
        other._inner = self._inner.copy()
        return other


class _Blocks:
    """Cuts a message into pieces of ``_SIZE`` bytes; one is hashed when more follows, the last by ``digest``.

    ``_state`` is replaced, never changed in place, so that a copy may share it.
    """

    __slots__ = ("_count", "_state", "_tail")

    name: str
    digest_size = 32
    block_size: int
    _SIZE: int
    _START: Any

    def __init__(self, data: Data = b"") -> None:
        self._state = self._START
        self._count = 0  # pieces in the state
        self._tail = b""
        self.update(data)

    def _after(self, piece: bytes) -> Any:
        """The state after one more piece."""
        raise NotImplementedError

    def update(self, data: Data, /) -> None:
        """Append to the message."""
        view = memoryview(contiguous(data, "data"))
        at = min(self._SIZE - len(self._tail), len(view))
        self._tail += view[:at]
        while at < len(view):
            self._state = self._after(self._tail)
            self._count += 1
            self._tail = bytes(view[at : at + self._SIZE])
            at += self._SIZE

    def digest(self) -> bytes:
        """The digest of the message so far."""
        raise NotImplementedError

    def hexdigest(self) -> str:
        """The same in hexadecimal."""
        return self.digest().hex()

    def copy(self) -> Self:
        """Another one with the same message, which goes its own way."""
        other = type(self)()
        other._state, other._count, other._tail = self._state, self._count, self._tail
        return other


class Keccak256(_Blocks):
    """Keccak-256 with the original padding: the state is the 25 lanes.

    >>> Keccak256(b"abc").hexdigest()[:16]
    '4e03657aea45a94f'
    """

    __slots__ = ()

    name, block_size, _SIZE = "keccak256", keccak.RATE, keccak.RATE
    _START = (0,) * 25

    def _after(self, piece: bytes) -> list[int]:
        return keccak.absorb(self._state, piece)

    def digest(self) -> bytes:
        """The digest of the message so far."""
        A, padded = self._state, keccak.pad(self._tail, keccak.KECCAK)
        for i in range(0, len(padded), keccak.RATE):
            A = keccak.absorb(A, padded[i : i + keccak.RATE])
        return keccak.squeeze(A)


class Sm3(_Blocks):
    """SM3, for an OpenSSL that lacks it: the state is the chaining value.

    >>> Sm3(b"abc").hexdigest()[:16]
    '66c7f0f462eeedd9'
    """

    __slots__ = ()

    name, block_size, _SIZE = "sm3", 64, 64
    _START = sm3.IV

    def _after(self, piece: bytes) -> tuple[int, ...]:
        return sm3.compress(self._state, piece)

    def digest(self) -> bytes:
        """The digest of the message so far."""
        V, padded = self._state, sm3.pad(self._tail, 64 * self._count + len(self._tail))
        for i in range(0, len(padded), 64):
            V = sm3.compress(V, padded[i : i + 64])
        return b"".join(x.to_bytes(4, "big") for x in V)


class Blake3(_Blocks):
    """BLAKE3: the state is the chaining values of the complete subtrees, largest first (paper, 5.1.2).

    As many as the number of chunks has bits set. A chunk that others follow closes every subtree that it is
    the last chunk of, and none of these is the root.

    >>> Blake3(b"IETF").hexdigest()[:16]
    '83a2de1ee6f4e6ab'
    """

    __slots__ = ()

    name, block_size, _SIZE = "blake3", blake3.BLOCK, blake3.CHUNK
    _START = ()

    def _after(self, piece: bytes) -> tuple[tuple[int, ...], ...]:
        stack, value, chunks = self._state, blake3.chunk(piece, self._count), self._count + 1
        while chunks % 2 == 0:
            stack, value, chunks = stack[:-1], blake3.parent(stack[-1], value), chunks // 2
        return (*stack, value)

    def digest(self) -> bytes:
        """The digest of the message so far."""
        stack = self._state
        value = blake3.chunk(self._tail, self._count, 0 if stack else blake3.ROOT)
        for i in reversed(range(len(stack))):
            value = blake3.parent(stack[i], value, 0 if i else blake3.ROOT)
        return blake3.VALUE.pack(*value)
