"""OpenZeppelin's multiproof: hashes, and flags that say where two computed nodes meet."""

from __future__ import annotations

from merklecore import _backend
from merklecore.errors import InputError, ProofError
from merklecore.tree.profiles import resolve
from merklecore.tree.proofs.base import Frozen, checked, counted, holds, pieces
from merklecore.tree.proofs.encoding import VERSION, Reader, array_of, hex_list, joined, object_of, unprefixed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, SupportsIndex

    from _typeshed import ReadableBuffer

    from merklecore.hashing import Messages
    from merklecore.tree.profiles import Profile

__all__ = ["FlaggedMultiProof"]

A_PROOF = "a flagged multiproof"


class FlaggedMultiProof(Frozen):
    """The multiproof of OpenZeppelin's contracts (MerkleProof.sol, ``processMultiProof``) and library.

    Made by ``MerkleTree.prove_flagged``, ``from_openzeppelin``, ``from_path``, ``from_bytes`` and
    ``from_json``. Frozen, comparable, hashable, picklable. Its hashes are those of ``MultiProof``, in its
    order; the flags tell a contract, which does not know the indices, for each pair it hashes whether both
    children are computed (True) or one is the next hash (False). Here they are checked, never followed.

    path: tuple of bytes. flags: tuple of bool.

    >>> from merklecore import MerkleTree
    >>> tree = MerkleTree([bytes([i]) * 32 for i in range(4)], "openzeppelin-simple")
    >>> proof = tree.prove_flagged([0, 1])
    >>> proof
    FlaggedMultiProof(1 hash of 32 bytes, 2 flags)
    >>> proof.flags
    (True, False)
    >>> leaves = [bytes(32), b"\\1" * 32]
    >>> proof.verify(tree.root, leaves, indices=[0, 1], size=4, profile="openzeppelin-simple")
    """

    __slots__ = ("_d", "_flags", "_hashes")

    _fields = ("_d", "_hashes", "_flags")
    _a_proof = A_PROOF

    _d: int
    _hashes: bytes
    _flags: bytes  # 0 or 1 each

    @property
    def path(self) -> tuple[bytes, ...]:
        """The hashes, d bytes each.

        >>> FlaggedMultiProof.from_path([b"a", b"b"], [False, False]).path
        (b'a', b'b')
        """
        return pieces(self._hashes, self._d)

    @property
    def flags(self) -> tuple[bool, ...]:
        """Of each pair that is hashed, whether both children are computed.

        >>> FlaggedMultiProof.from_path([b"a"], [False, True]).flags
        (False, True)
        """
        return tuple(map(bool, self._flags))

    @classmethod
    def from_path(cls, path: Sequence[ReadableBuffer], flags: Sequence[bool]) -> FlaggedMultiProof:
        """Return the proof of hashes, as ``InclusionProof.from_path`` takes them, and flags: a list of bool.

        InputError for lengths that differ, or more hashes than flags that are False; TypeError for others.

        >>> FlaggedMultiProof.from_path([bytes(32)], [False])
        FlaggedMultiProof(1 hash of 32 bytes, 1 flag)
        """
        if not isinstance(flags, (list, tuple)):
            raise TypeError(f"flags: a list or tuple of bool is needed, not {type(flags).__name__}")
        for i, flag in enumerate(flags):
            if not isinstance(flag, bool):
                raise TypeError(f"flags[{i}]: a bool is needed, not {type(flag).__name__}")
        d, hashes = joined(path, "path")
        return cls._checked(d, hashes, bytes(flags), "flags")

    @classmethod
    def _checked(cls, d: int, hashes: bytes, flags: bytes, what: str) -> FlaggedMultiProof:
        """Each pair with a False flag takes one hash, so the two numbers bind each other."""
        count = len(hashes) // (d or 1)
        if flags.count(0) != count:
            raise InputError(f"{what}: {flags.count(0)} are False where there are {count} hashes")
        return cls._made(d, hashes, flags)

    def compute_root(
        self,
        leaves: Messages,
        *,
        indices: Any,
        size: SupportsIndex,
        profile: Profile | str = "openzeppelin",
        hashed: bool = False,
    ) -> bytes:
        """Return the root that leaves and hashes lead to, d bytes; nothing is proven until it is compared.

        Arguments and errors are those of ``verify``.

        >>> proof = FlaggedMultiProof.from_path([], [])
        >>> proof.compute_root([b"leaf"], indices=[0], size=1).hex()[:16]
        '5fb7c93a91d5a03f'
        """
        used = _heap(profile)
        wanted = _backend.set_flags(used.spec, indices, size)
        if self._flags != wanted:
            i = next((i for i, (a, b) in enumerate(zip(self._flags, wanted, strict=False)) if a != b), -1)
            raise ProofError(
                f"the proof has {len(self._flags)} flags, these leaves of {size} need {len(wanted)}"
                if len(self._flags) != len(wanted)
                else f"flag {i} of the proof is {bool(self._flags[i])}, these leaves of {size} need the other"
            )
        return _backend.fold_set(used.spec, leaves, self._hashes, self._d, indices, size, hashed)

    def verify(
        self,
        root: ReadableBuffer,
        leaves: Messages,
        *,
        indices: Any,
        size: SupportsIndex,
        profile: Profile | str = "openzeppelin",
        hashed: bool = False,
    ) -> None:
        """Return None when each leaf is at its index of the ``size`` leaves under ``root``; else raise.

        Arguments and errors are those of ``MultiProof.verify``, under a profile whose tree is a heap. Flags
        must be the ones that indices and size demand (ProofError), so every hash, leaf and flag is used; a
        proof of no leaves is an InputError (GHSA-wprv-93r4-jj2p). Leaves stand in the order of their indices,
        which is that of the library: from the end of its array.

        >>> FlaggedMultiProof.from_path([], []).verify(bytes(32), [], indices=[], size=1)
        Traceback (most recent call last):
            ...
        merklecore.errors.InputError: indices: none, and a proof of no leaves would prove nothing
        """
        trusted = checked(root, resolve(profile).spec)
        found = self.compute_root(leaves, indices=indices, size=size, profile=profile, hashed=hashed)
        holds(found, trusted, "proof")

    def to_openzeppelin(self) -> dict[str, Any]:
        """Return what the library's ``getMultiProof`` gives, but for the leaves: proof and proofFlags.

        >>> FlaggedMultiProof.from_path([b"a"], [False, True]).to_openzeppelin()
        {'proof': ['0x61'], 'proofFlags': [False, True]}
        """
        return {"proof": ["0x" + item.hex() for item in self.path], "proofFlags": list(self.flags)}

    @classmethod
    def from_openzeppelin(cls, multiproof: Mapping[str, Any]) -> FlaggedMultiProof:
        """Return the proof in a mapping with proof and proofFlags; other keys, as leaves, are not looked at.

        >>> FlaggedMultiProof.from_openzeppelin({"leaves": [], "proof": ["0x61"], "proofFlags": [False]})
        FlaggedMultiProof(1 hash of 1 bytes, 1 flag)
        """
        from collections import abc

        if not isinstance(multiproof, abc.Mapping):
            raise TypeError(f"multiproof: a mapping is needed, not {type(multiproof).__name__}")
        for key in ("proof", "proofFlags"):
            if not isinstance(multiproof.get(key), (list, tuple)):
                raise InputError(f"multiproof: {key}: a list is needed")
        proof = [unprefixed(item, f"proof[{i}]") for i, item in enumerate(multiproof["proof"])]
        return cls.from_path(proof, multiproof["proofFlags"])

    def __bytes__(self) -> bytes:
        """Return the encoding: type 6, version 1, d, count (u32), flags (u32), flags as bits, hashes."""
        count = len(self._hashes) // (self._d or 1)
        head = bytes((6, VERSION, self._d)) + count.to_bytes(4, "big") + len(self._flags).to_bytes(4, "big")
        return head + packed(self._flags) + self._hashes

    @classmethod
    def from_bytes(cls, data: ReadableBuffer) -> FlaggedMultiProof:
        """Return the proof that ``data`` encodes. InputError says at which offset it is none.

        >>> FlaggedMultiProof.from_bytes(bytes.fromhex("0601000000000000000000"))
        FlaggedMultiProof(0 hashes, 0 flags)
        """
        reader = Reader(data)
        d, count = reader.header(6, A_PROOF)
        number = reader.u32("the number of flags")
        at = reader.at
        flags = unpacked(reader.take((number + 7) // 8, f"{number} flags"), number, at)
        what = f"{count} hashes of {d} bytes"
        hashes = reader.take(count * d, what)
        reader.end(what)
        return cls._checked(d, hashes, flags, f"offset {at}: flags")

    def to_json(self) -> str:
        """Return the proof as JSON: type, version, flags, and the hashes in lower-case hexadecimal.

        >>> FlaggedMultiProof.from_path([bytes(2)], [False]).to_json()
        '{"type":"flagged","version":1,"flags":[false],"hashes":["0000"]}'
        """
        flags = ",".join(["true" if flag else "false" for flag in self._flags])
        return f'{{"type":"flagged","version":{VERSION},"flags":[{flags}],"hashes":{array_of(self.path)}}}'

    @classmethod
    def from_json(cls, text: str) -> FlaggedMultiProof:
        """Return the proof in a JSON text. InputError for other keys, types and letters.

        >>> FlaggedMultiProof.from_json('{"type":"flagged","version":1,"flags":[],"hashes":[]}')
        FlaggedMultiProof(0 hashes, 0 flags)
        """
        found = object_of(text, "flagged", A_PROOF, ("flags", "hashes"), 1 << 40)
        flags = found["flags"]
        if not isinstance(flags, list) or not all(isinstance(flag, bool) for flag in flags):
            raise InputError("JSON: flags: a list of true and false is needed")
        return cls.from_path(hex_list(found["hashes"], "hashes"), flags)

    def __repr__(self) -> str:
        n = len(self._flags)
        hashes = counted(len(self._hashes) // (self._d or 1), self._d)
        return f"FlaggedMultiProof({hashes}, {n} flag{'' if n == 1 else 's'})"


def _heap(profile: Profile | str) -> Profile:
    used = resolve(profile)
    if used.odd != "heap":
        raise InputError(f"profile {used.name!r}: flagged multiproofs are those of a heap (odd='heap')")
    return used


def made_flagged(
    profile: Profile, nodes: _backend.Nodes, indices: Any, size: SupportsIndex
) -> FlaggedMultiProof:
    """Return the proof of some leaves of a tree."""
    used = _heap(profile)
    hashes = _backend.set_hashes(nodes, indices, size)
    flags = _backend.set_flags(used.spec, indices, size)
    return FlaggedMultiProof._made(used.digest_size if hashes else 0, hashes, flags)


def packed(bits: bytes) -> bytes:
    """Put bits, 0 or 1 each, eight to a byte: the first one is the lowest."""
    import numpy

    return numpy.packbits(numpy.frombuffer(bits, numpy.uint8), bitorder="little").tobytes()


def unpacked(data: bytes, count: int, at: int) -> bytes:
    """Return ``count`` bits; those that fill the last byte must be zero. ``at``: the first byte's offset."""
    import numpy

    bits = numpy.unpackbits(numpy.frombuffer(data, numpy.uint8), bitorder="little")
    if bits[count:].any():
        raise InputError(f"offset {at + len(data) - 1}: bits after the last one are not zero")
    return bits[:count].tobytes()
