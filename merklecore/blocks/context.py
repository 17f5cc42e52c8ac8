"""Contexts: the chain as it stands after a block, which is what the next block is checked against."""

from __future__ import annotations

import json

from merklecore._text import shown
from merklecore.errors import InputError
from merklecore.tree.arguments import as_bytes, integer
from merklecore.tree.proofs.encoding import VERSION, object_of, unhex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn, SupportsIndex

    from _typeshed import ReadableBuffer

__all__ = ["Context"]

FIELDS = ("height", "prev_hash", "times", "period_start", "bits", "chainwork", "period_bits", "real_bits")
MAX_JSON = 4096  # characters; the longest context takes about 500
MAX_TIMES = 11
MAX_HEIGHT = (1 << 31) - 1  # what follows a block of this height has none that is known
U32 = (1 << 32) - 1
MAX_WORK = (1 << 256) - 1


class Context:
    """The chain as it stands after the parent of the block to check. Frozen, comparable, hashable, picklable.

    height: the parent's; -1 before the genesis block. prev_hash: the parent's hash, 32 bytes as hashed.
    times: the last ones up to the parent's, at most 11, oldest first, in seconds. period_start: the time of
    the first block of the parent's difficulty period, period_bits its bits (BIP 94). bits: the parent's.
    chainwork: hashes expected through the parent. real_bits: the last bits of the period that are not due to
    the 20-minute rule of test networks. What is None leaves the rules that need it in ``unchecked``.

    A report's ``next_context`` is one for the block that follows. InputError for values that cannot be,
    TypeError for wrong types.

    >>> Context(170, bytes(32), (1231731025,), None, 0x1D00FFFF, None).height
    170
    """

    __slots__ = (*FIELDS, "_key")

    height: int | None
    prev_hash: bytes | None
    times: tuple[int, ...] | None
    period_start: int | None
    bits: int | None
    chainwork: int | None
    period_bits: int | None
    real_bits: int | None
    _key: tuple[Any, ...]  # what the backend takes

    def __init__(
        self,
        height: SupportsIndex | None,
        prev_hash: ReadableBuffer | None,
        times: Sequence[SupportsIndex] | None,
        period_start: SupportsIndex | None,
        bits: SupportsIndex | None,
        chainwork: SupportsIndex | None = 0,
        *,
        period_bits: SupportsIndex | None = None,
        real_bits: SupportsIndex | None = None,
    ) -> None:
        if hasattr(self, "_key"):
            raise AttributeError("a Context is frozen: it cannot be made again")
        at = _between(height, "height", -1, MAX_HEIGHT)
        key = (
            at,
            _hash(prev_hash),
            _times(times, at),
            _between(period_start, "period_start", 0, U32),
            _between(bits, "bits", 0, U32),
            _between(chainwork, "chainwork", 0, MAX_WORK),
            _between(period_bits, "period_bits", 0, U32),
            _between(real_bits, "real_bits", 0, U32),
        )
        _fill(self, key)

    @classmethod
    def genesis(cls) -> Context:
        """Return the context of a genesis block, before which there is nothing.

        >>> Context.genesis().height
        -1
        """
        return cls(-1, bytes(32), (), None, None)

    def to_json(self) -> str:
        """Return the context as one JSON object: hashes in hexadecimal as hashed, chainwork as 64 digits.

        >>> Context.from_json(Context.genesis().to_json()) == Context.genesis()
        True
        """
        return json.dumps(self.as_dict(), separators=(",", ":"))

    def as_dict(self) -> dict[str, Any]:
        """Return what ``to_json`` writes, as a dict.

        >>> Context.genesis().as_dict()["times"]
        []
        """
        values = dict(zip(FIELDS, self._key, strict=True))
        work = self.chainwork
        return {
            "type": "context",
            "version": VERSION,
            **values,
            "prev_hash": None if self.prev_hash is None else self.prev_hash.hex(),
            "times": None if self.times is None else list(self.times),
            "chainwork": None if work is None else f"{work:064x}",
        }

    @classmethod
    def from_json(cls, text: str) -> Context:
        """Return the context of ``to_json``; InputError for anything else.

        >>> Context.from_json("{}")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        merklecore.errors.InputError: JSON: an object with type, version, height, prev_hash, ...
        """
        found: dict[str, Any] = object_of(text, "context", "a context", FIELDS, MAX_JSON)
        del found["type"], found["version"]
        for field, kinds in _JSON_KINDS.items():
            if not isinstance(found[field], kinds) or isinstance(found[field], bool):
                raise InputError(f"JSON: {field}: {found[field]!r:.80} is not what stands there")
        if found["times"] is not None and not all(type(time) is int for time in found["times"]):
            raise InputError("JSON: times: integers are needed")
        found["prev_hash"] = _unhex(found["prev_hash"], "prev_hash")
        work = _unhex(found["chainwork"], "chainwork")
        found["chainwork"] = None if work is None else int.from_bytes(work, "big")
        return cls(**found)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Context is frozen: {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Context is frozen: {name} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, Context) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key)

    def __reduce__(self) -> tuple[object, ...]:
        return _remade, self._key

    def __repr__(self) -> str:
        shown_ = {**dict(zip(FIELDS, self._key, strict=True))}
        if self.prev_hash is not None:
            shown_["prev_hash"] = self.prev_hash.hex()
        return f"Context({', '.join(f'{field}={value!r}' for field, value in shown_.items())})"


_JSON_KINDS: dict[str, tuple[type, ...]] = {field: (int, type(None)) for field in FIELDS} | {
    "prev_hash": (str, type(None)),
    "times": (list, type(None)),
    "chainwork": (str, type(None)),
}
_new = object.__new__
_setters = [Context.__dict__[field].__set__ for field in FIELDS]  # past __setattr__, which refuses
_set_key = Context.__dict__["_key"].__set__


def _fill(context: Context, key: tuple[Any, ...]) -> None:
    for setter, value in zip(_setters, key, strict=True):
        setter(context, value)
    _set_key(context, key)


def made(key: tuple[Any, ...]) -> Context:
    """Return the context of what a backend handed on, which is known to be right."""
    context = _new(Context)
    _fill(context, key)
    return context


def key_of(context: Context | None) -> tuple[Any, ...] | None:
    """Return what a backend takes for a context."""
    if context is None:
        return None
    if not isinstance(context, Context):
        raise TypeError(f"context: a Context is needed, not {type(context).__name__}")
    return context._key


def _remade(*key: Any) -> Context:
    return Context(*key[:6], period_bits=key[6], real_bits=key[7])


def _between(value: SupportsIndex | None, what: str, least: int, most: int) -> int | None:
    if value is None:
        return None
    number = integer(value, what)
    if not least <= number <= most:
        raise InputError(f"{what}: {shown(number)} is not between {least} and {shown(most)}")
    return number


def _hash(value: ReadableBuffer | None) -> bytes | None:
    if value is None:
        return None
    found = as_bytes(value, "prev_hash")
    if len(found) != 32:
        raise InputError(f"prev_hash: {len(found)} bytes, a hash has 32")
    return found


def _times(values: Sequence[SupportsIndex] | None, height: int | None) -> tuple[int, ...] | None:
    if values is None:
        return None
    if not isinstance(values, (list, tuple)):
        raise TypeError(f"times: a list or tuple of seconds is needed, not {type(values).__name__}")
    if len(values) > MAX_TIMES:
        raise InputError(f"times: {len(values)} of them, at most {MAX_TIMES} are asked for")
    if height is not None and len(values) > height + 1:
        raise InputError(f"times: {len(values)} of them, up to height {height} there are {height + 1}")
    times = [_between(value, f"times[{i}]", 0, U32) for i, value in enumerate(values)]
    if None in times:
        raise TypeError("times: an integer is needed, not NoneType")
    return tuple(time for time in times if time is not None)


def _unhex(value: str | None, what: str) -> bytes | None:
    if value is None:
        return None
    found = unhex(value, f"JSON: {what}")
    if len(found) != 32:
        raise InputError(f"JSON: {what}: {len(found)} bytes where 32 are needed")
    return found
