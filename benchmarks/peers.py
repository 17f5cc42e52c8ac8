"""What merklecore is compared with, each peer for a reason.

- hashlib in a loop: what Python programs do today, and the fastest way that does not leave the standard
  library. Written as tightly as the language allows, so that no ratio flatters. For BLAKE3 and Keccak-256,
  which it lacks, the packages that programs use instead: ``blake3``, the authors' own, and ``safe-pysha3``.
- hashtree, the npm package ``@chainsafe/hashtree``: the fastest published hasher of plain SHA-256 nodes for a
  scripting language, assembly behind the same kind of thin binding. It runs in node, a process of its own, so
  it is never required: ``make bench-peers`` installs it below ``build/peers``.
- python-bitcoinlib: what Python programs check Bitcoin's blocks with; an extra, ``bench``.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy import uint8
    from numpy.typing import NDArray

    from merklecore import Profile

HERE = Path(__file__).parent
INSTALLED = HERE.parent / "build" / "peers"
HASHTREE = INSTALLED / "node_modules" / "@chainsafe" / "hashtree"

# ---- loops -----------------------------------------------------------------------------------------------


class Loop(NamedTuple):
    """An algorithm as a library has it: one message, and a loop over many without a call in between."""

    library: str
    one: Callable[[bytes], bytes]
    many: Callable[[Iterable[bytes]], list[bytes]]


def _once(new: Callable[[bytes], Any], library: str = "hashlib") -> Loop:
    return Loop(
        library, lambda data: new(data).digest(), lambda messages: [new(m).digest() for m in messages]
    )


def _twice(new: Callable[[bytes], Any]) -> Loop:
    return Loop(
        "hashlib",
        lambda data: new(new(data).digest()).digest(),
        lambda messages: [new(new(m).digest()).digest() for m in messages],
    )


def _blake2b_256() -> Loop:
    new = hashlib.blake2b
    return Loop(
        "hashlib",
        lambda data: new(data, digest_size=32).digest(),
        lambda messages: [new(m, digest_size=32).digest() for m in messages],
    )


def _sm3() -> Loop:
    """The quickest way to OpenSSL's: a copy of one object, for a look-up by name takes longer."""
    start = hashlib.new("sm3")

    def one(data: bytes) -> bytes:
        hash = start.copy()
        hash.update(data)
        return hash.digest()

    def many(messages: Iterable[bytes]) -> list[bytes]:
        copy, found = start.copy, []
        for message in messages:
            hash = copy()
            hash.update(message)
            found.append(hash.digest())
        return found

    return Loop("hashlib", one, many)


def _loops() -> dict[str, Loop]:
    """What this machine has: an OpenSSL may lack SM3, and the packages are extras."""
    loops = {
        "sha256": _once(hashlib.sha256),
        "sha256d": _twice(hashlib.sha256),
        "sha512": _once(hashlib.sha512),
        "sha3_256": _once(hashlib.sha3_256),
        "blake2b_256": _blake2b_256(),
    }
    if "sm3" in hashlib.algorithms_available:
        loops["sm3"] = _sm3()
    try:
        from blake3 import blake3

        loops["blake3"] = _once(blake3, "blake3")
    except ImportError:
        pass
    try:
        from sha3 import keccak_256

        loops["keccak256"] = _once(keccak_256, "safe-pysha3")
    except ImportError:
        pass
    return loops


LOOPS = _loops()


def is_in_hashlib(algorithm: str) -> bool:
    """Tell whether hashlib has the algorithm: the reference is plain Python where it has not."""
    return algorithm in LOOPS and LOOPS[algorithm].library == "hashlib"


def has_loop(profile: Profile) -> bool:
    """Tell whether the loops below know the profile's hash and its tree over 2^k leaves."""
    return profile.algorithm in LOOPS and (profile.odd != "heap" or profile.sort_pairs)


def leaf_hashes(profile: Profile, leaves: Sequence[bytes]) -> list[bytes]:
    """Return level 0."""
    many, prefix = LOOPS[profile.algorithm].many, profile.leaf_prefix
    if profile.leaf == "as_is":
        return list(leaves)
    if profile.leaf == "hash_digest":
        leaves = many(leaves)
    hashes = many([prefix + leaf for leaf in leaves] if prefix else leaves)
    return many(hashes) if profile.leaf == "hash_twice" else hashes


def levels(profile: Profile, leaves: Sequence[bytes]) -> list[list[bytes]]:
    """Return all levels over 2^k leaves, where no rule for odd levels applies and a heap has levels too."""
    many, prefix = LOOPS[profile.algorithm].many, profile.node_prefix
    level = leaf_hashes(profile, leaves)
    found = [level]
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=True)
        if profile.sort_pairs:
            level = many([prefix + a + b if a < b else prefix + b + a for a, b in pairs])
        else:
            level = many([prefix + a + b for a, b in pairs])
        found.append(level)
    return found


def root(profile: Profile, leaves: Sequence[bytes]) -> bytes:
    """Return the root over 2^k leaves."""
    return levels(profile, leaves)[-1][0]


def fold(profile: Profile, leaf: bytes, path: Sequence[bytes], index: int) -> bytes:
    """Return the root that a path of a tree of 2^k leaves leads to."""
    one, prefix = LOOPS[profile.algorithm].one, profile.node_prefix
    node = leaf_hashes(profile, [leaf])[0]
    for sibling in path:
        left = sibling < node if profile.sort_pairs else index & 1
        node = one(prefix + sibling + node) if left else one(prefix + node + sibling)
        index >>= 1
    return node


# ---- python-bitcoinlib -------------------------------------------------------------------------------------


class Bitcoinlib:
    """Parses a block and runs its CheckBlock, which raises at the first fault."""

    def __init__(self) -> None:
        from bitcoin import core

        self._core = core

    def check_block(self, data: bytes) -> bytes:
        """Return the root. Work is not looked at, for blocks of test networks are among ours."""
        block = self._core.CBlock.deserialize(data)
        self._core.CheckBlock(block, fCheckPoW=False, cur_time=block.nTime)
        found: bytes = block.hashMerkleRoot
        return found


def _bitcoinlib() -> Bitcoinlib | None:
    try:
        return Bitcoinlib()
    except (ImportError, OSError):  # it loads OpenSSL by ctypes
        return None


bitcoinlib = _bitcoinlib()

# ---- hashtree ----------------------------------------------------------------------------------------------


class Unavailable(Exception):
    """The peer is not there, or does not run here."""


class Hashtree:
    """A node process that hashes the same nodes each time it is asked to, and tells what that took.

    nodes: uint8, shape (n, 64). It sleeps in between, so its runs may take turns with ours.
    """

    def __init__(self, nodes: NDArray[uint8]) -> None:
        node = shutil.which("node")
        if node is None or not HASHTREE.is_dir():
            missing = "node" if node is None else "@chainsafe/hashtree"
            raise Unavailable(f"not installed: {missing}")
        self.version = json.loads((HASHTREE / "package.json").read_text())["version"]
        self._expected = hashlib.sha256(nodes[-1].tobytes()).hexdigest()
        command = [node, str(HERE / "hashtree.js"), str(INSTALLED), str(len(nodes))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            self._send(nodes.tobytes())
            self.seconds()
        except BrokenPipeError:
            self._process.communicate()
            raise Unavailable(f"hashtree {self.version} does not run here") from None

    def seconds(self) -> float:
        """Run once; return the time by the clock of that process."""
        self._send(b"!")
        assert self._process.stdout is not None
        answer = self._process.stdout.readline().decode().split()
        if len(answer) != 2:
            raise BrokenPipeError("the node process has ended")
        assert answer[1] == self._expected, "the peer computes another digest"
        return int(answer[0]) / 1e9

    def _send(self, data: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def __enter__(self) -> Hashtree:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()
