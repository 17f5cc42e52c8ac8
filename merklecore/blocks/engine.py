"""The engine: checks blocks, headers and block files of one chain."""

from __future__ import annotations

import os

from merklecore._text import shown
from merklecore.blocks.chains import bitcoin
from merklecore.blocks.context import key_of
from merklecore.blocks.files import check_file, read_headers
from merklecore.blocks.report import Headers, Report
from merklecore.errors import InputError
from merklecore.tree import MerkleTree
from merklecore.tree.arguments import as_bytes, integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, SupportsIndex

    from _typeshed import ReadableBuffer
    from numpy import int64, uint8
    from numpy.typing import NDArray

    from merklecore.blocks.chains.bitcoin import Params
    from merklecore.blocks.context import Context
    from merklecore.hashing import Messages
    from merklecore.tree import InclusionProof

__all__ = ["Engine"]

MAX_THREADS = 1024
MAX_NOW = 1 << 62


class Engine:
    """The checks of one chain that need no state beside a block and the context of its parent.

    chain: a name in ``networks``, or ``Params``, which need no name of those.
    threads: how many a block file is checked with: None (as many as the CPUs when the work is large), or 1 to
    1024.

    InputError for an unknown name, TypeError for a wrong type. An engine has no state: any number of threads
    may use one.

    >>> eng = Engine("bitcoin")
    >>> genesis = bytes.fromhex(
    ...     "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c"
    ...     "3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c0101000000010000000000000000"
    ...     "000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054696d657320"
    ...     "30332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f"
    ...     "757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a8"
    ...     "28e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00"
    ...     "000000"
    ... )
    >>> report = eng.check_block(genesis)
    >>> report.ok, report.block_hash[::-1].hex()  # blocks are displayed last byte first
    (True, '000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f')
    >>> report.unchecked[:4]
    ('version', 'linkage', 'difficulty', 'median_time')
    """

    __slots__ = ("_bitcoin", "_params", "_threads")

    def __init__(self, chain: str | Params, *, threads: SupportsIndex | None = None) -> None:
        if isinstance(chain, str):
            if chain not in bitcoin.NETWORKS:
                raise InputError(f"chain {chain!r} is none of {', '.join(bitcoin.NETWORKS)}")
            chain = bitcoin.NETWORKS[chain]
        if not isinstance(chain, bitcoin.Params):
            raise TypeError(f"chain: a name or Params are needed, not {type(chain).__name__}")
        if threads is not None:
            threads = integer(threads, "threads")
            if not 1 <= threads <= MAX_THREADS:
                raise InputError(f"threads: {shown(threads)} is not between 1 and {MAX_THREADS}")
        self._params = chain
        self._threads = threads
        self._bitcoin = chain.backend()

    @property
    def params(self) -> Params:
        """The rules of the network.

        >>> Engine("bitcoin").params.halving
        210000
        """
        return self._params

    def check_block(
        self, buf: ReadableBuffer, *, context: Context | None = None, now: SupportsIndex | None = None
    ) -> Report:
        """Check one block in its serialised form, witnesses included where it has them.

        buf: bytes-like, contiguous. context: the chain as it stands after the parent; without it the rules
        that need it are named in ``unchecked``. now: seconds since 1970, below 2**62, for the rule on future
        times.

        All faults are found, none raises; whatever the bytes, it takes time and memory in proportion to them.
        InputError for memory that is not contiguous, TypeError for wrong types.

        >>> Engine("bitcoin").check_block(bytes(100)).errors[0].code.name
        'TRAILING_BYTES'
        """
        checked = self._bitcoin.check_block(buf, key_of(context), _seconds(now))
        return Report(checked, RULES, 0, checked.size)

    def check_headers(
        self, headers: Messages, *, context: Context | None = None, now: SupportsIndex | None = None
    ) -> Headers:
        """Check n headers of which each follows the one before.

        headers: bytes-like, 80 n bytes; an array (n, 80) of bytes; or a list of 80 bytes each. context: the
        chain as it stands before the first; without it the first rows lack what they need. now: as in
        ``check_block``.

        Context goes on from row to row, whether or not a row holds. InputError for another width, TypeError
        for wrong types.

        >>> Engine("bitcoin").check_headers(bytes(160)).hashes.shape
        (2, 32)
        """
        found = self._bitcoin.check_headers(headers, key_of(context), _seconds(now))
        return Headers(*found, RULES)

    def check_file(
        self,
        path: str | os.PathLike[str],
        *,
        offset: SupportsIndex = 0,
        context: Context | None = None,
        now: SupportsIndex | None = None,
    ) -> Iterator[Report]:
        """Check the blocks of a file in its order, and yield a report for each.

        path: a block file of Bitcoin Core, where magic and size stand before each block, blocks in the order
        of their arrival with stale ones among them; or raw blocks, one after another. ``xor.dat`` beside it
        is applied. offset: where to begin, 0 or the ``end`` of a report, which for a block that the file ends
        in is its own beginning: there it is looked for again when the file has grown. context: the chain as
        it stands after the parent of some block in the file. now: as in ``check_block``.

        The headers of the file are read first: a block whose ancestors lead to a genesis block or to
        ``context`` is checked with its own context, any other with what is known. Zeros between blocks are
        passed over. Anything else is reported as BAD_MAGIC, a size that no block has (below 81 or above
        4,000,000 bytes) as TRUNCATED, once for all that stands before the next whole frame, and what follows
        is checked. A block that the file ends in is reported as TRUNCATED too. Memory does not
        grow with the blocks, only with their number: less than 250 bytes each where a file is in order or
        children come first, less than 1,300 where it is mixed up throughout.

        OSError where the file cannot be read, InputError where it is no regular file. It must not shrink
        meanwhile.

        >>> list(Engine("bitcoin").check_file(__file__, offset=10**9))
        []
        """
        begin = integer(offset, "offset")
        if begin < 0:
            raise InputError(f"offset: {shown(begin)} is negative")
        return check_file(
            self._params,
            self._bitcoin,
            RULES,
            self._threads,
            os.fsdecode(path),
            begin,
            key_of(context),
            _seconds(now),
        )

    def file_headers(self, path: str | os.PathLike[str]) -> tuple[NDArray[uint8], NDArray[int64]]:
        """Return the headers of a file's blocks, uint8, shape (n, 80), and where the blocks begin, (n,).

        path: as in ``check_file``. They are in the order of the file, which is that of the blocks' arrival:
        stale ones are among them, and children may come before parents, so that ``check_headers`` finds
        PREV_HASH wherever a row does not follow the one before. Errors: see ``check_file``; what is no block
        is passed over.

        >>> Engine("bitcoin").file_headers(__file__)[0].shape
        (1, 80)
        """
        return read_headers(self._params, self._bitcoin, os.fsdecode(path))

    def tx_table(self, buf: ReadableBuffer) -> NDArray[Any]:
        """Return what stands where in a block: a structured array, one row a transaction.

        offset, size, stripped (size without the witness): bytes; inputs, outputs: counts; version, locktime;
        value: the sum of the outputs in satoshi; flags: 1 with a witness, 2 in coinbase form. InputError,
        with the offset, where the bytes cannot be read on; rules are not checked.

        >>> Engine("bitcoin").tx_table(bytes(81)).dtype.names[:3]
        ('offset', 'size', 'stripped')
        """
        table: NDArray[Any] = self._bitcoin.tx_table(buf)
        return table

    def txids(self, buf: ReadableBuffer) -> NDArray[uint8]:
        """Return the ids of a block's transactions, uint8, shape (n, 32). Errors: see ``tx_table``.

        >>> Engine("bitcoin").txids(bytes(81)).shape
        (0, 32)
        """
        ids: NDArray[uint8] = self._bitcoin.txids(buf)
        return ids

    def prove(self, buf: ReadableBuffer, index: SupportsIndex) -> InclusionProof:
        """Return the proof that the transaction at ``index`` is in the block.

        It holds for the header's Merkle root, the transaction's id, the index, the number of transactions and
        the profile "bitcoin". InputError where the block cannot be read, its header has another root, or
        other transactions have that root too (CVE-2012-2459); BoundsError for an index that is not below the
        number of transactions.

        >>> Engine("bitcoin").prove(bytes(81), 0)
        Traceback (most recent call last):
            ...
        merklecore.errors.BoundsError: index 0 is not below size 0
        """
        data = buf if type(buf) is bytes else as_bytes(buf, "block", bitcoin.MAX_BYTES)
        tree = MerkleTree(self.txids(data), bitcoin.PROFILE)
        if tree.mutated:
            raise InputError(
                "block: equal siblings in the Merkle tree (CVE-2012-2459): the index proves nothing"
            )
        proof = tree.prove(index)
        root = data[bitcoin.ROOT]
        if root != tree.root:
            raise InputError(
                f"block: the transactions have the root {tree.root.hex()}, the header has {root.hex()}"
            )
        return proof

    def __reduce__(self) -> tuple[object, ...]:
        return _remade, (self._params, self._threads)

    def __repr__(self) -> str:
        return f"Engine({self._params.name!r})"


def _remade(params: Params, threads: int | None) -> Engine:
    return Engine(params, threads=threads)


RULES = tuple(check.name for check in bitcoin.CHECKS)


def _seconds(now: SupportsIndex | None) -> int | None:
    if now is None:
        return None
    seconds = integer(now, "now")
    if not 0 <= seconds <= MAX_NOW:
        raise InputError(f"now: {shown(seconds)} is not between 0 and {MAX_NOW} seconds")
    return seconds
