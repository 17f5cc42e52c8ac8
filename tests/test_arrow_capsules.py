"""Capsules and streams of Arrow: moved once, released once, and errors that say what the producer said."""

import pytest

import merklecore as mc
from tests.arrow import BINARY, VALUES, Exports, Streams, digests, expected

pytestmark = pytest.mark.any_kernel

# ---- capsules ----------------------------------------------------------------------------------------------


def returns(value, name="__arrow_c_array__"):
    def give(self):
        if isinstance(value, BaseException):
            raise value
        return value

    return type("Given", (), {name: give})()


def test_no_capsules(backend, ledger):
    def pair(schema="arrow_schema", array="arrow_array"):
        structures = ledger.schema(b"z"), ledger.array(3, BINARY)
        return tuple(map(ledger.capsule, structures, (schema.encode(), array.encode())))

    odd = (
        None,
        5,
        (),
        [],
        (None, None),
        b"ab",
        "ab",
        list(pair()),
        pair()[:1],
        pair()[::-1],
        (*pair(), None),
    )
    for wrong in (*odd, (object(), pair()[1]), (pair()[0], object())):
        with pytest.raises(TypeError, match=r"^messages: __arrow_c_array__ did not return capsules"):
            backend.hash_many(returns(wrong), "sha256")
    stream = ledger.stream(ledger.schema(b"z"), [])
    for wrong in (None, 5, pair()[1], (ledger.capsule(stream),)):
        with pytest.raises(TypeError, match=r"^messages: __arrow_c_stream__ did not return a capsule"):
            backend.hash_many(returns(wrong, "__arrow_c_stream__"), "sha256")


def test_producers_that_raise(backend):
    for name in ("__arrow_c_array__", "__arrow_c_stream__"):
        for error in (ValueError, RuntimeError, NotImplementedError, OSError, KeyError):
            with pytest.raises(mc.InputError, match=r"^messages: .*not today"):
                backend.hash_many(returns(error("not today"), name), "sha256")
        with pytest.raises(TypeError, match=r"^messages: not today"):
            backend.hash_many(returns(TypeError("not today"), name), "sha256")
        for error in (MemoryError, KeyboardInterrupt):
            with pytest.raises(error):
                backend.hash_many(returns(error(), name), "sha256")


def test_capsules_that_are_used_twice(backend, ledger):
    capsules = tuple(map(ledger.capsule, (ledger.schema(b"z"), ledger.array(3, BINARY))))
    assert digests(backend, returns(capsules)) == expected(VALUES)
    with pytest.raises(mc.InputError, match=r"^messages: the Arrow schema is released already$"):
        backend.hash_many(returns(capsules), "sha256")
    with pytest.raises(mc.InputError, match=r"^messages: the Arrow array is released already$"):
        backend.hash_many(returns((ledger.capsule(ledger.schema(b"z")), capsules[1])), "sha256")
    capsule = ledger.capsule(ledger.stream(ledger.schema(b"z"), [ledger.array(3, BINARY)]))
    assert digests(backend, returns(capsule, "__arrow_c_stream__")) == expected(VALUES)
    with pytest.raises(mc.InputError, match=r"^messages: the Arrow stream is released already$"):
        backend.hash_many(returns(capsule, "__arrow_c_stream__"), "sha256")


# ---- streams -----------------------------------------------------------------------------------------------


def test_streams_of_nothing(backend, ledger):
    for arrays in ([], [ledger.array(0, BINARY)], [ledger.array(0, (None, None, None)) for _ in range(1000)]):
        stream = ledger.stream(ledger.schema(b"z"), arrays)
        assert digests(backend, Streams(ledger, stream)) == []


def test_streams_that_fail(backend, ledger):
    array = ledger.array(3, BINARY)
    for said, shown in (
        (b"the disk is on fire", "the disk is on fire"),
        (b"\xff", "�"),
        (None, "Input/output error"),
    ):
        for arrays in ([None], [array, None], [array, None, array]):
            stream = ledger.stream(ledger.schema(b"z"), arrays, said)
            with pytest.raises(mc.InputError, match=f"^messages: the Arrow stream failed: {shown}$"):
                backend.hash_many(Streams(ledger, stream), "sha256")
        stream = ledger.stream(ledger.schema(b"z"), [array], said, schema_fails=True)
        with pytest.raises(mc.InputError, match=f"^messages: the Arrow stream failed: {shown}$"):
            backend.hash_many(Streams(ledger, stream), "sha256")
    stream = ledger.stream(ledger.schema(b"z"), [None], get_last_error=None)
    with pytest.raises(mc.InputError, match=r"^messages: the Arrow stream failed: Input/output error$"):
        backend.hash_many(Streams(ledger, stream), "sha256")


def test_odd_streams(backend, ledger):
    for missing in ("get_schema", "get_next"):
        stream = ledger.stream(ledger.schema(b"z"), [], **{missing: None})
        with pytest.raises(mc.InputError, match=r"^messages: the Arrow stream lacks a function$"):
            backend.hash_many(Streams(ledger, stream), "sha256")
    stream = ledger.stream(ledger.schema(b"u"), [ledger.array(3, BINARY)])
    with pytest.raises(mc.InputError, match=r"not of format 'u'$"):
        backend.hash_many(Streams(ledger, stream), "sha256")


@pytest.mark.parametrize(
    "argument", [{"out": bytearray(1)}, {"threads": 0}, {"kernel": "quantum"}, {"prefix": None}]
)
def test_calls_that_fail_for_other_reasons(backend, ledger, argument):
    for column in (
        Exports(ledger, ledger.schema(b"z"), ledger.array(3, BINARY)),
        Streams(ledger, ledger.stream(ledger.schema(b"z"), [ledger.array(3, BINARY) for _ in range(3)])),
    ):
        with pytest.raises((mc.MerkleCoreError, TypeError)):
            backend.hash_many(column, "sha256", **argument)
    assert digests(backend, Exports(ledger, ledger.schema(b"z"), ledger.array(3, BINARY))) == expected(VALUES)
