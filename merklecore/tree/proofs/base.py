"""What every proof is: frozen, comparable, hashable, picklable; hashes, and nothing that they prove."""

from __future__ import annotations

from merklecore.errors import InputError, ProofError
from merklecore.tree.arguments import as_bytes
from merklecore.tree.proofs.encoding import (
    MAX_COUNT,
    VERSION,
    Reader,
    array_of,
    hex_list,
    joined,
    object_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, ClassVar, NoReturn, Self

    from _typeshed import ReadableBuffer

    from merklecore import _backend

__all__ = ["Frozen", "HashProof", "checked", "holds", "pieces"]


def checked(root: ReadableBuffer, spec: _backend.Spec, what: str = "root") -> bytes:
    """Return a root as bytes; InputError for another length than a digest's."""
    if type(root) is not bytes:
        root = as_bytes(root, what)
    if len(root) != spec.digest_size:
        raise InputError(f"{what}: {len(root)} bytes, digests have {spec.digest_size}")
    return root


def holds(found: bytes, root: bytes, what: str = "path") -> None:
    """Raise ProofError where a proof leads to another root."""
    if found != root:
        raise ProofError(f"the {what} leads to {found.hex()}, not to the given root {root.hex()}")


def pieces(data: bytes, d: int) -> tuple[bytes, ...]:
    """Cut rows of d bytes."""
    return tuple([data[i : i + d] for i in range(0, len(data), d or 1)])


class Frozen:
    """A value: its fields are set once, when it is made."""

    __slots__ = ()

    _fields: ClassVar[tuple[str, ...]]
    _a_proof: ClassVar[str]

    def __new__(cls) -> Self:
        name = cls.__name__
        raise TypeError(f"{name} has no constructor: use from_path, from_bytes, from_json or a prove method")

    @classmethod
    def _made(cls, *values: Any) -> Self:
        made = object.__new__(cls)
        for field, value in zip(cls._fields, values, strict=True):
            object.__setattr__(made, field, value)
        return made

    def _key(self) -> tuple[Any, ...]:
        return tuple([getattr(self, field) for field in self._fields])

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash((type(self), self._key()))

    if TYPE_CHECKING:  # every kind has its own

        def __bytes__(self) -> bytes: ...

        @classmethod
        def from_bytes(cls, data: ReadableBuffer) -> Self: ...

    def __reduce__(self) -> tuple[object, ...]:
        return type(self).from_bytes, (bytes(self),)


class HashProof(Frozen):
    """A proof that is a list of hashes of one length, in the one order that its place in the tree demands.

    The hashes stand one behind the other in one bytes object; ``path`` cuts them.
    """

    __slots__ = ("_d", "_hashes")

    _fields = ("_d", "_hashes")
    _type: ClassVar[int]
    _name: ClassVar[str]
    _most: ClassVar[int] = MAX_COUNT  # hashes
    _most_json: ClassVar[int] = 1 << 40  # characters

    _d: int
    _hashes: bytes

    @classmethod
    def _of(cls, d: int, hashes: bytes) -> Self:
        """Return a proof of hashes known to be right: those of a tree."""
        return cls._made(d if hashes else 0, hashes)

    @property
    def path(self) -> tuple[bytes, ...]:
        """The hashes, d bytes each."""
        return pieces(self._hashes, self._d)

    @classmethod
    def from_path(cls, path: Sequence[ReadableBuffer]) -> Self:
        """Return the proof of hashes as other tools give them: a list or tuple of bytes-likes, in order.

        InputError for too many hashes, for lengths that differ, and for empty hashes; TypeError for others
        than bytes-like objects.
        """
        return cls._made(*joined(path, "path", cls._most))

    def __bytes__(self) -> bytes:
        """Return the encoding: type, version 1, d (0 without hashes), count (u32 big-endian), hashes."""
        return bytes((self._type, VERSION, self._d)) + self._count().to_bytes(4, "big") + self._hashes

    @classmethod
    def from_bytes(cls, data: ReadableBuffer) -> Self:
        """Return the proof that ``data`` encodes. InputError says at which offset it is none."""
        most = {} if cls._most == MAX_COUNT else {"most": 7 + cls._most * 255}
        reader = Reader(data, **most)
        d, count = reader.header(cls._type, cls._a_proof, cls._most)
        what = f"{count} hashes of {d} bytes"
        hashes = reader.take(count * d, what)
        reader.end(what)
        return cls._made(d, hashes)

    def to_json(self) -> str:
        """Return the proof as JSON: type, version and the hashes in lower-case hexadecimal."""
        return f'{{"type":"{self._name}","version":{VERSION},"hashes":{array_of(self.path)}}}'

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the proof in a JSON text. InputError for other keys, types and letters."""
        found = object_of(text, cls._name, cls._a_proof, ("hashes",), cls._most_json)
        return cls.from_path(hex_list(found["hashes"], "hashes", cls._most))

    def _count(self) -> int:
        return len(self._hashes) // (self._d or 1)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({counted(self._count(), self._d)})"


def counted(count: int, d: int) -> str:
    """Say how many hashes there are, and of what length."""
    return f"{count} hash{'' if count == 1 else 'es'}{f' of {d} bytes' if count else ''}"
