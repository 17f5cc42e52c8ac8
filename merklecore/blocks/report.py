"""Reports: what a check found. Objects of Python are made when they are asked for."""

from __future__ import annotations

import json
from typing import NamedTuple

from merklecore.blocks.chains.bitcoin import network_of
from merklecore.blocks.codes import Code, message
from merklecore.blocks.context import made
from merklecore.errors import BlockError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from numpy import uint8, uint32
    from numpy.typing import NDArray

    from merklecore._backend import Checked
    from merklecore.blocks.context import Context

    Found: TypeAlias = tuple[int, int, int, int, int]
    Key: TypeAlias = tuple[Any, ...]

__all__ = ["Fault", "Headers", "Report"]


class Fault(NamedTuple):
    """One fault or warning: code, message, the byte of the block it is at, and the transaction or None.

    >>> Fault(Code.TX_NO_INPUTS, "transaction 1: no inputs", 285, 1).code.name
    'TX_NO_INPUTS'
    """

    code: Code
    message: str
    offset: int
    tx_index: int | None


class Kept(NamedTuple):
    """What a backend finds out about one block, as plain values."""

    faults: list[Found] = []  # noqa: RUF012 - a default, never changed
    fault_count: int = 0
    warnings: list[Found] = []  # noqa: RUF012 - as above
    warning_count: int = 0
    unchecked: int = 0
    root: bytes | None = None
    block_hash: bytes | None = None
    size: int = 0
    tx_count: int = 0
    next_context: Key | None = None


class Report:
    """What is known of one block. Made by ``Engine.check_block`` and ``Engine.check_file``; read-only.

    A block is ``ok`` when no fault was found; what was not checked stands in ``unchecked``.

    >>> from merklecore.blocks import Engine
    >>> report = Engine("bitcoin").check_block(bytes(81))
    >>> report
    <Report: 3 faults; GENESIS first>
    """

    __slots__ = ("_checked", "_rules", "_shift", "end", "offset")

    offset: int  # where the block begins, in bytes: 0, or its place in the file
    end: int  # where it ends; in a file, where the next check may go on

    def __init__(self, checked: Checked | Kept, rules: tuple[str, ...], offset: int, end: int) -> None:
        self._checked = checked
        self._rules = rules
        self.offset = offset
        self.end = end

    @property
    def ok(self) -> bool:
        """Whether no fault was found. Warnings do not count.

        >>> from merklecore.blocks import Engine
        >>> Engine("bitcoin").check_block(b"").ok
        False
        """
        return self._checked.fault_count == 0

    @property
    def errors(self) -> tuple[Fault, ...]:
        """The first 100 faults in the order of the checks.

        >>> from merklecore.blocks import Engine
        >>> Engine("bitcoin").check_block(b"").errors[0].message
        'a field of 80 bytes, 0 are left'
        """
        return tuple(map(_fault, self._checked.faults))

    @property
    def error_count(self) -> int:
        """How many faults there are, those beyond the first 100 included.

        >>> from merklecore.blocks import Engine
        >>> Engine("bitcoin").check_block(b"").error_count
        1
        """
        return self._checked.fault_count

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """The first 100 warnings: what is allowed, and dangerous to others.

        >>> from merklecore.blocks import Engine
        >>> Engine("bitcoin").check_block(b"").warnings
        ()
        """
        return tuple(map(_fault, self._checked.warnings))

    @property
    def warning_count(self) -> int:
        """How many warnings there are.

        >>> from merklecore.blocks import Engine
        >>> Engine("bitcoin").check_block(b"").warning_count
        0
        """
        return self._checked.warning_count

    @property
    def unchecked(self) -> tuple[str, ...]:
        """The names of the rules that were not checked, for want of context or of state.

        >>> from merklecore.blocks import Engine
        >>> "scripts" in Engine("bitcoin").check_block(b"").unchecked
        True
        """
        return names(self._checked.unchecked, self._rules)

    @property
    def root(self) -> bytes | None:
        """The Merkle root of the transactions, 32 bytes as hashed; None where they could not be read, or
        there are none.

        >>> from merklecore.blocks import Engine
        >>> Engine("bitcoin").check_block(b"").root is None
        True
        """
        return self._checked.root

    @property
    def block_hash(self) -> bytes | None:
        """The block's hash, 32 bytes as hashed; None where there is no whole header.

        >>> from merklecore.blocks import Engine
        >>> Engine("bitcoin").check_block(bytes(80)).block_hash.hex()[:16]
        '4be7570e8f70eb09'
        """
        return self._checked.block_hash

    @property
    def tx_count(self) -> int:
        """How many transactions were read.

        >>> from merklecore.blocks import Engine
        >>> Engine("bitcoin").check_block(bytes(81)).tx_count
        0
        """
        return self._checked.tx_count

    @property
    def next_context(self) -> Context | None:
        """The context of the next block, whether or not this one holds; None where there is no whole header.

        >>> from merklecore.blocks import Context, Engine
        >>> Engine("bitcoin").check_block(bytes(81), context=Context.genesis()).next_context.height
        0
        """
        key = self._checked.next_context
        return None if key is None else made(key)

    def raise_for_errors(self) -> None:
        """Raise BlockError with this report as its ``report`` when there is a fault; else return None.

        >>> from merklecore.blocks import Engine
        >>> Engine("bitcoin").check_block(b"").raise_for_errors()
        Traceback (most recent call last):
            ...
        merklecore.errors.BlockError: block: 1 fault, at offset 0 TRUNCATED: a field of 80 bytes, 0 are left
        """
        if self.ok:
            return
        first = self.errors[0]
        name = f"block {self.block_hash.hex()}" if self.block_hash else "block"
        error = BlockError(
            f"{name}: {_counted(self.error_count, 'fault')}, at offset {first.offset} {first.code.name}: "
            f"{first.message}"
        )
        error.report = self
        raise error

    def to_json(self) -> str:
        """Return the report as one JSON object; hashes in hexadecimal as hashed.

        >>> from merklecore.blocks import Engine
        >>> Engine("bitcoin").check_block(b"").to_json()[:44]
        '{"ok":false,"offset":0,"end":0,"block_hash":'
        """
        context = self.next_context
        return json.dumps(
            {
                "ok": self.ok,
                "offset": self.offset,
                "end": self.end,
                "block_hash": self.block_hash.hex() if self.block_hash else None,
                "root": self.root.hex() if self.root else None,
                "tx_count": self.tx_count,
                "error_count": self.error_count,
                "errors": [_as_dict(fault) for fault in self.errors],
                "warning_count": self.warning_count,
                "warnings": [_as_dict(fault) for fault in self.warnings],
                "unchecked": list(self.unchecked),
                "next_context": None if context is None else context.as_dict(),
            },
            separators=(",", ":"),
        )

    def __reduce__(self) -> tuple[object, ...]:
        kept = Kept(*[getattr(self._checked, field) for field in Kept._fields])
        return Report, (kept, self._rules, self.offset, self.end)

    def __repr__(self) -> str:
        if self.ok:
            return f"<Report: ok, {_counted(self.tx_count, 'transaction')}>"
        return f"<Report: {_counted(self.error_count, 'fault')}; {self.errors[0].code.name} first>"


class Headers:
    """What is known of n headers that follow each other. Made by ``Engine.check_headers``; read-only.

    >>> from merklecore.blocks import Engine
    >>> heads = Engine("bitcoin").check_headers(bytes(160))
    >>> heads.codes, heads.first_bad
    (array([51, 41], dtype=uint32), 0)
    """

    __slots__ = ("_key", "_rules", "_unchecked", "chainwork", "codes", "hashes")

    codes: NDArray[uint32]  # shape (n,): 0 where the row holds, else the code of its first fault
    hashes: NDArray[uint8]  # shape (n, 32), as hashed
    chainwork: NDArray[uint8]  # shape (n, 32): hashes expected through the row, big-endian

    def __init__(
        self,
        codes: NDArray[uint32],
        hashes: NDArray[uint8],
        chainwork: NDArray[uint8],
        unchecked: int,
        key: tuple[Any, ...] | None,
        rules: tuple[str, ...],
    ) -> None:
        self.codes = codes
        self.hashes = hashes
        self.chainwork = chainwork
        self._unchecked = unchecked
        self._key = key
        self._rules = rules

    @property
    def ok(self) -> bool:
        """Whether all rows hold.

        >>> from merklecore.blocks import Engine
        >>> Engine("bitcoin").check_headers(b"").ok
        True
        """
        return not self.codes.any()

    @property
    def first_bad(self) -> int | None:
        """The first row that does not hold, or None.

        >>> from merklecore.blocks import Engine
        >>> Engine("bitcoin").check_headers(bytes(80)).first_bad
        0
        """
        return None if self.ok else int((self.codes != 0).argmax())

    @property
    def unchecked(self) -> tuple[str, ...]:
        """The names of the rules that were not checked on every row.

        >>> from merklecore.blocks import Engine
        >>> Engine("bitcoin").check_headers(bytes(80)).unchecked
        ('version', 'linkage', 'difficulty', 'median_time', 'future_time')
        """
        return names(self._unchecked, self._rules)

    @property
    def next_context(self) -> Context | None:
        """The context of the header that would follow; without any header, the one that was given.

        >>> from merklecore.blocks import Context, Engine
        >>> Engine("bitcoin").check_headers(bytes(80), context=Context.genesis()).next_context.height
        0
        """
        return None if self._key is None else made(self._key)

    def __repr__(self) -> str:
        state = "ok" if self.ok else f"row {self.first_bad} is the first that does not hold"
        return f"<Headers: {len(self.codes)}, {state}>"


def names(unchecked: int, rules: tuple[str, ...]) -> tuple[str, ...]:
    """Return the rules whose bits are set."""
    return tuple([rule for i, rule in enumerate(rules) if unchecked >> i & 1])


def _fault(found: Found) -> Fault:
    number, offset, tx, a, b = found
    code = Code(number)
    text = message(code, tx, a, b)
    if code is Code.BAD_MAGIC:
        network = network_of(a.to_bytes(4, "little"))
        text += f", but that of {network}" if network else ""
    return Fault(code, text, offset, None if tx < 0 else tx)


def _as_dict(fault: Fault) -> dict[str, Any]:
    return {"code": int(fault.code), "name": fault.code.name} | fault._asdict() | {"code": int(fault.code)}


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
