"""What the encodings of all proofs share: a header in bytes, an object in JSON, and what is refused."""

from __future__ import annotations

from merklecore.errors import InputError
from merklecore.tree.arguments import as_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from _typeshed import ReadableBuffer

__all__ = [
    "HEADER",
    "VERSION",
    "Reader",
    "array_of",
    "hex_list",
    "joined",
    "object_of",
    "unhex",
    "unprefixed",
]

VERSION = 1
HEADER = 7  # bytes: type, version, d, count as u32
MAX_DIGEST = 255
MAX_COUNT = (1 << 32) - 1
MOST_BYTES = 1 << 48  # what no one has: longer proofs are bounded by their own length


class Reader:
    """The bytes of one proof, read from the front: every error is an InputError that names the offset."""

    __slots__ = ("at", "data")

    def __init__(self, data: ReadableBuffer, most: int = MOST_BYTES) -> None:
        self.data = as_bytes(data, "data", most)
        self.at = 0

    def header(self, kind: int, a_proof: str, most: int = MAX_COUNT) -> tuple[int, int]:
        """Read type, version, d and count; return d and count."""
        head = self.data
        if len(head) < HEADER:
            raise InputError(f"offset {len(head)}: ends within the header of {HEADER} bytes")
        if head[0] != kind:
            raise InputError(f"offset 0: type {head[0]}, {a_proof} has {kind}")
        if head[1] != VERSION:
            raise InputError(f"offset 1: version {head[1]}, this is version {VERSION}")
        d, count = head[2], int.from_bytes(head[3:HEADER], "big")
        if count > most:
            raise InputError(f"offset 3: {count} hashes, a proof has at most {most}")
        if (d == 0) != (count == 0):
            raise InputError(f"offset 2: {count} hashes of {d} bytes")
        self.at = HEADER
        return d, count

    def take(self, size: int, what: str) -> bytes:
        """Return the next ``size`` bytes."""
        end = self.at + size
        if end > len(self.data):
            raise InputError(f"offset {len(self.data)}: ends before {what}")
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def u32(self, what: str) -> int:
        """Return the next number of four bytes, big-endian."""
        return int.from_bytes(self.take(4, what), "big")

    def end(self, what: str) -> None:
        """Nothing may follow."""
        if self.at < len(self.data):
            raise InputError(f"offset {self.at}: goes on after {what}")


def joined(path: object, what: str, most: int = MAX_COUNT) -> tuple[int, bytes]:
    """Return d and the hashes of a list or tuple of them, one behind the other; d is 0 for none."""
    if not isinstance(path, (list, tuple)):
        raise TypeError(f"{what}: a list or tuple of hashes is needed, not {type(path).__name__}")
    hashes = tuple(path)
    if len(hashes) > most:
        raise InputError(f"{what}: {len(hashes)} hashes, a proof has at most {most}")
    hashes = tuple([_hash(item, f"{what}[{i}]") for i, item in enumerate(hashes)])
    for i, item in enumerate(hashes):
        if len(item) != len(hashes[0]):
            raise InputError(f"{what}[{i}]: {len(item)} bytes where the first hash has {len(hashes[0])}")
    return len(hashes[0]) if hashes else 0, b"".join(hashes)


def _hash(value: ReadableBuffer, what: str) -> bytes:
    item = as_bytes(value, what)
    if not 1 <= len(item) <= MAX_DIGEST:
        raise InputError(f"{what}: {len(item)} bytes, a hash has 1 to {MAX_DIGEST}")
    return item


# ---- JSON --------------------------------------------------------------------------------------------------


def array_of(items: Sequence[bytes]) -> str:
    """Return hashes as a JSON list of strings in lower-case hexadecimal."""
    return "[" + ",".join([f'"{item.hex()}"' for item in items]) + "]"


def object_of(text: str, name: str, a_proof: str, keys: Sequence[str], most: int) -> dict[str, object]:
    """Return the object of a JSON text: of that type and this version, with these keys and no others."""
    if not isinstance(text, str):
        raise TypeError(f"text: a str is needed, not {type(text).__name__}")
    if len(text) > most:
        raise InputError(f"JSON: {len(text)} characters are more than any {a_proof.partition(' ')[2]} has")
    import json

    try:
        found = json.loads(text, object_pairs_hook=_only_once)
    except InputError:
        raise
    except RecursionError:
        raise InputError("JSON: nested too deeply") from None
    except ValueError as error:
        raise InputError(f"JSON: {error}") from None
    if not isinstance(found, dict) or found.keys() != {"type", "version", *keys}:
        wanted = " and ".join([", ".join(["type", "version", *keys[:-1]]), keys[-1]])
        raise InputError(f"JSON: an object with {wanted} is needed, and nothing else")
    if found["type"] != name:
        raise InputError(f"JSON: type {found['type']!r:.80}, {a_proof} has {name!r}")
    if type(found["version"]) is not int or found["version"] != VERSION:
        raise InputError(f"JSON: version {found['version']!r:.80}, this is version {VERSION}")
    return found


def hex_list(value: object, what: str, most: int = MAX_COUNT) -> list[bytes]:
    """Return the hashes of a JSON list of strings."""
    if not isinstance(value, list):
        raise InputError(f"JSON: {what}: a list is needed")
    if len(value) > most:
        raise InputError(f"JSON: {len(value)} hashes, a proof has at most {most}")
    return [unhex(item, f"JSON: {what}[{i}]") for i, item in enumerate(value)]


def unhex(value: object, what: str) -> bytes:
    """Return the bytes of a string in lower-case hexadecimal, one at least."""
    if not isinstance(value, str):
        raise InputError(f"{what}: a string is needed")
    try:
        item = bytes.fromhex(value)
    except ValueError:
        item = b""
    if not item or item.hex() != value:
        raise InputError(f"{what}: is not lower-case hexadecimal")
    return item


def unprefixed(value: object, what: str) -> bytes:
    """Return the bytes of a string as Ethereum's tools write them: 0x and hexadecimal in either case."""
    if not isinstance(value, str):
        raise TypeError(f"{what}: a str is needed, not {type(value).__name__}")
    if not value.startswith("0x"):
        raise InputError(f"{what}: {value!r:.40} does not begin with 0x")
    return unhex(value[2:].lower(), what)


def _only_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise InputError(f"JSON: key {key!r:.80} is given twice")
        found[key] = value
    return found
