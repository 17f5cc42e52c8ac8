"""Inclusion proofs. They hold hashes and nothing else: what they prove, the verifier says."""

from __future__ import annotations

from merklecore import _backend
from merklecore.errors import InputError, ProofError
from merklecore.tree.arguments import as_bytes
from merklecore.tree.profiles import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn, SupportsIndex

    from _typeshed import ReadableBuffer

    from merklecore.tree.profiles import Profile

__all__ = ["InclusionProof"]

TYPE, VERSION = 1, 1
HEADER = 7  # bytes: type, version, d, count as u32
MAX_HASHES = 64
MAX_DIGEST = 255
MAX_JSON = 64 << 10  # characters; the longest proof takes 32,875


class InclusionProof:
    """The hashes from one leaf to the root of its tree (RFC 6962 section 2.1.1, RFC 9162 section 2.1.3).

    Made by ``MerkleTree.prove``, ``from_path``, ``from_bytes`` and ``from_json``. Frozen, comparable,
    hashable, picklable. Root, leaf, index, size and profile are not part of it: the verifier has them from
    elsewhere, for the path of (index 4, size 5) is one of (index 1, size 2) too.

    path: tuple of bytes, leaf to root, all of one length, at most 64.

    >>> from merklecore import MerkleTree
    >>> tree = MerkleTree([b"a", b"b", b"c"])
    >>> proof = tree.prove(2)
    >>> proof
    InclusionProof(1 hash of 32 bytes)
    >>> proof.verify(tree.root, b"c", index=2, size=3)
    """

    __slots__ = ("path",)

    path: tuple[bytes, ...]

    def __new__(cls) -> InclusionProof:
        raise TypeError("InclusionProof has no constructor: use from_path, from_bytes, from_json or prove")

    @classmethod
    def from_path(cls, path: Sequence[ReadableBuffer]) -> InclusionProof:
        """Return the proof of hashes as other tools give them: a list or tuple of bytes-likes, leaf to root.

        InputError for more than 64 hashes, for lengths that differ, and for empty hashes; TypeError for
        others than bytes-like objects.

        >>> InclusionProof.from_path([bytes(32), bytes(32)])
        InclusionProof(2 hashes of 32 bytes)
        """
        if not isinstance(path, (list, tuple)):
            raise TypeError(f"path: a list or tuple of hashes is needed, not {type(path).__name__}")
        hashes = tuple(path)
        if len(hashes) > MAX_HASHES:
            raise InputError(f"path: {len(hashes)} hashes, a proof has at most {MAX_HASHES}")
        hashes = tuple([_hash(item, f"path[{i}]") for i, item in enumerate(hashes)])
        for i, item in enumerate(hashes):
            if len(item) != len(hashes[0]):
                raise InputError(f"path[{i}]: {len(item)} bytes where the first hash has {len(hashes[0])}")
        return made(hashes)

    def compute_root(
        self,
        leaf: ReadableBuffer,
        *,
        index: SupportsIndex,
        size: SupportsIndex,
        profile: Profile | str = "rfc6962",
        hashed: bool = False,
    ) -> bytes:
        """Return the root that leaf and path lead to, d bytes; nothing is proven until it is compared.

        Arguments and errors are those of ``verify``.

        >>> proof = InclusionProof.from_path([])
        >>> proof.compute_root(b"", index=0, size=1).hex()[:16]
        '6e340b9cffb37a98'
        """
        return _backend.fold(resolve(profile).spec, leaf, self.path, index, size, hashed)

    def verify(
        self,
        root: ReadableBuffer,
        leaf: ReadableBuffer,
        *,
        index: SupportsIndex,
        size: SupportsIndex,
        profile: Profile | str = "rfc6962",
        hashed: bool = False,
    ) -> None:
        """Return None when ``leaf`` is at ``index`` of the ``size`` leaves under ``root``; else raise.

        root: d bytes. leaf: the leaf's bytes; with ``hashed`` its leaf hash, d bytes. All five say what is
        to be proven and must come from where the verifier trusts, never from whoever gave the proof.

        ProofError says what does not hold: a path whose length is not the one that index and size demand, a
        hash that is not d bytes long, a sibling that the profile does not allow (a left sibling equal to its
        right one where odd levels are duplicated, CVE-2012-2459; a padding that is not zero), or another
        root. BoundsError for an index not below size, InputError for a root or leaf hash of a wrong length.

        >>> proof = InclusionProof.from_path([])
        >>> proof.verify(bytes(32), b"", index=0, size=1)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        merklecore.errors.ProofError: the path leads to 6e34..., not to the given root 0000...
        """
        spec = resolve(profile).spec
        if type(root) is not bytes:
            root = as_bytes(root, "root")
        if len(root) != spec.digest_size:
            raise InputError(f"root: {len(root)} bytes, digests have {spec.digest_size}")
        found = _backend.fold(spec, leaf, self.path, index, size, hashed)
        if found != root:
            raise ProofError(f"the path leads to {found.hex()}, not to the given root {root.hex()}")

    def __bytes__(self) -> bytes:
        """Return the encoding: type 1, version 1, d (0 without hashes), count (u32 big-endian), hashes.

        >>> bytes(InclusionProof.from_path([])).hex()
        '01010000000000'
        """
        d = len(self.path[0]) if self.path else 0
        return bytes((TYPE, VERSION, d)) + len(self.path).to_bytes(4, "big") + b"".join(self.path)

    @classmethod
    def from_bytes(cls, data: ReadableBuffer) -> InclusionProof:
        """Return the proof that ``data`` encodes. InputError says at which offset it is none.

        >>> InclusionProof.from_bytes(bytes.fromhex("01010000000000"))
        InclusionProof(0 hashes)
        """
        head = as_bytes(data, "data", HEADER + MAX_HASHES * MAX_DIGEST)
        if len(head) < HEADER:
            raise InputError(f"offset {len(head)}: ends within the header of {HEADER} bytes")
        if head[0] != TYPE:
            raise InputError(f"offset 0: type {head[0]}, an inclusion proof has {TYPE}")
        if head[1] != VERSION:
            raise InputError(f"offset 1: version {head[1]}, this is version {VERSION}")
        d, count = head[2], int.from_bytes(head[3:HEADER], "big")
        if count > MAX_HASHES:
            raise InputError(f"offset 3: {count} hashes, a proof has at most {MAX_HASHES}")
        if (d == 0) != (count == 0):
            raise InputError(f"offset 2: {count} hashes of {d} bytes")
        end = HEADER + count * d
        if len(head) != end:
            what = "ends before" if len(head) < end else "goes on after"
            raise InputError(f"offset {min(len(head), end)}: {what} {count} hashes of {d} bytes")
        return made(tuple([head[i : i + d] for i in range(HEADER, end, d)] if count else ()))

    def to_json(self) -> str:
        """Return the proof as JSON: type, version and the hashes in lower-case hexadecimal.

        >>> InclusionProof.from_path([bytes(2)]).to_json()
        '{"type":"inclusion","version":1,"hashes":["0000"]}'
        """
        hashes = ",".join([f'"{item.hex()}"' for item in self.path])
        return f'{{"type":"inclusion","version":{VERSION},"hashes":[{hashes}]}}'

    @classmethod
    def from_json(cls, text: str) -> InclusionProof:
        """Return the proof in a JSON text. InputError for other keys, types, letters, or more than 64 KiB.

        >>> InclusionProof.from_json('{"type": "inclusion", "version": 1, "hashes": ["0000"]}')
        InclusionProof(1 hash of 2 bytes)
        """
        if not isinstance(text, str):
            raise TypeError(f"text: a str is needed, not {type(text).__name__}")
        if len(text) > MAX_JSON:
            raise InputError(f"JSON: {len(text)} characters are more than any inclusion proof has")
        import json

        try:
            found = json.loads(text, object_pairs_hook=_only_once)
        except InputError:
            raise
        except RecursionError:
            raise InputError("JSON: nested too deeply") from None
        except ValueError as error:
            raise InputError(f"JSON: {error}") from None
        if not isinstance(found, dict) or found.keys() != {"type", "version", "hashes"}:
            raise InputError("JSON: an object with type, version and hashes is needed, and nothing else")
        if found["type"] != "inclusion":
            raise InputError(f"JSON: type {found['type']!r:.80}, an inclusion proof has 'inclusion'")
        if type(found["version"]) is not int or found["version"] != VERSION:
            raise InputError(f"JSON: version {found['version']!r:.80}, this is version {VERSION}")
        if not isinstance(found["hashes"], list):
            raise InputError("JSON: hashes: a list is needed")
        if len(found["hashes"]) > MAX_HASHES:
            raise InputError(f"JSON: {len(found['hashes'])} hashes, a proof has at most {MAX_HASHES}")
        return cls.from_path([_unhex(item, f"JSON: hashes[{i}]") for i, item in enumerate(found["hashes"])])

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"an InclusionProof is frozen: {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"an InclusionProof is frozen: {name} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        return self.path == other.path if isinstance(other, InclusionProof) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.path)

    def __reduce__(self) -> tuple[object, ...]:
        return InclusionProof.from_path, (self.path,)

    def __repr__(self) -> str:
        count = len(self.path)
        of = f" of {len(self.path[0])} bytes" if count else ""
        return f"InclusionProof({count} hash{'' if count == 1 else 'es'}{of})"


_new = object.__new__
_set_path = InclusionProof.__dict__["path"].__set__  # past __setattr__, which refuses


def made(path: tuple[bytes, ...]) -> InclusionProof:
    """Return a proof of hashes known to be right: those of a tree, or checked already."""
    proof = _new(InclusionProof)
    _set_path(proof, path)
    return proof


def _hash(value: ReadableBuffer, what: str) -> bytes:
    item = as_bytes(value, what)
    if not 1 <= len(item) <= MAX_DIGEST:
        raise InputError(f"{what}: {len(item)} bytes, a hash has 1 to {MAX_DIGEST}")
    return item


def _unhex(value: object, what: str) -> bytes:
    if not isinstance(value, str):
        raise InputError(f"{what}: a string is needed")
    try:
        item = bytes.fromhex(value)
    except ValueError:
        item = b""
    if not item or item.hex() != value:
        raise InputError(f"{what}: is not lower-case hexadecimal")
    return item


def _only_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise InputError(f"JSON: key {key!r:.80} is given twice")
        found[key] = value
    return found
