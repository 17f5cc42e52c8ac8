"""Rows of the table: the Merkle root, and the rules of headers."""

from __future__ import annotations

from collections.abc import Iterator

from tests.blocks.builder import (
    EASY,
    MAIN_LIMIT,
    MAINNET,
    PERIOD,
    REGTEST,
    TESTNET3,
    TESTNET4,
    Network,
    coinbase,
    expand,
    retarget,
    root,
    spend,
)
from tests.blocks.cases import (
    FOR_WANT_OF_CONTEXT,
    HEIGHT,
    PARENT,
    TIME,
    Case,
    Maker,
    at,
    block,
    case,
    fault,
)

MAIN_BITS = 0x1D00FFFF
PLAIN = REGTEST._replace(twenty_minutes=False)  # bits are the parent's, always


# ---- Merkle ------------------------------------------------------------------------------------------------


def merkle_root() -> Iterator[Case]:
    made = block(spend(1), spend(2)).build()
    yield case("right root", made)
    yield case("wrong root", block(spend(1), spend(2), root=bytes(32)), fault("MERKLE_ROOT", 36))
    one = bytearray(made.root)
    one[31] ^= 1
    yield case("one bit of the root", block(spend(1), spend(2), root=bytes(one)), fault("MERKLE_ROOT", 36))
    swapped = root([made.txids[0], made.txids[2], made.txids[1]])
    yield case("order of transactions", block(spend(1), spend(2), root=swapped), fault("MERKLE_ROOT", 36))


def merkle_mutated() -> Iterator[Case]:
    """CVE-2012-2459: the last subtree of an odd level once more has the same root."""
    for n in range(2, 41):
        txs = [spend(i) for i in range(1, n)]
        good = block(*txs).build()
        if n in (2, 3, 39, 40):
            yield case(f"{n} transactions", good)
        level = 0
        while (width := (n - 1 >> level) + 1) > 1:
            if width % 2:
                first = (width - 1) << level
                order = list(range(n))
                for k in range(level):  # what the tree repeats by itself below stands there in full
                    if ((len(order) - 1 >> k) + 1) % 2:
                        order += order[-1 << k :]
                order += order[first:]
                made = block(*(txs[i - 1] for i in order[1:])).build()
                assert made.root == good.root
                again = range(n, len(order))
                yield case(
                    f"{n} transactions, level {level} of the tree once more",
                    made,
                    fault("MERKLE_MUTATED", 36),
                    *(fault("DUPLICATE_TXID", made.offsets[i], i, order[i]) for i in again),
                    *(fault("DOUBLE_SPEND", made.at(i, "prevout", 0), i, 0, order[i]) for i in again),
                )
            level += 1
    made = block(spend(1), spend(1), spend(2)).build()
    yield case(
        "equal leaves that are no siblings", made, fault("DUPLICATE_TXID", made.offsets[2], 2, 1),
        fault("DOUBLE_SPEND", made.at(2, "prevout", 0), 2, 0, 1),
    )  # fmt: skip


# ---- header, without difficulty ----------------------------------------------------------------------------


def versions() -> Iterator[Case]:
    """BIP 34, 66, 65 from their heights on: 2, 3, 4 are the least; the sign counts."""
    forks = REGTEST._replace(bip34_height=HEIGHT - 20, bip66_height=HEIGHT - 10, bip65_height=HEIGHT)
    for height, least in (
        (HEIGHT - 21, 1),
        (HEIGHT - 20, 2),
        (HEIGHT - 11, 2),
        (HEIGHT - 10, 3),
        (HEIGHT, 4),
    ):
        for version in (-(1 << 31), -1, 0, 1, 2, 3, 4, 0x20000000, (1 << 31) - 1):
            refused = version < least and least > 1
            said = (fault("VERSION", 0, -1, version, least),) if refused else ()
            made = block(version=version, context=at(height))
            yield case(f"version {version} at {height}", made, *said, network=forks, context=at(height))
    swapped = REGTEST._replace(bip34_height=HEIGHT + 1, bip66_height=HEIGHT + 1, bip65_height=HEIGHT)
    yield case("BIP 65 first", block(version=3), fault("VERSION", 0, -1, 3, 4), network=swapped)


def linkage() -> Iterator[Case]:
    other = bytes(31) + b"\1"
    yield case("another parent", block().but(prev=other), fault("PREV_HASH", 4))
    yield case("display order", block().but(prev=PARENT.prev_hash[::-1]), fault("PREV_HASH", 4))
    yield case("the parent", block())
    first = block().but(prev=bytes(32)).build()
    own, other_ = (REGTEST._replace(genesis_hash=hash_) for hash_ in (first.hash, first.hash[::-1]))
    start = PARENT._replace(prev_hash=bytes(32))
    yield case("no parent", first, context=start)
    yield case("the first block", first, context=start, network=own)
    yield case("another first block", first, fault("GENESIS", 4), context=start, network=other_)
    yield case("a first block that comes later", first, fault("PREV_HASH", 4), network=other_)
    yield case("a block that is not the first", block(), network=other_)


def targets() -> Iterator[Case]:
    """The forms of arith_uint256::SetCompact; what does not hold is not compared with the hash."""
    for bits, name in (
        (0x00000000, "TARGET_ZERO"),
        (0x00123456, "TARGET_ZERO"),
        (0x01003456, "TARGET_ZERO"),
        (0x02000056, "TARGET_ZERO"),
        (0x03000000, "TARGET_ZERO"),
        (0x20000000, "TARGET_ZERO"),
        (0xFF000000, "TARGET_ZERO"),
        (0x00923456, "TARGET_ZERO"),  # shifted out, so the sign means nothing
        (0x01803456, "TARGET_ZERO"),
        (0x02800056, "TARGET_ZERO"),
        (0x03800000, "TARGET_ZERO"),
        (0x20800000, "TARGET_ZERO"),
        (0x01FEDCBA, "TARGET_NEGATIVE"),
        (0x02923456, "TARGET_NEGATIVE"),
        (0x03800001, "TARGET_NEGATIVE"),
        (0x04923456, "TARGET_NEGATIVE"),
        (0x20FFFFFF, "TARGET_NEGATIVE"),
        (0xFF923456, "TARGET_NEGATIVE"),  # too large as well: the sign is looked at first
        (0xFF123456, "TARGET_OVERFLOW"),
        (0x23000001, "TARGET_OVERFLOW"),
        (0x22000100, "TARGET_OVERFLOW"),
        (0x21010000, "TARGET_OVERFLOW"),
        (0x220000FF, "TARGET_ABOVE_LIMIT"),
        (0x2100FFFF, "TARGET_ABOVE_LIMIT"),
        (0x21008000, "TARGET_ABOVE_LIMIT"),  # 2^255, one more than regtest's limit
    ):
        made = block(bits=bits)
        yield case(f"{bits:08x}", made, fault(name, 72, -1, bits), fault("BITS", 72, -1, bits, EASY))
    yield case("at the limit", block(bits=EASY))
    for bits, name in ((0x1D00FFFE, None), (0x1D00FFFF, None), (0x1D010000, "TARGET_ABOVE_LIMIT")):
        context = at(HEIGHT, bits=bits, real_bits=bits)
        made = block(bits=bits)
        said = fault(name, 72, -1, bits) if name else fault("HASH_ABOVE_TARGET", 0, -1, bits)
        yield case(f"mainnet {bits:08x}", made, said, network=MAINNET, context=context)
    # A limit whose compact form is smaller than itself, and limits beside a compact form.
    for limit, good in ((expand(EASY), True), (expand(EASY) - 1, False), (expand(EASY) + 1, True)):
        said = () if good else (fault("TARGET_ABOVE_LIMIT", 72, -1, EASY),)
        yield case(f"limit {limit:#x}", block(), *said, network=PLAIN._replace(pow_limit=limit))


def proof_of_work() -> Iterator[Case]:
    yield case("hash below the target", block())
    yield case("hash above it", block(mined=False), fault("HASH_ABOVE_TARGET", 0, -1, EASY))
    for bits in (0x1F7FFFFF, 0x207FFFFE, 0x03000001, 0x01010000):
        mined = bits >> 24 > 3
        said = () if mined else (fault("HASH_ABOVE_TARGET", 0, -1, bits),)
        yield case(f"{bits:08x}", block(bits=bits), *said, network=PLAIN, context=at(HEIGHT, bits=bits))


def median_time() -> Iterator[Case]:
    """Later than the median of the last eleven, or of all where there are fewer."""
    shuffled = tuple(TIME - k for k in (50, 10, 90, 20, 80, 30, 70, 40, 60, 100, 110))
    for times in (PARENT.times, shuffled, (TIME,) * 11):
        median = sorted(times)[5]
        for time in (median - 1, median, median + 1):
            said = (fault("TIME_TOO_OLD", 68, -1, time, median),) if time <= median else ()
            yield case(
                f"median {median}, {time - median:+}",
                block(time=time),
                *said,
                context=at(HEIGHT, times=times),
                network=PLAIN,
            )
    for count in range(1, 11):  # heights below 11
        context = at(count, times=shuffled[:count])
        median = sorted(shuffled[:count])[count // 2]
        for time in (median, median + 1):
            said = (fault("TIME_TOO_OLD", 68, -1, time, median),) if time <= median else ()
            yield case(
                f"height {count}, {time - median:+}",
                block(time=time, context=context),
                *said,
                context=context,
                network=PLAIN,
            )
    for height, times in ((HEIGHT, PARENT.times[1:]), (10, PARENT.times[:9]), (5, ()), (HEIGHT, None)):
        context = at(height, times=times)
        yield case(
            f"{len(times or ())} times at {height}", block(context=context, time=1), context=context,
            unchecked=frozenset({"median_time"}), network=PLAIN,
        )  # fmt: skip


def future_time() -> Iterator[Case]:
    for now, late in ((TIME - 7200, False), (TIME - 7201, True), (TIME + 10**6, False), (0, True)):
        said = (fault("TIME_TOO_NEW", 68, -1, TIME, now + 7200),) if late else ()
        yield case(f"{TIME - now} s ahead", block(), *said, now=now)
    yield case("no clock", block(), now=None, unchecked=frozenset({"future_time"}))
    last = (1 << 32) - 1
    yield case("the last second", block(time=last), network=PLAIN, now=last - 7200)


# ---- difficulty --------------------------------------------------------------------------------------------


def hard(bits: int, wanted: int, network: Network, time: int = TIME, /, **context: object) -> Case:
    """A block with these bits where others may be wanted; not mined, for that would take too long."""
    height = context.pop("height", HEIGHT)
    parent = at(height, **{"bits": MAIN_BITS, "real_bits": MAIN_BITS, "period_bits": MAIN_BITS} | context)
    made = block(bits=bits, time=time, context=parent).build()
    above = expand(bits) > network.pow_limit
    said = [fault("TARGET_ABOVE_LIMIT", 72, -1, bits) if above else fault("HASH_ABOVE_TARGET", 0, -1, bits)]
    if bits != wanted:
        said.append(fault("BITS", 72, -1, bits, wanted))
    name = f"{bits:08x} at {height}, {wanted:08x} wanted, {time - parent.times[-1]} s, {context}"
    return case(
        name, made, *said, network=network, context=parent, now=None, unchecked=frozenset({"future_time"})
    )


def difficulty_between() -> Iterator[Case]:
    """Off the boundary the bits are the parent's."""
    for height in (HEIGHT, PERIOD - 1, PERIOD + 1, 2 * PERIOD - 1):
        for bits in (0x1C00FFFF, 0x1C00FFFE, 0x1C010000):
            yield hard(bits, 0x1C00FFFF, HIGH, height=height, bits=0x1C00FFFF)


# Forks out of the way, so that only the bits count at any height.
HIGH = MAINNET._replace(segwit_height=0, halving=1 << 40)
BOUNDARY = 5 * PERIOD


def difficulty_boundary() -> Iterator[Case]:
    """Every 2,016 blocks by the time the last 2,016 took, within a quarter and four times."""
    weeks = 1_209_600
    old = 0x1B0404CB
    for seconds in (
        weeks, weeks - 1, weeks + 1, weeks // 4, weeks // 4 - 1, weeks // 4 + 1, weeks * 4, weeks * 4 - 1,
        weeks * 4 + 1, 0, -600, 1, weeks * 100, 1_000_000,
    ):  # fmt: skip
        wanted = retarget(old, seconds, MAIN_LIMIT)
        more = {"height": BOUNDARY, "bits": old, "period_start": TIME - 600 - seconds}
        for bits in dict.fromkeys((wanted, old, wanted + 1)):
            yield hard(bits, wanted, HIGH, **more)
    # Never above the limit; the compact form rounds down.
    for bits, seconds in (
        (MAIN_BITS, weeks * 2),
        (MAIN_BITS, weeks),
        (MAIN_BITS, weeks // 2),
        (0x1C7FFFFF, weeks * 4),
    ):
        wanted = retarget(bits, seconds, MAIN_LIMIT)
        assert expand(wanted) <= MAIN_LIMIT
        yield hard(wanted, wanted, HIGH, height=BOUNDARY, bits=bits, period_start=TIME - 600 - seconds)
    # Small targets: what the compact form drops, and what becomes zero.
    for bits in (0x03000001, 0x03123456, 0x04123456, 0x02008000):
        wanted = retarget(bits, weeks * 3, MAIN_LIMIT)
        yield hard(wanted, wanted, HIGH, height=BOUNDARY, bits=bits, period_start=TIME - 600 - weeks * 3)
    # Products beyond 256 bits wrap, as in arith_uint256.
    loose = REGTEST._replace(no_retarget=False, twenty_minutes=False)
    for seconds in (weeks, weeks * 4, weeks // 4):
        wanted = retarget(EASY, seconds, loose.pow_limit)
        context = at(BOUNDARY, bits=EASY, period_start=TIME - 600 - seconds)
        made = block(bits=EASY, context=context, first=coinbase(BOUNDARY, value=0))
        said = () if wanted == EASY else (fault("BITS", 72, -1, EASY, wanted),)
        yield case(f"wrapped, {seconds} s", made, *said, network=loose, context=context)


def twenty_minutes() -> Iterator[Case]:
    """Testnet3: more than twenty minutes after the parent the limit's bits are wanted, else the real ones."""
    parent = PARENT.times[-1]
    real = 0x1C00FFFF
    for seconds, wanted in ((1200, real), (1201, MAIN_BITS), (10**6, MAIN_BITS), (1, real), (-100, real)):
        for bits in (real, MAIN_BITS, 0x1C00FFFE):
            for last in (MAIN_BITS, real):  # the parent itself may be one of those blocks
                yield hard(
                    bits,
                    wanted,
                    TESTNET3._replace(bip34_height=0),
                    parent + seconds,
                    bits=last,
                    real_bits=real,
                )
    # On the boundary the rule is off: the parent's bits are what is adjusted, whatever they are.
    for seconds in (600, 1201):
        wanted = retarget(MAIN_BITS, 604_800, MAIN_LIMIT)
        for bits in (wanted, MAIN_BITS, retarget(real, 604_800, MAIN_LIMIT)):
            yield hard(
                bits, wanted, TESTNET3, parent + seconds, height=BOUNDARY, bits=MAIN_BITS, real_bits=real,
                period_start=parent - 604_800,
            )  # fmt: skip


def bip94() -> Iterator[Case]:
    """Testnet4: the period's first bits are adjusted; its first block is at most ten minutes back."""
    parent = PARENT.times[-1]
    first = 0x1C00FFFF
    wanted = retarget(first, 604_800, MAIN_LIMIT)
    for bits in (wanted, retarget(MAIN_BITS, 604_800, MAIN_LIMIT), MAIN_BITS):
        yield hard(
            bits, wanted, TESTNET4, height=BOUNDARY, period_bits=first, period_start=parent - 604_800
        )  # fmt: skip
    context = at(
        BOUNDARY,
        bits=EASY,
        period_bits=EASY,
        real_bits=EASY,
        times=(*((TIME - 9000,) * 10), parent),
        period_start=0,
    )
    for network in (REGTEST._replace(bip94=True), REGTEST):
        for time in (parent - 599, parent - 600, parent - 601):
            warped = network.bip94 and time < parent - 600
            said = (fault("TIMEWARP", 68, -1, time, parent - 600),) if warped else ()
            for height in (BOUNDARY, BOUNDARY - 1, BOUNDARY + 1):
                there = context._replace(height=height - 1)
                made = block(time=time, context=there, first=coinbase(height, value=0))
                yield case(
                    f"BIP 94 {network.bip94}, {time - parent} s, height {height}", made,
                    *(said if height == BOUNDARY else ()), network=network, context=there,
                )  # fmt: skip
    network = REGTEST._replace(bip94=True)
    there = context._replace(times=None)
    yield case(
        "boundary, times unknown", block(context=there, first=coinbase(BOUNDARY, value=0)), network=network,
        context=there, unchecked=frozenset({"median_time", "timewarp"}),
    )  # fmt: skip


def regtest() -> Iterator[Case]:
    """Twenty minutes, and no retarget."""
    parent = PARENT.times[-1]
    lower = 0x1F7FFFFF
    for seconds, wanted in ((600, lower), (1201, EASY)):
        for bits in (lower, EASY):
            said = () if bits == wanted else (fault("BITS", 72, -1, bits, wanted),)
            context = at(HEIGHT, bits=EASY, real_bits=lower)
            yield case(
                f"{bits:08x} after {seconds} s",
                block(bits=bits, time=parent + seconds),
                *said,
                context=context,
                now=None,
                unchecked=frozenset({"future_time"}),
            )
    for bits in (lower, EASY):
        context = at(BOUNDARY, bits=lower, real_bits=EASY, period_start=1)
        said = () if bits == lower else (fault("BITS", 72, -1, bits, lower),)
        made = block(bits=bits, time=parent + 5000, context=context, first=coinbase(BOUNDARY, value=0))
        yield case(
            f"boundary, {bits:08x}",
            made,
            *said,
            context=context,
            now=None,
            unchecked=frozenset({"future_time"}),
        )


def without_context() -> Iterator[Case]:
    """Whatever lacks context is named, and nothing else."""
    lacking = FOR_WANT_OF_CONTEXT | {"coinbase_height", "subsidy"}
    yield case("no context", block(), context=None, unchecked=lacking)
    yield case("nor a clock", block(), context=None, now=None, unchecked=lacking | {"future_time"})
    yield case("two transactions", block(spend(1)), context=None, unchecked=lacking - {"subsidy"})
    yield case(
        "BIP 94",
        block(),
        context=None,
        network=REGTEST._replace(bip94=True),
        unchecked=lacking | {"timewarp"},
    )
    some = PARENT._replace(height=None)
    yield case("no height", block(), context=some, unchecked=lacking - {"linkage", "median_time"})
    yield case(
        "no parent", block(), context=PARENT._replace(prev_hash=None), unchecked=frozenset({"linkage"})
    )
    real = PARENT._replace(real_bits=None)
    yield case("no real bits, twenty minutes", block(), context=real, unchecked=frozenset({"difficulty"}))
    yield case("real bits not needed", block(), context=real, network=PLAIN)
    lower = 0x1F7FFFFF
    there = real._replace(bits=lower)
    yield case("the parent's bits are real", block(bits=lower), context=there)
    yield case("other bits", block(), fault("BITS", 72, -1, EASY, lower), context=there)
    for height in (BOUNDARY - 2, BOUNDARY, BOUNDARY + 1):
        there = at(height + 1, real_bits=None)  # the period's first bits are real though they are the limit's
        made = block(context=there, first=coinbase(height + 1, value=0))
        unchecked = frozenset() if height == BOUNDARY else frozenset({"difficulty"})
        yield case(f"limit's bits at {height}", made, context=there, unchecked=unchecked)
    late = block(time=PARENT.times[-1] + 1201)
    yield case("real bits not needed after twenty minutes", late, context=real, now=TIME + 1201)
    no_bits = PARENT._replace(bits=None)
    yield case("no bits", block(), context=no_bits, network=PLAIN, unchecked=frozenset({"difficulty"}))
    yield case("no bits, real ones known", block(), context=no_bits)
    retargets = PLAIN._replace(no_retarget=False)
    for missing in ("period_start", "bits", "times"):
        there = at(BOUNDARY, period_start=TIME - 600 - 1_209_600)._replace(**{missing: None})
        made = block(context=there, first=coinbase(BOUNDARY, value=0))
        unchecked = {"difficulty"} | ({"median_time"} if missing == "times" else set())
        yield case(
            f"boundary without {missing}",
            made,
            network=retargets,
            context=there,
            unchecked=frozenset(unchecked),
        )
    there = at(BOUNDARY, period_start=TIME - 600 - 1_209_600, period_bits=None)
    made = block(context=there, first=coinbase(BOUNDARY, value=0))
    yield case(
        "BIP 94 boundary without the period's bits",
        made,
        network=retargets._replace(bip94=True),
        context=there,
        unchecked=frozenset({"difficulty"}),
    )


HEADERS: tuple[Maker, ...] = (
    merkle_root, merkle_mutated, versions, linkage, targets, proof_of_work, median_time, future_time,
    difficulty_between, difficulty_boundary, twenty_minutes, bip94, regtest, without_context,
)  # fmt: skip
