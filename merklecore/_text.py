"""What error messages say of odd arguments, and how those are told apart: for every floor."""

from __future__ import annotations

__all__ = ["exports_objects", "holds_objects", "shown"]

PRINTED_BITS = 256  # Python refuses to print integers of thousands of digits


def shown(number: int) -> str:
    """Return an integer for a message: its digits, or of a very long one how long it is.

    >>> shown(-7), shown(1 << 5000)
    ('-7', '(of 5001 bits)')
    """
    return str(number) if number.bit_length() <= PRINTED_BITS else f"(of {number.bit_length()} bits)"


def holds_objects(form: str) -> bool:
    """Tell whether a buffer of this format holds Python objects, that is, addresses and no message.

    >>> holds_objects("O"), holds_objects("T{B:Offset:}")
    (True, False)
    """
    return "O" in form and "O" in "".join(form.split(":")[::2])  # between colons stand names


def exports_objects(column: object) -> bool:
    """Tell whether a column of polars is of Python objects: what it exports as bytes are their addresses.

    >>> exports_objects([b"no column"])
    False
    """
    if not any(str(kind.__module__).partition(".")[0] == "polars" for kind in type(column).__mro__):
        return False
    types = getattr(column, "dtypes", None) or [getattr(column, "dtype", None)]  # of a frame, of a series
    return any(str(kind).startswith("Object") for kind in types)
