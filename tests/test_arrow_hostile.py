"""Arrow types and arrays that are wrong: refused by a typed error, and released once whatever happens."""

import pytest

import merklecore as mc
from tests.arrow import (
    BINARY,
    DATA,
    OFFSETS,
    VALUES,
    Exports,
    Streams,
    digests,
    expected,
    int32,
    int64,
    view,
)

pytestmark = pytest.mark.any_kernel

MOST = 2**63 - 1


# ---- arrays ------------------------------------------------------------------------------------------------

GOOD = {
    "binary": (b"z", (3, BINARY), VALUES),
    "large_binary": (b"Z", (3, (None, int64(0, 3, 3, 10), DATA)), VALUES),
    "fixed_size_binary": (b"w:7", (3, (None, DATA)), [DATA[:7], DATA[7:14], DATA[14:21]]),
    "nothing of fixed_size_binary": (b"w:0", (3, (None, None)), [b""] * 3),
    "binary_view": (
        b"vz",
        (
            3,
            (None, view(2, inline=b"ab") + view(13, start=3) + view(64, buffer=1), DATA, DATA, int64(16, 64)),
        ),
        [b"ab", DATA[3:16], DATA],
    ),
    "inline views": (b"vz", (2, (None, view(0) + view(12, inline=DATA[:12]), None)), [b"", DATA[:12]]),
    "values of no bytes, no data": (b"z", (2, (None, int32(5, 5, 5), None)), [b"", b""]),
    "offsets that begin later": (b"z", (2, (None, int32(5, 8, 9), DATA)), [DATA[5:8], DATA[8:9]]),
    "a bitmap without a null": (b"z", (3, (b"\x07", OFFSETS, DATA)), VALUES),
    "nothing at all": (b"z", (0, (None, None, None)), []),
    "nothing, with a bitmap of nothing": (b"vz", (0, (b"", None, None)), []),
}


@pytest.mark.parametrize("kind", GOOD)
def test_what_is_right(backend, ledger, kind):
    form, array, values = GOOD[kind]
    for count in (0, -1):
        made = ledger.schema(form), ledger.array(*array, null_count=count)
        assert digests(backend, Exports(ledger, *made)) == expected(values)
        made = ledger.schema(form), [ledger.array(*array, null_count=count) for _ in range(3)]
        assert digests(backend, Streams(ledger, ledger.stream(*made))) == expected(values * 3)


def sized(n):
    return f"an Arrow array of {n} buffers where "


# Format, arguments of Ledger.array, changes of its fields, and what is said.
WRONG = {
    "length -1": (b"z", (-1, BINARY), {}, "no Arrow array has length -1 at offset 0"),
    "offset -1": (b"z", (3, BINARY), {"offset": -1}, "no Arrow array has length 3 at offset -1"),
    "length and offset that overflow": (
        b"w:0",
        (MOST, (None, DATA)),
        {"offset": MOST},
        "no Arrow array has length",
    ),
    "the greatest length": (b"z", (MOST, BINARY), {}, f"no Arrow array has length {MOST} at offset 0"),
    "offsets beyond memory": (b"z", (2**61, BINARY), {}, "no Arrow array has length"),
    "large offsets beyond memory": (b"Z", (2**60, BINARY), {}, "no Arrow array has length"),
    "views beyond memory": (b"vz", (2**59, (None, DATA, None)), {}, "no Arrow array has length"),
    "values beyond memory": (b"w:2147483647", (2**33, (None, DATA)), {}, "no Arrow array has length"),
    "offset beyond memory": (
        b"w:32",
        (1, (None, DATA)),
        {"offset": 2**58},
        "no Arrow array has length 1 at offset",
    ),
    "more than there can be": (
        b"w:0",
        (2**55 + 1, (None, None)),
        {},
        f"{2**55 + 1} are more than {2**55}, the most",
    ),
    "no buffers": (b"z", (3, ()), {}, sized(0) + "3 are needed"),
    "two buffers of binary": (b"z", (3, BINARY[:2]), {}, sized(2) + "3 are needed"),
    "four buffers of binary": (b"Z", (3, (*BINARY, DATA)), {}, sized(4) + "3 are needed"),
    "three buffers of fixed_size_binary": (b"w:2", (3, BINARY), {}, sized(3) + "2 are needed"),
    "two buffers of views": (b"vz", (3, BINARY[:2]), {}, sized(2) + "3 to 2147483650 are needed"),
    "-1 buffers": (b"z", (3, BINARY), {"n_buffers": -1}, sized(-1) + "3 are needed"),
    "-1 buffers of views": (b"vz", (3, BINARY), {"n_buffers": -1}, sized(-1) + "3 to"),
    "2^40 buffers of views": (b"vz", (3, BINARY), {"n_buffers": 2**40}, sized(2**40) + "3 to"),
    "buffers that are NULL": (b"z", (3, None), {"n_buffers": 3}, "buffer 0 of an Arrow array is missing"),
    "no offsets": (b"z", (3, (None, None, DATA)), {}, "buffer 1 of an Arrow array is missing"),
    "no large offsets": (b"Z", (3, (None, None, DATA)), {}, "buffer 1 of an Arrow array is missing"),
    "no data": (b"z", (3, (None, OFFSETS, None)), {}, "buffer 2 of an Arrow array is missing"),
    "no values": (b"w:2", (3, (None, None)), {}, "buffer 1 of an Arrow array is missing"),
    "no views": (b"vz", (3, (None, None, DATA, int64(64))), {}, "buffer 1 of an Arrow array is missing"),
    "no sizes": (b"vz", (1, (None, view(13), DATA, None)), {}, "buffer 3 of an Arrow array is missing"),
    "no data buffer of a view": (
        b"vz",
        (1, (None, view(13), None, int64(64))),
        {},
        "buffer 2 of an Arrow array is",
    ),
    "a negative offset": (b"z", (2, (None, int32(-1, 0, 3), DATA)), {}, "[0]: Arrow offsets from -1 to 0"),
    "an offset that decreases": (
        b"z",
        (3, (None, int32(0, 3, 2, 4), DATA)),
        {},
        "[1]: Arrow offsets from 3 to 2",
    ),
    "a last offset that decreases": (
        b"z",
        (2, (None, int32(0, 3, 0), DATA)),
        {},
        "[1]: Arrow offsets from 3 to 0",
    ),
    "only negative offsets": (b"z", (1, (None, int32(-9, -3), DATA)), {}, "[0]: Arrow offsets from -9 to -3"),
    "large offsets that jump": (
        b"Z",
        (2, (None, int64(0, -(2**63), 4), DATA)),
        {},
        f"[0]: Arrow offsets from 0 to {-(2**63)}",
    ),
    "a large negative offset": (
        b"Z",
        (1, (None, int64(-(2**63), MOST), DATA)),
        {},
        f"[0]: Arrow offsets from {-(2**63)} to",
    ),
    "an offset before a slice": (
        b"z",
        (1, (None, int32(9, 1, 0), DATA)),
        {"offset": 1},
        "[0]: Arrow offsets from 1 to 0",
    ),
    "a view of -1 bytes": (
        b"vz",
        (2, (None, view(1) + view(-1), DATA, int64(64))),
        {},
        "[1]: an Arrow view of -1 bytes",
    ),
    "a view of 2^31 bytes": (
        b"vz",
        (1, (None, view(-(2**31)), DATA, int64(64))),
        {},
        f"[0]: an Arrow view of {-(2**31)} bytes",
    ),
    "a view into no buffer": (
        b"vz",
        (1, (None, view(13), None)),
        {},
        "[0]: an Arrow view into buffer 0 of 0",
    ),
    "a view into the next buffer": (
        b"vz",
        (1, (None, view(13, buffer=1), DATA, int64(64))),
        {},
        "[0]: an Arrow view into buffer 1 of 1",
    ),
    "a view into buffer -1": (
        b"vz",
        (1, (None, view(13, buffer=-1), DATA, int64(64))),
        {},
        "[0]: an Arrow view into buffer -1 of 1",
    ),
    "a view from -1 on": (
        b"vz",
        (1, (None, view(13, start=-1), DATA, int64(64))),
        {},
        "[0]: an Arrow view of 13 bytes from -1 on",
    ),
    "a view beyond": (
        b"vz",
        (1, (None, view(13, start=52), DATA, int64(64))),
        {},
        "[0]: an Arrow view of 13 bytes from 52 on, beyond",
    ),
    "a view far beyond": (
        b"vz",
        (1, (None, view(2**31 - 1, start=2**31 - 1), DATA, int64(64))),
        {},
        "[0]: an Arrow view of 2147483647",
    ),
    "a buffer of -1 bytes": (
        b"vz",
        (1, (None, view(13), DATA, int64(-1))),
        {},
        "[0]: an Arrow view of 13 bytes from 0 on, beyond",
    ),
    "a null": (b"z", (3, (b"\x05", OFFSETS, DATA)), {"null_count": 1}, "[1]: a null is no message"),
    "a null of unknown number": (
        b"z",
        (3, (b"\x03", OFFSETS, DATA)),
        {"null_count": -1},
        "[2]: a null is no message",
    ),
    "a null that is not counted": (b"w:2", (3, (b"\x06", DATA)), {}, "[0]: a null is no message"),
    "a null behind an offset": (b"w:2", (3, (b"\xff\xfb", DATA)), {"offset": 9}, "[1]: a null is no message"),
    "nulls that nothing shows": (
        b"z",
        (3, BINARY),
        {"null_count": 2},
        "an Arrow array counts 2 nulls and does not",
    ),
    "-2 nulls": (
        b"vz",
        (3, (None, DATA, None)),
        {"null_count": -2},
        "an Arrow array counts -2 nulls and does not",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong(backend, ledger, kind):
    form, arguments, changes, why = WRONG[kind]
    said = f"messages{why}" if why.startswith("[") else f"messages: {why}"
    made = ledger.schema(form), ledger.array(*arguments, **changes)
    with pytest.raises(mc.InputError) as error:
        backend.hash_many(Exports(ledger, *made), "sha256")
    assert str(error.value).startswith(said)
    stream = ledger.stream(ledger.schema(form), [ledger.array(*arguments, **changes) for _ in range(2)])
    with pytest.raises(mc.InputError) as error:
        backend.hash_many(Streams(ledger, stream), "sha256")
    assert str(error.value).startswith(said)


def test_places_in_a_stream_are_those_of_its_messages(backend, ledger):
    good, null = (3, BINARY), (3, (b"\x05", OFFSETS, DATA))
    stream = ledger.stream(
        ledger.schema(b"z"), [ledger.array(*array) for array in (good, (0, BINARY), good, null)]
    )
    with pytest.raises(mc.InputError, match=r"^messages\[7\]: a null"):
        backend.hash_many(Streams(ledger, stream), "sha256")
    views = (2, (None, view(1) * 2, DATA, int64(64))), (1, (None, view(13, buffer=1), DATA, int64(64)))
    stream = ledger.stream(ledger.schema(b"vz"), [ledger.array(*array) for array in views])
    with pytest.raises(mc.InputError, match=r"^leaves\[2\]: an Arrow view into buffer 1 of 1"):
        backend.Nodes(backend.Spec("sha256", "hash", b"", b"", "split", False, None, None)).extend(
            Streams(ledger, stream)
        )


def test_so_many_in_all_that_sizes_overflow(backend, ledger):
    arrays = [ledger.array(2**54, (None, None)) for _ in range(3)]
    with pytest.raises(mc.InputError, match=f"^messages: {3 * 2**54} are more than {2**55}"):
        backend.hash_many(Streams(ledger, ledger.stream(ledger.schema(b"w:0"), arrays)), "sha256")


# ---- types -------------------------------------------------------------------------------------------------

FORMATS = [
    b"",
    b"zz",
    b"Zz",
    b"v",
    b"vz ",
    b"u",
    b"U",
    b"vu",
    b"w",
    b"w:",
    b"w:-1",
    b"w:+1",
    b"w: 1",
    b"w:1 ",
    b"w:032",
]
FORMATS += [
    b"w:0x20",
    b"w:3_2",
    b"w:\xb2",
    b"w:2147483648",
    b"w:" + b"9" * 5000,
    b"W:32",
    b"+w:32",
    b"+l",
    b"+S",
    b"\xff",
]


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: repr(form[:9]))
def test_other_formats(backend, ledger, form):
    for schema in (ledger.schema(form), ledger.schema(b"+s", ledger.schema(form))):
        with pytest.raises(mc.InputError) as error:
            backend.hash_many(Exports(ledger, schema, ledger.array(3, BINARY)), "sha256")
        assert str(error.value) == (
            "messages: an Arrow column of binary, large_binary, fixed_size_binary or binary_view is needed, "
            f"not of format {form.decode('latin-1')[:40]!r}"
        )


def test_odd_schemas(backend, ledger):
    released = ledger.schema(b"z", release=None)
    for schema, why in (
        (ledger.schema(None), "not of format ''$"),
        (ledger.schema(b"z", dictionary=ledger.schema(b"z")), "the Arrow column is dictionary-encoded$"),
        (ledger.schema(b"+s", ledger.schema(b"i", dictionary=ledger.schema(b"z"))), "dictionary-encoded$"),
        (ledger.schema(b"+s"), "an Arrow table of 0 columns"),
        (ledger.schema(b"+s", ledger.schema(b"z"), ledger.schema(b"z")), "an Arrow table of 2 columns"),
        (ledger.schema(b"+s", ledger.schema(b"z"), n_children=-1), "an Arrow table of -1 columns"),
        (ledger.schema(b"+s", n_children=1), "not of format ''$"),
        (ledger.schema(b"+s", released), "not of format ''$"),
        (ledger.schema(b"+s", ledger.schema(b"+s", ledger.schema(b"z"))), r"not of format '\+s'$"),
        (released, "the Arrow schema is released already$"),
    ):
        with pytest.raises(mc.InputError, match=rf"^messages: .*{why}"):
            backend.hash_many(Exports(ledger, schema, ledger.array(3, BINARY)), "sha256")


# ---- structs -----------------------------------------------------------------------------------------------


def struct_of(ledger, length, child, bitmap=None, **changes):
    return ledger.array(length, (bitmap,), *child, **changes)


def test_the_one_column_of_a_struct(backend, ledger):
    schema = ledger.schema(b"+s", ledger.schema(b"z"))
    child = ledger.array(3, (None, int32(0, 1, 3, 3, 10), DATA), offset=1)
    for offset, length, values in (
        (0, 3, [DATA[1:3], b"", DATA[3:10]]),
        (1, 2, [b"", DATA[3:10]]),
        (3, 0, []),
    ):
        parent = struct_of(ledger, length, [child], offset=offset)
        assert digests(backend, Exports(ledger, schema, parent)) == expected(values)
        schema = ledger.schema(b"+s", ledger.schema(b"z"))


def test_odd_structs(backend, ledger):
    def binary(**changes):
        return ledger.array(3, BINARY, **changes)

    short = "the column of an Arrow struct has {} values where {} are needed$"
    for parent, why in (
        (struct_of(ledger, 4, [binary()]), ": " + short.format(3, 4)),
        (struct_of(ledger, 3, [binary()], offset=1), ": " + short.format(3, 4)),
        (struct_of(ledger, 3, [binary(release=None)]), ": " + short.format(0, 3)),
        (struct_of(ledger, 3, [], n_children=1), ": " + short.format(0, 3)),
        (struct_of(ledger, 3, []), ": an Arrow table of 0 columns"),
        (struct_of(ledger, 3, [binary(), binary()]), ": an Arrow table of 2 columns"),
        (struct_of(ledger, 3, [binary()], b"\x06"), r"\[0\]: a null"),
        (struct_of(ledger, 2, [ledger.array(3, (b"\x03", OFFSETS, DATA))], offset=1), r"\[1\]: a null"),
        (struct_of(ledger, 3, [binary()], null_count=1), ": an Arrow array counts 1 nulls"),
        (struct_of(ledger, MOST, [binary()]), f": no Arrow array has length {MOST} at offset 0"),
        (
            struct_of(ledger, 2**40, [ledger.array(2**62, BINARY)]),
            f": no Arrow array has length {2**62} at offset 0",
        ),
        (struct_of(ledger, 3, [binary(offset=-3)]), ": no Arrow array has length 3 at offset -3"),
        (ledger.array(3, (None, None), binary()), ": an Arrow array of 2 buffers where 1 are needed"),
        (ledger.array(3, None, binary(), n_buffers=1), ": buffer 0 of an Arrow array is missing"),
    ):
        schema = ledger.schema(b"+s", ledger.schema(b"z"))
        with pytest.raises(mc.InputError, match=f"^messages{why}"):
            backend.hash_many(Exports(ledger, schema, parent), "sha256")
