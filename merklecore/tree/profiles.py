"""Profiles: how leaves and nodes are hashed, and how a level with an odd count is closed. One row each.

Which to choose, drawn and compared: docs/profiles.md.
"""

from __future__ import annotations

from types import MappingProxyType

from merklecore import _backend
from merklecore._text import shown
from merklecore.errors import InputError
from merklecore.tree.arguments import as_bytes, integer
from merklecore.tree.plans import ODDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, NoReturn, SupportsIndex

    from _typeshed import ReadableBuffer

__all__ = ["Profile", "profiles", "resolve", "same_rules"]

LEAVES = ("hash", "hash_twice", "hash_digest", "as_is")
MAX_LIMIT = 1 << 64
FIELDS = (
    "name",
    "algorithm",
    "leaf",
    "leaf_prefix",
    "node_prefix",
    "odd",
    "sort_pairs",
    "limit",
    "empty",
)


class Profile:
    """The hashing rules of a tree. Frozen, comparable, hashable, picklable.

    name: what the profile is called; it changes no hash.
    algorithm: a name that ``algorithms()`` lists; d is its digest size in bytes.
    leaf: what stands at level 0 for a leaf x. "hash": H(leaf_prefix || x); "hash_twice": H(H(leaf_prefix ||
    x)); "hash_digest": H(leaf_prefix || H(x)); "as_is": x itself, of d bytes.
    node_prefix: a node is H(node_prefix || left || right).
    sort_pairs: the smaller of two siblings is hashed first, bytes compared as a number. Such a node does not
    say which child was left: a proof binds the depth of a leaf, not its index.
    odd: how a level with an odd count is closed. "split": the lone node rises, which is the tree of RFC 6962
    section 2.1; "duplicate": it is paired with itself (Bitcoin); "pad": with zero subtrees (SSZ); "rehash":
    it is hashed alone, H(node_prefix || node), and a single leaf is the root (FISCO BCOS 3). "heap": there
    are no such levels, but a complete binary tree in an array of 2 n - 1 nodes, node i over 2 i + 1 and
    2 i + 2, the leaf of index r at 2 n - 2 - r (OpenZeppelin). All leaves move when one is added, so there
    are no earlier sizes.
    limit: with "pad", the most leaves there may be; the tree has the depth of that many, rounded up to a
    power of two. None: of those there are.
    empty: the root of no leaves. "hash": H of the empty string; bytes, d or none: those; None: there is none
    (InputError), except with "pad": the zero subtree of the limit, d zero bytes without one.

    Unknown values and those that do not go together are InputError, wrong types TypeError.

    >>> Profile("plain", node_prefix=b"node").replace(limit=8, odd="pad")
    Profile('plain', 'sha256', node_prefix=b'node', odd='pad', limit=8)
    """

    __slots__ = (*FIELDS, "_key", "spec")

    name: str
    algorithm: str
    leaf: str
    leaf_prefix: bytes
    node_prefix: bytes
    odd: str
    sort_pairs: bool
    limit: int | None
    empty: bytes | str | None
    spec: _backend.Spec  # the same in the backend's terms
    _key: tuple[object, ...]

    def __init__(
        self,
        name: str,
        algorithm: str = "sha256",
        *,
        leaf: str = "hash",
        leaf_prefix: ReadableBuffer = b"",
        node_prefix: ReadableBuffer = b"",
        odd: str = "split",
        sort_pairs: bool = False,
        limit: SupportsIndex | None = None,
        empty: ReadableBuffer | str | None = None,
    ) -> None:
        if hasattr(self, "_key"):
            raise AttributeError("a Profile is frozen: it cannot be made again")
        for what, text in (("name", name), ("algorithm", algorithm), ("leaf", leaf), ("odd", odd)):
            if not isinstance(text, str):
                raise TypeError(f"{what}: a str is needed, not {type(text).__name__}")
        if algorithm not in _backend.DIGEST_SIZES:
            raise InputError(f"algorithm {algorithm!r} is none of {', '.join(_backend.DIGEST_SIZES)}")
        if leaf not in LEAVES:
            raise InputError(f"leaf: {leaf!r} is none of {', '.join(LEAVES)}")
        if odd not in ODDS:
            raise InputError(f"odd: {odd!r} is none of {', '.join(ODDS)}")
        if not isinstance(sort_pairs, bool):
            raise TypeError(f"sort_pairs: a bool is needed, not {type(sort_pairs).__name__}")
        leaf_prefix, node_prefix = as_bytes(leaf_prefix, "leaf_prefix"), as_bytes(node_prefix, "node_prefix")
        if leaf == "as_is" and leaf_prefix:
            raise InputError("leaf_prefix: leaves that are taken as they are have none")
        limit = _limit(limit, odd)
        empty = _empty(empty, _backend.DIGEST_SIZES[algorithm])
        spec = _backend.Spec(algorithm, leaf, leaf_prefix, node_prefix, odd, sort_pairs, limit, empty)
        key = (name, algorithm, leaf, leaf_prefix, node_prefix, odd, sort_pairs, limit, empty)
        for field, value in zip(FIELDS, key, strict=True):
            object.__setattr__(self, field, value)
        object.__setattr__(self, "_key", key)
        object.__setattr__(self, "spec", spec)

    @property
    def digest_size(self) -> int:
        """d, the bytes of a digest.

        >>> profiles["rfc6962"].digest_size
        32
        """
        return self.spec.digest_size

    @property
    def separated(self) -> bool:
        """Whether no leaf can pass for a node: what is hashed for one is never what is hashed for the other.

        Where it is False a node's two halves may be shown as a leaf of a shallower tree, so only the size
        that the verifier knows, and with it the depth, protects (the second-preimage attack of RFC 6962
        section 2.1; CVE-2017-12842). Sorting pairs changes nothing in this.

        >>> profiles["rfc6962"].separated, profiles["bitcoin"].separated
        (True, False)
        """
        if self.leaf == "as_is":
            return False
        node, d = len(self.node_prefix), self.digest_size
        nodes = (
            {node + 2 * d, node + d} if self.odd == "rehash" else {node + 2 * d}
        )  # what is hashed, in bytes
        prefix = (
            b"" if self.leaf == "hash_twice" else self.leaf_prefix
        )  # in the hash that makes the leaf hash
        if self.leaf != "hash" and len(prefix) + d not in nodes:
            return True
        shorter = min(len(prefix), node)
        return prefix[:shorter] != self.node_prefix[:shorter]

    def replace(self, **changes: Any) -> Profile:
        """Return a profile that differs in the named fields, checked anew.

        >>> profiles["ssz"].replace(name="validators", limit=2**40).limit
        1099511627776
        """
        fields = dict(zip(FIELDS, self._key, strict=True))
        for field in changes:
            if field not in fields:
                raise TypeError(f"replace: {field!r} is no field of a profile")
        return _remade(fields | changes)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Profile is frozen: {name} cannot be set; replace() makes another")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Profile is frozen: {name} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, Profile) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key)

    def __reduce__(self) -> tuple[object, ...]:
        return _remade, (dict(zip(FIELDS, self._key, strict=True)),)

    def __repr__(self) -> str:
        defaults = ("hash", b"", b"", "split", False, None, None)
        changed = [
            f", {field}={value!r}"
            for field, value, default in zip(FIELDS[2:], self._key[2:], defaults, strict=True)
            if value != default
        ]
        return f"Profile({self.name!r}, {self.algorithm!r}{''.join(changed)})"


def _remade(fields: dict[str, Any]) -> Profile:
    return Profile(fields.pop("name"), fields.pop("algorithm"), **fields)


def _limit(limit: SupportsIndex | None, odd: str) -> int | None:
    if limit is None:
        return None
    number = integer(limit, "limit")
    if odd != "pad":
        raise InputError("limit: only a padded tree (odd='pad') has one")
    if not 1 <= number <= MAX_LIMIT:
        raise InputError(f"limit: {shown(number)} is not between 1 and 2**64")
    return number


def _empty(empty: ReadableBuffer | str | None, d: int) -> bytes | str | None:
    if isinstance(empty, str) and empty != "hash":
        raise InputError(f"empty: {empty!r} is not 'hash', a root or None")
    if empty is None or isinstance(empty, str):
        return empty
    root = as_bytes(empty, "empty")
    if len(root) not in (0, d):
        raise InputError(f"empty: a root of {len(root)} bytes, digests have {d}")
    return root


_SPLIT = Profile("rfc6962", leaf_prefix=b"\x00", node_prefix=b"\x01", empty="hash")
_BCOS = Profile("fisco-bcos", "keccak256", leaf="as_is", odd="rehash", empty=bytes(32))
_CHAINMAKER = Profile("chainmaker", leaf="as_is", odd="duplicate", empty=b"")

_NAMED = {
    profile.name: profile
    for profile in (
        # RFC 6962 section 2.1, RFC 9162 section 2.1; so are CometBFT's lists but its transactions
        _SPLIT,
        # The same tree over SM3, GB/T 32905-2016: nobody else's but yours
        _SPLIT.replace(name="rfc6962-sm3", algorithm="sm3"),
        # Bitcoin Core, consensus/merkle.cpp: transaction ids as hashed, not as displayed
        Profile("bitcoin", "sha256d", leaf="as_is", odd="duplicate", empty=bytes(32)),
        # simple-serialize.md of the Ethereum consensus specifications: merkleize(chunks, limit)
        Profile("ssz", leaf="as_is", odd="pad"),
        # OpenZeppelin merkle-tree, core.ts: makeMerkleTree; hashes.ts: standardLeafHash, standardNodeHash.
        # Leaves are what its ABI encoder returns. Checked against a dump of the library.
        Profile("openzeppelin", "keccak256", leaf="hash_twice", odd="heap", sort_pairs=True),
        # OpenZeppelin merkle-tree, simple.ts: formatLeaf. Checked against a dump of the library.
        Profile("openzeppelin-simple", "keccak256", leaf="as_is", odd="heap", sort_pairs=True),
        # CometBFT, types/tx.go: Txs.Hash, over crypto/merkle/tree.go, hash.go; H("") from Tendermint 0.34 on
        _SPLIT.replace(name="cometbft-txs", leaf="hash_digest"),
        # FISCO BCOS 3, bcos-crypto/merkle/Merkle.h with width 2, called by calculateTransactionRoot. Checked
        # against the root of a block of 51 transactions. FISCO BCOS 2 and the release candidates of 3 have
        # another tree, of 16 children a node with the root hashed once more (ParallelMerkleProof.cpp).
        _BCOS,
        # The same of a chain with national-standard cryptography; by its code, no block at hand has leaves
        _BCOS.replace(name="fisco-bcos-sm3", algorithm="sm3"),
        # ChainMaker, common/crypto/hash/merkle.go: GetMerkleRoot, BuildMerkleTree; which hash, its chain
        # configuration says (crypto.hash). By its code, no block at hand
        _CHAINMAKER,
        _CHAINMAKER.replace(name="chainmaker-sm3", algorithm="sm3"),
        _CHAINMAKER.replace(name="chainmaker-sha3", algorithm="sha3_256"),
    )
}

profiles: Mapping[str, Profile] = MappingProxyType(_NAMED)
"""The named profiles, read-only."""


def resolve(profile: Profile | str) -> Profile:
    """Return the profile of a name, or the profile itself.

    InputError for an unknown name, TypeError for anything else.

    >>> resolve("ssz") is profiles["ssz"]
    True
    """
    if type(profile) is str and profile in _NAMED:
        return _NAMED[profile]
    if isinstance(profile, Profile):
        return profile
    if isinstance(profile, str):
        raise InputError(f"profile {profile!r} is none of {', '.join(_NAMED)}")
    raise TypeError(f"profile: a name or a Profile is needed, not {type(profile).__name__}")


def same_rules(one: Profile, other: Profile) -> bool:
    """Tell whether two profiles hash alike, whatever they are called.

    >>> same_rules(profiles["ssz"], profiles["ssz"].replace(name="mine"))
    True
    """
    return one._key[1:] == other._key[1:]
