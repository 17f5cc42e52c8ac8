"""The header rules of Bitcoin, and the context that a header hands on to the next.

Each rule is a function of the chain's parameters, the header, the context of its parent and the caller's
clock; what it lacks makes it unchecked. Sources: Bitcoin Core, validation.cpp (CheckBlockHeader,
ContextualCheckBlockHeader), pow.cpp, arith_uint256.cpp; BIP 34, 65, 66, 94, 113.
"""

from __future__ import annotations

import hashlib
import struct

from merklecore.reference.chains import bitcoin_findings as codes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from merklecore.reference.chains.bitcoin import Bitcoin

__all__ = ["Header", "Parent", "check", "compact", "expand", "median_time_past", "next_parent", "work"]

SPACING = 600  # seconds
PERIOD = 2016  # blocks
TIMESPAN = PERIOD * SPACING
MEDIAN = 11  # blocks
MAX_FUTURE = 7200  # seconds
WORD = (1 << 256) - 1
TIME_AT, BITS_AT = 68, 72
MAX_HEIGHT = (1 << 31) - 1  # of a context
_FIELDS = struct.Struct("<i32s32sIII")


class Header:
    """A header and its hash."""

    __slots__ = ("bits", "hash", "nonce", "prev_hash", "root", "time", "version")

    def __init__(self, data: bytes) -> None:
        self.version: int
        self.prev_hash: bytes
        self.root: bytes
        self.time: int
        self.bits: int
        self.version, self.prev_hash, self.root, self.time, self.bits, self.nonce = _FIELDS.unpack(data)
        self.hash = hashlib.sha256(hashlib.sha256(data).digest()).digest()


class Parent:
    """The chain as it stands after the parent; any of it may be unknown."""

    __slots__ = (
        *("bits", "chainwork", "height", "period_bits", "period_start", "prev_hash", "real_bits", "times"),
    )

    def __init__(
        self,
        height: int | None = None,
        prev_hash: bytes | None = None,
        times: tuple[int, ...] | None = None,
        period_start: int | None = None,
        bits: int | None = None,
        chainwork: int | None = None,
        period_bits: int | None = None,
        real_bits: int | None = None,
    ) -> None:
        self.height = height
        self.prev_hash = prev_hash
        self.times = times or ()
        self.period_start = period_start
        self.bits = bits
        self.chainwork = chainwork
        self.period_bits = period_bits
        self.real_bits = real_bits

    def astuple(self) -> tuple[object, ...]:
        """The same as the contract has it."""
        return (
            *(self.height, self.prev_hash, self.times, self.period_start),
            *(self.bits, self.chainwork, self.period_bits, self.real_bits),
        )


def expand(bits: int) -> tuple[int, bool, bool]:
    """Return the target of its compact form, whether it is negative and whether it overflows (SetCompact)."""
    size, word = bits >> 24, bits & 0x007FFFFF
    if size <= 3:
        word >>= 8 * (3 - size)
        target = word
    else:
        target = word << 8 * (size - 3) & WORD
    negative = word != 0 and bits & 0x00800000 != 0
    overflow = word != 0 and (size > 34 or (word > 0xFF and size > 33) or (word > 0xFFFF and size > 32))
    return target, negative, overflow


def compact(target: int) -> int:
    """Return the compact form of a target (GetCompact)."""
    size = (target.bit_length() + 7) // 8
    word = target << 8 * (3 - size) if size <= 3 else target >> 8 * (size - 3)
    if word & 0x00800000:  # would read as a sign
        word >>= 8
        size += 1
    return word | size << 24


def work(bits: int) -> int:
    """Return the hashes that a block of these bits takes on average (GetBlockProof)."""
    target, negative, overflow = expand(bits)
    return 0 if negative or overflow or target == 0 else (1 << 256) // (target + 1)


def median_time_past(parent: Parent) -> int | None:
    """Return the median of the last 11 times, or of all there are; None where they are not all known."""
    times = parent.times
    complete = len(times) == MEDIAN or (
        parent.height is not None and parent.height < 10 and len(times) == parent.height + 1
    )
    return sorted(times)[len(times) // 2] if times and complete else None


def check(chain: Bitcoin, header: Header, parent: Parent, now: int | None, found: codes.Findings) -> None:
    """Check all header rules in their order."""
    version(chain, header, parent, found)
    linkage(chain, header, parent, found)
    if target(chain, header, found):
        proof_of_work(header, found)
    difficulty(chain, header, parent, found)
    median_time(header, parent, found)
    if chain.bip94:
        timewarp(header, parent, found)
    future_time(header, now, found)


def version(chain: Bitcoin, header: Header, parent: Parent, found: codes.Findings) -> None:
    """From the heights of BIP 34, 66 and 65 on the version is at least 2, 3 and 4."""
    if parent.height is None:
        return found.skip("version")
    height, least = parent.height + 1, 0
    for start, floor in ((chain.bip34_height, 2), (chain.bip66_height, 3), (chain.bip65_height, 4)):
        if height >= start:
            least = floor
    if least and header.version < least:
        found.fault(codes.VERSION, 0, -1, header.version, least)


def linkage(chain: Bitcoin, header: Header, parent: Parent, found: codes.Findings) -> None:
    """The header names its parent; only the network's first block has none."""
    if parent.prev_hash is None:
        found.skip("linkage")
    if parent.prev_hash not in (None, header.prev_hash):
        found.fault(codes.PREV_HASH, 4)
    elif header.prev_hash == bytes(32) and chain.genesis_hash not in (None, header.hash):
        found.fault(codes.GENESIS, 4)


def target(chain: Bitcoin, header: Header, found: codes.Findings) -> bool:
    """The target can be one, and is not above the network's limit. Returns whether it holds."""
    value, negative, overflow = expand(header.bits)
    if negative:
        code = codes.TARGET_NEGATIVE
    elif overflow:
        code = codes.TARGET_OVERFLOW
    elif value == 0:
        code = codes.TARGET_ZERO
    elif value > chain.pow_limit:
        code = codes.TARGET_ABOVE_LIMIT
    else:
        return True
    found.fault(code, BITS_AT, -1, header.bits)
    return False


def proof_of_work(header: Header, found: codes.Findings) -> None:
    """The hash, as a little-endian number, is not above the target."""
    if int.from_bytes(header.hash, "little") > expand(header.bits)[0]:
        found.fault(codes.HASH_ABOVE_TARGET, 0, -1, header.bits)


def difficulty(chain: Bitcoin, header: Header, parent: Parent, found: codes.Findings) -> None:
    """The bits are those that the chain asks for."""
    wanted = _wanted_bits(chain, header, parent)
    if wanted is None:
        return found.skip("difficulty")
    if header.bits != wanted:
        found.fault(codes.BITS, BITS_AT, -1, header.bits, wanted)


def _wanted_bits(chain: Bitcoin, header: Header, parent: Parent) -> int | None:
    """GetNextWorkRequired; None where the context does not say."""
    if parent.height is None:
        return None
    parent_time = parent.times[-1] if parent.times else None
    if (parent.height + 1) % PERIOD == 0:
        return parent.bits if chain.no_retarget else _retarget(chain, parent, parent_time)
    if not chain.twenty_minutes:
        return parent.bits
    if parent_time is None:
        return None
    if header.time > parent_time + 2 * SPACING:
        return chain.limit_bits
    if parent.real_bits is not None:
        return parent.real_bits
    if parent.height % PERIOD == 0 or parent.bits != chain.limit_bits:
        return parent.bits  # Core walks back from the parent, mostly not a single step
    return None


def _retarget(chain: Bitcoin, parent: Parent, parent_time: int | None) -> int | None:
    """CalculateNextWorkRequired, its 256-bit arithmetic included."""
    bits = parent.period_bits if chain.bip94 else parent.bits
    if bits is None or parent.period_start is None or parent_time is None:
        return None
    took = min(max(parent_time - parent.period_start, TIMESPAN // 4), TIMESPAN * 4)
    return compact(min((expand(bits)[0] * took & WORD) // TIMESPAN, chain.pow_limit))


def median_time(header: Header, parent: Parent, found: codes.Findings) -> None:
    """The time is above the median of the last 11 (nothing stands before the genesis block)."""
    if parent.height == -1 and not parent.times:
        return None
    median = median_time_past(parent)
    if median is None:
        return found.skip("median_time")
    if header.time <= median:
        found.fault(codes.TIME_TOO_OLD, TIME_AT, -1, header.time, median)


def timewarp(header: Header, parent: Parent, found: codes.Findings) -> None:
    """BIP 94: the first block of a period is not dated more than 600 seconds before its parent."""
    if parent.height is None:
        return found.skip("timewarp")
    if (parent.height + 1) % PERIOD:
        return None
    if not parent.times:
        return found.skip("timewarp")
    least = parent.times[-1] - SPACING
    if header.time < least:
        found.fault(codes.TIMEWARP, TIME_AT, -1, header.time, least)


def future_time(header: Header, now: int | None, found: codes.Findings) -> None:
    """The time is not more than two hours after the caller's."""
    if now is None:
        return found.skip("future_time")
    if header.time > now + MAX_FUTURE:
        found.fault(codes.TIME_TOO_NEW, TIME_AT, -1, header.time, now + MAX_FUTURE)


def next_parent(chain: Bitcoin, header: Header, parent: Parent | None) -> Parent:
    """Return the context that stands after this header, whether or not it holds."""
    if parent is None:
        parent = Parent()
    height = None if parent.height in (None, MAX_HEIGHT) else parent.height + 1
    first = height is not None and height % PERIOD == 0
    ordinary = first or header.bits != chain.limit_bits
    chainwork = parent.chainwork
    if first:
        period_start: int | None = header.time
    else:
        period_start = None if height is None else parent.period_start
    return Parent(
        height=height,
        prev_hash=header.hash,
        times=(*parent.times, header.time)[-MEDIAN:],
        period_start=period_start,
        bits=header.bits,
        chainwork=None if chainwork is None else chainwork + work(header.bits) & WORD,
        period_bits=header.bits if first else parent.period_bits,
        real_bits=header.bits if ordinary else parent.real_bits,
    )
