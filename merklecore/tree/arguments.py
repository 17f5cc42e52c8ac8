"""Arguments of this floor: integers and bytes, and what is said of the rest as the backends say it."""

from __future__ import annotations

from operator import index as _index

from merklecore._text import holds_objects, shown
from merklecore.errors import BoundsError, InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import SupportsIndex

    from _typeshed import ReadableBuffer

__all__ = ["as_bytes", "flat", "integer", "natural"]


def integer(value: SupportsIndex, what: str) -> int:
    """Return any integer type as an int; a bool or a float is a TypeError."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{what}: an integer is needed, not {type(value).__name__}")
    return _index(value)


def natural(value: SupportsIndex, what: str) -> int:
    """Return an index or a size: BoundsError when it is negative or has more than 64 bits."""
    number = integer(value, what)
    if not 0 <= number < 1 << 64:
        raise BoundsError(f"{what} {shown(number)} is not between 0 and 2**64 - 1")
    return number


def flat(value: ReadableBuffer, what: str) -> memoryview:
    """Return the bytes of a bytes-like object, where they lie."""
    try:
        if isinstance(value, str):  # NumPy's text has a buffer, of UTF-32
            raise TypeError
        view = memoryview(value)
        if not view.c_contiguous:
            raise InputError(f"{what}: not one contiguous piece of memory")
        if holds_objects(view.format):
            raise InputError(f"{what}: bytes are needed, not Python objects")
        return view.cast("B") if view.nbytes else memoryview(b"")
    except TypeError:
        raise TypeError(f"{what}: a bytes-like object is needed, not {type(value).__name__}") from None
    except InputError:
        raise
    except (BufferError, ValueError) as error:
        raise InputError(f"{what}: {error}") from None


def as_bytes(value: ReadableBuffer, what: str, most: int = 1 << 20) -> bytes:
    """Return a copy of a bytes-like object; InputError for more than ``most`` bytes."""
    view = flat(value, what)
    if view.nbytes > most:
        raise InputError(f"{what}: {view.nbytes} bytes are more than {most}, the most there can be")
    return view.tobytes()
