"""Bitcoin's partial Merkle tree, the second half of a merkleblock message (BIP 37)."""

from __future__ import annotations

from merklecore import _backend
from merklecore.errors import BoundsError, InputError, ProofError
from merklecore.tree.arguments import as_bytes, natural
from merklecore.tree.profiles import resolve
from merklecore.tree.proofs.base import Frozen, checked, counted, holds, pieces
from merklecore.tree.proofs.encoding import VERSION, Reader, array_of, hex_list, object_of
from merklecore.tree.proofs.flagged import packed, unpacked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, SupportsIndex

    from _typeshed import ReadableBuffer

    from merklecore.hashing import Messages
    from merklecore.tree.profiles import Profile

__all__ = ["PartialMerkleTree"]

A_PROOF = "a partial Merkle tree"
HEADER = 80  # bytes of a block header
D = 32
MAX_NODES = 33  # that a walk visits for one hash: it and all above it


class PartialMerkleTree(Frozen):
    """The transactions of a block that match, as BIP 37 sends them: a walk through the tree, depth first.

    Made by ``MerkleTree.prove_partial``, ``from_merkleblock``, ``from_bytes`` and ``from_json``. Frozen,
    comparable, hashable, picklable. For each node that is visited a flag says whether a match is below it; a
    node without one, and a leaf, has its hash. ``bytes`` is BIP 37's own serialisation.

    total: the number of leaves that the proof claims; it is never trusted. path: tuple of bytes, in the order
    of the walk. flags: tuple of bool.

    >>> from merklecore import MerkleTree
    >>> ids = [bytes([i]) * 32 for i in range(5)]
    >>> tree = MerkleTree(ids, "bitcoin")
    >>> proof = tree.prove_partial([3])
    >>> proof
    PartialMerkleTree(of 5 leaves: 4 hashes of 32 bytes, 7 flags)
    >>> proof.verify(tree.root, [ids[3]], indices=[3], size=5)
    >>> proof.extract(tree.root, size=5) == ((3, ids[3]),)
    True
    """

    __slots__ = ("_flags", "_hashes", "_total")

    _fields = ("_total", "_hashes", "_flags")
    _a_proof = A_PROOF

    _total: int
    _hashes: bytes
    _flags: bytes  # 0 or 1 each, the zeros of the last byte not among them where they are not needed

    @property
    def total(self) -> int:
        """The number of leaves that the proof claims.

        >>> from merklecore import MerkleTree
        >>> MerkleTree([bytes(32)], "bitcoin").prove_partial([0]).total
        1
        """
        return self._total

    @property
    def path(self) -> tuple[bytes, ...]:
        """The hashes in the order of the walk.

        >>> from merklecore import MerkleTree
        >>> MerkleTree([bytes(32)], "bitcoin").prove_partial([0]).path == (bytes(32),)
        True
        """
        return pieces(self._hashes, D)

    @property
    def flags(self) -> tuple[bool, ...]:
        """Of each node that is visited, whether a match is below it.

        >>> from merklecore import MerkleTree
        >>> MerkleTree([bytes(32)] * 1, "bitcoin").prove_partial([0]).flags
        (True,)
        """
        return tuple(map(bool, self._flags))

    @classmethod
    def from_path(
        cls, path: Sequence[ReadableBuffer], flags: Sequence[bool], total: SupportsIndex
    ) -> PartialMerkleTree:
        """Return the proof of hashes of 32 bytes, flags, and the number of leaves it claims, 1 to 2^32 - 1.

        InputError for hashes and flags that no walk of that many leaves has.

        >>> PartialMerkleTree.from_path([bytes(32)], [True], 1)
        PartialMerkleTree(of 1 leaves: 1 hash of 32 bytes, 1 flag)
        """
        for what, items in (("path", path), ("flags", flags)):
            if not isinstance(items, (list, tuple)):
                raise TypeError(f"{what}: a list or tuple is needed, not {type(items).__name__}")
        hashes = [as_bytes(item, f"path[{i}]") for i, item in enumerate(path)]
        for i, item in enumerate(hashes):
            if len(item) != D:
                raise InputError(f"path[{i}]: {len(item)} bytes where {D} are needed")
        for i, flag in enumerate(flags):
            if not isinstance(flag, bool):
                raise TypeError(f"flags[{i}]: a bool is needed, not {type(flag).__name__}")
        return cls._checked(natural(total, "total"), b"".join(hashes), bytes(flags))

    @classmethod
    def _checked(cls, total: int, hashes: bytes, flags: bytes) -> PartialMerkleTree:
        """What the walk takes, no more and no less, so that one proof has one encoding."""
        if not 0 < total < 1 << 32:
            raise InputError(f"total: {total} is not between 1 and 2**32 - 1")
        used, wanted = 0, 0
        for _, _, leaf_or_cut in _walk(total, flags):
            used += 1
            wanted += leaf_or_cut
        if wanted != len(hashes) // D:
            raise InputError(f"path: {len(hashes) // D} hashes where the flags lead to {wanted}")
        if used != len(flags):
            raise InputError(f"flags: {len(flags)} where the walk takes {used}")
        return cls._made(total, hashes, flags)

    def compute_root(
        self,
        leaves: Messages,
        *,
        indices: Any,
        size: SupportsIndex,
        profile: Profile | str = "bitcoin",
        hashed: bool = False,
    ) -> bytes:
        """Return the root that leaves and hashes lead to; nothing is proven until it is compared.

        Arguments and errors are those of ``verify``.

        >>> proof = PartialMerkleTree.from_path([bytes(32)], [True], 1)
        >>> proof.compute_root([bytes(32)], indices=[0], size=1) == bytes(32)
        True
        """
        spec, n = _duplicating(profile).spec, natural(size, "size")
        _backend.set_flags(spec, indices, n)  # refuses what cannot be indices
        if self._total != n:
            raise ProofError(f"the proof is of {self._total} leaves, not of {n}")
        chosen = {int(i): place for place, i in enumerate(indices)}
        wanted = bytes([flag for *_, flag, _ in _planned(n, chosen)])
        if wanted != self._flags:
            raise ProofError(f"the flags do not lead to these {len(chosen)} leaves of {n}")
        level = _backend.leaf_hashes(spec, leaves, hashed)
        others, at = [], 0
        for k, i, flag, has_hash in _planned(n, chosen):
            if not has_hash:
                continue
            item = self._hashes[at : at + D]
            at += D
            if not flag:
                others.append((k, i, item))
            elif chosen[i] < len(level) and level[chosen[i]].tobytes() != item:
                raise ProofError(f"leaf {i} is not the one in the proof")
        hashes = b"".join([item for _, _, item in sorted(others)])
        return _backend.fold_set(spec, level, hashes, D if hashes else 0, indices, n, True)

    def verify(
        self,
        root: ReadableBuffer,
        leaves: Messages,
        *,
        indices: Any,
        size: SupportsIndex,
        profile: Profile | str = "bitcoin",
        hashed: bool = False,
    ) -> None:
        """Return None when the proof shows exactly these leaves at their indices under ``root``; else raise.

        Arguments and errors are those of ``MultiProof.verify``, under a profile that duplicates and whose
        digests have 32 bytes. ProofError also for another total than ``size``, for flags that lead to other
        leaves, and where a left node equals its right sibling (CVE-2012-2459).

        Leaves are transaction ids. That an id is that of a transaction, and not a node or 64 bytes made to
        look like one (CVE-2017-12842), only the size tells: it must come from where the verifier trusts.

        >>> proof = PartialMerkleTree.from_path([bytes(32)], [True], 1)
        >>> proof.verify(bytes(32), [bytes(32)], indices=[0], size=2)
        Traceback (most recent call last):
            ...
        merklecore.errors.ProofError: the proof is of 1 leaves, not of 2
        """
        trusted = checked(root, resolve(profile).spec)
        found = self.compute_root(leaves, indices=indices, size=size, profile=profile, hashed=hashed)
        holds(found, trusted, "proof")

    def extract(
        self, root: ReadableBuffer, *, size: SupportsIndex, profile: Profile | str = "bitcoin"
    ) -> tuple[tuple[int, bytes], ...]:
        """Return the matches that the proof shows under ``root``: index and id of each, ascending.

        For whoever does not know beforehand what matches, as a light client. Checked like ``verify``; a proof
        without matches gives none, and is checked all the same.

        >>> PartialMerkleTree.from_path([bytes(32)], [True], 1).extract(bytes(32), size=1)[0][0]
        0
        """
        spec, n = _duplicating(profile).spec, natural(size, "size")
        trusted = checked(root, spec)
        if self._total != n:
            raise ProofError(f"the proof is of {self._total} leaves, not of {n}")
        found, at = [], 0
        for (k, i, has_hash), flag in zip(_walk(n, self._flags), self._flags, strict=True):
            if has_hash and flag and k == 0:
                found.append((i, self._hashes[at : at + D]))
            at += D * has_hash
        if found:
            ids = [item for _, item in found]
            self.verify(trusted, ids, indices=[i for i, _ in found], size=n, profile=profile, hashed=True)
        else:
            holds(self._hashes, trusted, "proof")  # one hash, of the root
        return tuple(found)

    def __bytes__(self) -> bytes:
        """Return BIP 37's serialisation: total (u32 little-endian), hashes, bytes of flags, each counted."""
        bits = packed(self._flags)
        count = len(self._hashes) // D
        head = self._total.to_bytes(4, "little") + _compact(count)
        return b"".join((head, self._hashes, _compact(len(bits)), bits))

    @classmethod
    def from_bytes(cls, data: ReadableBuffer) -> PartialMerkleTree:
        """Return the proof that ``data`` encodes. InputError for anything but the one encoding of a walk.

        >>> PartialMerkleTree.from_bytes(bytes(32).join((b"\\1\\0\\0\\0\\1", b"\\1\\1")))
        PartialMerkleTree(of 1 leaves: 1 hash of 32 bytes, 1 flag)
        """
        reader = Reader(data)
        total = int.from_bytes(reader.take(4, "the number of leaves"), "little")
        if total == 0:
            raise InputError("offset 0: no leaves")
        count = _compact_size(reader, "the number of hashes")
        hashes = reader.take(count * D, f"{count} hashes of {D} bytes")
        size = _compact_size(reader, "the number of bytes of flags")
        at = reader.at
        bits = reader.take(size, f"{size} bytes of flags")
        reader.end(f"{size} bytes of flags")
        most = (MAX_NODES * max(count, 1) + 7) // 8
        if size > most:  # before they take eight times as much
            raise InputError(f"offset {at}: {size} bytes of flags where {count} hashes take at most {most}")
        used = sum(1 for _ in _walk(total, unpacked(bits, 8 * size, at)))
        if (used + 7) // 8 != size:
            raise InputError(f"offset {at}: {size} bytes of flags where the walk takes {(used + 7) // 8}")
        return cls._checked(total, hashes, unpacked(bits, used, at))

    @classmethod
    def from_merkleblock(cls, data: ReadableBuffer) -> tuple[bytes, PartialMerkleTree]:
        """Return the header, 80 bytes, and the proof of a merkleblock message.

        The root is bytes 36 to 68 of the header, and trusted as far as the header is.

        >>> message = PartialMerkleTree.from_path([bytes(32)], [True], 1).to_merkleblock(bytes(80))
        >>> header, proof = PartialMerkleTree.from_merkleblock(message)
        >>> len(header), proof.total
        (80, 1)
        """
        message = as_bytes(data, "data", 1 << 48)
        if len(message) < HEADER:
            raise InputError(f"offset {len(message)}: ends within the block header of {HEADER} bytes")
        return message[:HEADER], cls.from_bytes(message[HEADER:])

    def to_merkleblock(self, header: ReadableBuffer) -> bytes:
        """Return the merkleblock message of a block header, 80 bytes.

        >>> len(PartialMerkleTree.from_path([bytes(32)], [True], 1).to_merkleblock(bytes(80)))
        119
        """
        head = as_bytes(header, "header")
        if len(head) != HEADER:
            raise InputError(f"header: {len(head)} bytes, a block header has {HEADER}")
        return head + bytes(self)

    def to_json(self) -> str:
        """Return the proof as JSON: type, version, total, flags, and the hashes in lower-case hexadecimal.

        >>> PartialMerkleTree.from_path([bytes(32)], [True], 1).to_json()[:58]
        '{"type":"partial","version":1,"total":1,"flags":[true],"ha'
        """
        flags = ",".join(["true" if flag else "false" for flag in self._flags])
        head = f'{{"type":"partial","version":{VERSION},"total":{self._total},"flags":[{flags}]'
        return f'{head},"hashes":{array_of(self.path)}}}'

    @classmethod
    def from_json(cls, text: str) -> PartialMerkleTree:
        """Return the proof in a JSON text. InputError for other keys, types and letters.

        >>> proof = PartialMerkleTree.from_path([bytes(32)], [True], 1)
        >>> PartialMerkleTree.from_json(proof.to_json()) == proof
        True
        """
        found = object_of(text, "partial", A_PROOF, ("total", "flags", "hashes"), 1 << 40)
        total, flags = found["total"], found["flags"]
        if type(total) is not int or not 0 < total < 1 << 32:
            raise InputError("JSON: total: an integer between 1 and 2**32 - 1 is needed")
        if not isinstance(flags, list) or not all(isinstance(flag, bool) for flag in flags):
            raise InputError("JSON: flags: a list of true and false is needed")
        return cls.from_path(hex_list(found["hashes"], "hashes"), flags, total)

    def __repr__(self) -> str:
        n = len(self._flags)
        hashes = counted(len(self._hashes) // D, D)
        return f"PartialMerkleTree(of {self._total} leaves: {hashes}, {n} flag{'' if n == 1 else 's'})"


def _walk(total: int, flags: bytes) -> Iterator[tuple[int, int, bool]]:
    """Follow flags through a tree: level and index of each node visited, and whether it has a hash.

    InputError where they end too early. No step is taken without a flag, so a claimed total costs nothing.
    """
    stack, at = [((total - 1).bit_length(), 0)], 0
    while stack:
        k, i = stack.pop()
        if at == len(flags):
            raise InputError(f"flags: {len(flags)}, which end before the walk through {total} leaves does")
        has_hash = k == 0 or not flags[at]
        at += 1
        yield k, i, has_hash
        if not has_hash:
            if 2 * i + 1 <= total - 1 >> k - 1:
                stack.append((k - 1, 2 * i + 1))
            stack.append((k - 1, 2 * i))


def _planned(size: int, indices: Any) -> Iterator[tuple[int, int, int, bool]]:
    """List the walk that shows leaves at ``indices``: level, index, flag, and whether the node has a hash."""
    above = [set(indices)]
    for _ in range((size - 1).bit_length()):
        above.append({i >> 1 for i in above[-1]})
    stack = [(len(above) - 1, 0)]
    while stack:
        k, i = stack.pop()
        flag = i in above[k]
        has_hash = k == 0 or not flag
        yield k, i, int(flag), has_hash
        if not has_hash:
            if 2 * i + 1 <= size - 1 >> k - 1:
                stack.append((k - 1, 2 * i + 1))
            stack.append((k - 1, 2 * i))


def _duplicating(profile: Profile | str) -> Profile:
    used = resolve(profile)
    if used.odd != "duplicate" or used.digest_size != D:
        raise InputError(
            f"profile {used.name!r}: partial Merkle trees need odd='duplicate' and digests of 32 bytes"
        )
    return used


def made_partial(
    profile: Profile, nodes: _backend.Nodes, indices: Any, size: SupportsIndex
) -> PartialMerkleTree:
    """Return the proof of some leaves of a tree."""
    _duplicating(profile)
    n = natural(size, "size")
    if n >= 1 << 32:
        raise BoundsError(f"size {n}: a partial Merkle tree has at most 2**32 - 1 leaves")
    rows = pieces(
        _backend.set_hashes(nodes, indices, n, True), D
    )  # in one call: the tree may change after it
    chosen = [int(i) for i in indices]
    walk = list(_planned(n, chosen))
    cut = sorted([(k, i) for k, i, flag, has_hash in walk if has_hash and not flag])
    found = dict(zip([*[(0, i) for i in chosen], *cut], rows, strict=True))
    hashes = [found[k, i] for k, i, _, has_hash in walk if has_hash]
    return PartialMerkleTree._made(n, b"".join(hashes), bytes([flag for _, _, flag, _ in walk]))


def _compact(number: int) -> bytes:
    """Bitcoin's CompactSize."""
    if number < 0xFD:
        return bytes((number,))
    if number <= 0xFFFF:
        return b"\xfd" + number.to_bytes(2, "little")
    if number <= 0xFFFFFFFF:
        return b"\xfe" + number.to_bytes(4, "little")
    return b"\xff" + number.to_bytes(8, "little")


def _compact_size(reader: Reader, what: str) -> int:
    at = reader.at
    first = reader.take(1, what)[0]
    if first < 0xFD:
        return first
    number = int.from_bytes(reader.take(1 << first - 0xFC, what), "little")
    if len(_compact(number)) != reader.at - at:
        raise InputError(f"offset {at}: {number} as a CompactSize is shorter")
    return number
