"""Inclusion proofs of many leaves, each by itself, in one array."""

from __future__ import annotations

from merklecore import _backend
from merklecore.errors import BoundsError, InputError, ProofError
from merklecore.tree.arguments import integer
from merklecore.tree.profiles import resolve
from merklecore.tree.proofs.base import Frozen, checked, counted
from merklecore.tree.proofs.encoding import VERSION, Reader, array_of, hex_list, joined, object_of
from merklecore.tree.proofs.inclusion import MAX_HASHES, InclusionProof, made

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, SupportsIndex, overload

    from _typeshed import ReadableBuffer
    from numpy import int64, uint8
    from numpy.typing import NDArray

    from merklecore.hashing import Messages
    from merklecore.tree.profiles import Profile

__all__ = ["InclusionProofs"]

MAX_PROOFS = (1 << 32) - 1


class InclusionProofs(Frozen):
    """Inclusion proofs of n leaves under one root, one behind the other in one array.

    Made by ``MerkleTree.prove_many``, ``from_path``, ``from_bytes`` and ``from_json``. Frozen, comparable,
    hashable, picklable. ``proofs[i]`` is an InclusionProof, ``proofs[i:j]`` are several.

    >>> from merklecore import MerkleTree
    >>> tree = MerkleTree([b"a", b"b", b"c"])
    >>> proofs = tree.prove_many([2, 0])
    >>> proofs
    InclusionProofs(2 proofs, 3 hashes of 32 bytes)
    >>> proofs.verify(tree.root, [b"c", b"a"], indices=[2, 0], size=3)
    >>> proofs[0] == tree.prove(2), len(proofs)
    (True, 2)
    """

    __slots__ = ("_d", "_hashes", "_offsets")

    _fields = ("_d", "_offsets", "_hashes")

    _d: int
    _offsets: bytes  # n + 1 int64
    _hashes: NDArray[uint8]

    @property
    def hashes(self) -> NDArray[uint8]:
        """All hashes, uint8, shape (total, d), read-only.

        >>> InclusionProofs.from_path([[bytes(32)], []]).hashes.shape
        (1, 32)
        """
        return self._hashes

    @property
    def offsets(self) -> NDArray[int64]:
        """Where paths begin and end, int64, shape (n + 1,): path i is hashes[offsets[i]:offsets[i + 1]].

        >>> InclusionProofs.from_path([[bytes(32)], []]).offsets.tolist()
        [0, 1, 1]
        """
        import numpy

        return numpy.frombuffer(self._offsets, numpy.int64)

    @property
    def path(self) -> tuple[tuple[bytes, ...], ...]:
        """The path of each proof, leaf to root.

        >>> InclusionProofs.from_path([[b"a"], []]).path
        ((b'a',), ())
        """
        return tuple([proof.path for proof in self])

    @classmethod
    def from_path(cls, paths: Sequence[Sequence[ReadableBuffer]]) -> InclusionProofs:
        """Return the proofs of several paths, a list or tuple of what ``InclusionProof.from_path`` takes.

        All hashes have one length. Errors are those of ``InclusionProof.from_path``.

        >>> InclusionProofs.from_path([[bytes(32)], [bytes(32)]])
        InclusionProofs(2 proofs, 2 hashes of 32 bytes)
        """
        if not isinstance(paths, (list, tuple)):
            raise TypeError(f"paths: a list or tuple of paths is needed, not {type(paths).__name__}")
        if len(paths) > MAX_PROOFS:
            raise InputError(f"paths: {len(paths)} paths, a set has at most {MAX_PROOFS}")
        d, parts = 0, []
        for i, path in enumerate(paths):
            own, part = joined(path, f"paths[{i}]", MAX_HASHES)
            if own and d and own != d:
                raise InputError(f"paths[{i}]: hashes of {own} bytes where the first ones have {d}")
            d = d or own
            parts.append(part)
        counts = bytes([len(part) // (d or 1) for part in parts])
        return cls._made(d, _offsets(counts), _rows(b"".join(parts), d))

    def verify(
        self,
        root: ReadableBuffer,
        leaves: Messages,
        *,
        indices: Any,
        size: SupportsIndex,
        profile: Profile | str = "rfc6962",
        hashed: bool = False,
    ) -> None:
        """Return None when each proof shows its leaf at its index under ``root``; else raise.

        leaves: n of them, as ``merkle_root`` takes them; with ``hashed`` their leaf hashes. indices: a list,
        tuple, range or array of n integers, in the order of the proofs, repeated ones allowed. What must hold
        for each is what ``InclusionProof.verify`` demands, and where that comes from is said there.

        ProofError has the positions of all proofs that do not hold in ``failed``; its message tells what is
        wrong with the first. BoundsError for an index not below size, InputError for no proofs, another
        number of leaves or indices than of them, and wrong lengths.

        >>> from merklecore import MerkleTree, ProofError
        >>> tree = MerkleTree([b"a", b"b", b"c"])
        >>> try:
        ...     tree.prove_many([0, 1, 2]).verify(tree.root, [b"a", b"c", b"b"], indices=[0, 1, 2], size=3)
        ... except ProofError as error:
        ...     print(error.failed)
        (1, 2)
        """
        spec = resolve(profile).spec
        trusted = checked(root, spec)
        failed, reason = _backend.fold_many(
            spec, leaves, self._offsets, self._hashes, self._d, indices, size, trusted, hashed
        )
        if failed:
            holding = f"{len(failed)} of {len(self)} proofs do not hold"
            error = ProofError(f"{holding}, the first at position {failed[0]}: {reason}")
            error.failed = failed
            raise error

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, InclusionProofs):
            return NotImplemented
        import numpy

        return (self._d, self._offsets) == (other._d, other._offsets) and numpy.array_equal(
            self._hashes, other._hashes
        )

    def __hash__(self) -> int:
        return hash((self._d, self._offsets, self._hashes.tobytes()))

    def __len__(self) -> int:
        return len(self._offsets) // 8 - 1

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, item: SupportsIndex) -> InclusionProof: ...
        @overload
        def __getitem__(self, item: slice) -> InclusionProofs: ...

    def __getitem__(self, item: SupportsIndex | slice) -> InclusionProof | InclusionProofs:
        bounds = memoryview(self._offsets).cast("q")
        if isinstance(item, slice):
            chosen = range(*item.indices(len(self)))
            counts = bytes([bounds[i + 1] - bounds[i] for i in chosen])
            data = b"".join([self._hashes[bounds[i] : bounds[i + 1]].tobytes() for i in chosen])
            d = self._d if data else 0
            return self._made(d, _offsets(counts), _rows(data, d))
        i = integer(item, "position")
        if not -len(self) <= i < len(self):
            raise BoundsError(f"position {i} is not below {len(self)} proofs")
        i %= len(self)
        return made(self._d, self._hashes[bounds[i] : bounds[i + 1]].tobytes())

    def __iter__(self) -> Iterator[InclusionProof]:
        return (self[i] for i in range(len(self)))

    def __bytes__(self) -> bytes:
        """Return the encoding: type 2, version 1, d, count (u32), proofs (u32), counts (u8 each), hashes."""
        bounds = memoryview(self._offsets).cast("q")
        counts = bytes([bounds[i + 1] - bounds[i] for i in range(len(self))])
        head = bytes((2, VERSION, self._d)) + bounds[-1].to_bytes(4, "big")
        return b"".join((head, len(self).to_bytes(4, "big"), counts, self._hashes.data))

    @classmethod
    def from_bytes(cls, data: ReadableBuffer) -> InclusionProofs:
        """Return the proofs that ``data`` encodes. InputError says at which offset there are none.

        >>> InclusionProofs.from_bytes(bytes.fromhex("0201000000000000000000"))
        InclusionProofs(0 proofs, 0 hashes)
        """
        reader = Reader(data)
        d, count = reader.header(2, "a set of inclusion proofs")
        proofs = reader.u32("the number of proofs")
        at = reader.at
        counts = reader.take(proofs, f"the counts of {proofs} proofs")
        if counts and max(counts) > MAX_HASHES:
            i = next(i for i, own in enumerate(counts) if own > MAX_HASHES)
            raise InputError(f"offset {at + i}: {counts[i]} hashes, a proof has at most {MAX_HASHES}")
        if sum(counts) != count:
            raise InputError(f"offset 3: {count} hashes, the counts of the proofs sum to {sum(counts)}")
        what = f"{count} hashes of {d} bytes"
        hashes = reader.take(count * d, what)
        reader.end(what)
        return cls._made(d, _offsets(counts), _rows(hashes, d))

    def to_json(self) -> str:
        """Return the proofs as JSON: type, version, and of each proof the hashes in lower-case hexadecimal.

        >>> InclusionProofs.from_path([[bytes(2)], []]).to_json()
        '{"type":"inclusions","version":1,"proofs":[["0000"],[]]}'
        """
        proofs = ",".join([array_of(path) for path in self.path])
        return f'{{"type":"inclusions","version":{VERSION},"proofs":[{proofs}]}}'

    @classmethod
    def from_json(cls, text: str) -> InclusionProofs:
        """Return the proofs in a JSON text. InputError for other keys, types and letters.

        >>> InclusionProofs.from_json('{"type":"inclusions","version":1,"proofs":[["0000"],[]]}')
        InclusionProofs(2 proofs, 1 hash of 2 bytes)
        """
        found = object_of(text, "inclusions", "a set of inclusion proofs", ("proofs",), 1 << 40)
        proofs = found["proofs"]
        if not isinstance(proofs, list):
            raise InputError("JSON: proofs: a list is needed")
        return cls.from_path([hex_list(path, f"proofs[{i}]", MAX_HASHES) for i, path in enumerate(proofs)])

    def __repr__(self) -> str:
        n, total = len(self), len(self._hashes)
        return f"InclusionProofs({n} proof{'' if n == 1 else 's'}, {counted(total, self._d)})"


def _offsets(counts: bytes) -> bytes:
    import numpy

    offsets = numpy.zeros(len(counts) + 1, numpy.int64)
    numpy.cumsum(numpy.frombuffer(counts, numpy.uint8), out=offsets[1:])
    return offsets.tobytes()


def _rows(data: bytes, d: int) -> NDArray[uint8]:
    import numpy

    return numpy.frombuffer(data, numpy.uint8).reshape(-1, d or 1)


def made_many(d: int, offsets: bytes, hashes: NDArray[uint8]) -> InclusionProofs:
    """Return proofs whose hashes are known to be right."""
    return InclusionProofs._made(d, offsets, hashes) if len(hashes) else _none(offsets)


def _none(offsets: bytes) -> InclusionProofs:
    return InclusionProofs._made(0, offsets, _rows(b"", 0))
