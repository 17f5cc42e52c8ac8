"""What the block rules ask of scripts without running them (Bitcoin Core, script/script.h and script.cpp)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["count_signature_operations", "is_signet_solution", "is_unspendable", "push_of_height", "pushes"]

OP_PUSHDATA1, OP_PUSHDATA4 = 0x4C, 0x4E
OP_1 = 0x51
OP_RETURN = b"\x6a"
OP_CHECKSIG, OP_CHECKSIGVERIFY, OP_CHECKMULTISIG, OP_CHECKMULTISIGVERIFY = 0xAC, 0xAD, 0xAE, 0xAF
MOST_KEYS = 20  # of a CHECKMULTISIG
MAX_SCRIPT = 10_000  # bytes of one that can be run
MAX_COMPACT_SIZE = 0x02000000


def operations(script: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield opcode and [start, stop) of what it pushes, up to a push that runs over the end (GetScriptOp)."""
    at, end = 0, len(script)
    while at < end:
        opcode = script[at]
        at += 1
        size = opcode
        if opcode > OP_PUSHDATA4:
            size = 0
        elif opcode >= OP_PUSHDATA1:
            width = 1 << (opcode - OP_PUSHDATA1)
            if end - at < width:
                return
            size = int.from_bytes(script[at : at + width], "little")
            at += width
        if size > end - at:
            return
        yield opcode, at, at + size
        at += size


def pushes(script: bytes) -> Iterator[bytes]:
    """Yield what a script pushes."""
    return (script[start:stop] for _, start, stop in operations(script))


def count_signature_operations(script: bytes) -> int:
    """Count as GetSigOpCount(false) does: each CHECKMULTISIG for the most keys it may have."""
    if not (b"\xac" in script or b"\xae" in script or b"\xad" in script or b"\xaf" in script):
        return 0  # most are signatures and keys
    count = 0
    for opcode, _, _ in operations(script):
        if OP_CHECKSIG <= opcode <= OP_CHECKSIGVERIFY:
            count += 1
        elif OP_CHECKMULTISIG <= opcode <= OP_CHECKMULTISIGVERIFY:
            count += MOST_KEYS
    return count


def is_unspendable(script: bytes) -> bool:
    """Tell whether no coin is made of an output with this script (CScript::IsUnspendable, AddCoin)."""
    return script.startswith(OP_RETURN) or len(script) > MAX_SCRIPT


def push_of_height(height: int) -> bytes:
    """Return the script that pushes a height in the fewest bytes (CScript() << height)."""
    if height == 0:
        return b"\x00"
    if height <= 16:
        return bytes((OP_1 + height - 1,))
    number = height.to_bytes(height.bit_length() // 8 + 1, "little")  # with room for a sign
    return bytes((len(number),)) + number


def is_signet_solution(data: bytes) -> bool:
    """Tell whether bytes are a script and a witness stack, and nothing after them (SignetTxs::Create)."""
    try:
        at = _skip_string(data, 0)
        count, at = _compact_size(data, at)
        if count > len(data) - at:
            return False
        for _ in range(count):
            at = _skip_string(data, at)
    except ValueError:
        return False
    return at == len(data)


def _skip_string(data: bytes, at: int) -> int:
    size, at = _compact_size(data, at)
    if size > len(data) - at:
        raise ValueError
    return at + size


def _compact_size(data: bytes, at: int) -> tuple[int, int]:
    first = data[at] if at < len(data) else 256
    if first < 253:
        return first, at + 1
    width = 1 << (first - 252)
    field = data[at + 1 : at + 1 + width]
    value = int.from_bytes(field, "little")
    if first > 255 or len(field) < width or value < (253 if width == 2 else 1 << (4 * width)):
        raise ValueError
    if value > MAX_COMPACT_SIZE:
        raise ValueError
    return value, at + 1 + width
