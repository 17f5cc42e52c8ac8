"""Contexts: what is accepted, and that they go through JSON, pickle and sets unchanged."""

import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import merklecore as mc
from merklecore.blocks import Context

pytestmark = pytest.mark.any_kernel

FIELDS = ("height", "prev_hash", "times", "period_start", "bits", "chainwork", "period_bits", "real_bits")
U32 = st.integers(0, 2**32 - 1)
FULL = Context(
    *(840_000, bytes(range(32)), tuple(range(100, 111)), 1_713_000_000, 0x17034219, 1 << 94),
    period_bits=0x17034219,
    real_bits=0x1D00FFFF,
)


def key(context):
    return tuple(getattr(context, field) for field in FIELDS)


@st.composite
def contexts(draw):
    height = draw(st.none() | st.integers(-1, 2**31 - 1))
    times = st.lists(U32, max_size=11 if height is None else min(11, height + 1))
    return Context(
        height,
        draw(st.none() | st.binary(min_size=32, max_size=32)),
        draw(st.none() | times),
        draw(st.none() | U32),
        draw(st.none() | U32),
        draw(st.none() | st.integers(0, 2**256 - 1)),
        period_bits=draw(st.none() | U32),
        real_bits=draw(st.none() | U32),
    )


def test_the_largest_height(engine):
    """What a context takes, a check takes; what it hands on, a context takes: above it no height is known."""
    for height, after in ((2**31 - 2, 2**31 - 1), (2**31 - 1, None)):
        context = Context(height, bytes(32), (1,), 7, 0x1D00FFFF)
        for found in (
            engine("bitcoin").check_block(bytes(81), context=context),
            engine("bitcoin").check_headers(bytes(80), context=context),
        ):
            handed = found.next_context
            assert (handed.height, handed.period_start) == (after, None if after is None else 7)
            assert pickle.loads(pickle.dumps(handed)) == Context.from_json(handed.to_json()) == handed
    heads = engine("bitcoin").check_headers(bytes(240), context=Context(2**31 - 2, None, None, None, None))
    assert heads.next_context.height is None


@given(contexts())
def test_there_and_back(context):
    again = Context.from_json(context.to_json())
    assert again == context
    assert key(again) == key(context)
    assert Context.from_json(json.dumps(json.loads(context.to_json()), indent=2, sort_keys=True)) == context
    copy = pickle.loads(pickle.dumps(context))
    assert copy == context
    assert len({copy, again, context}) == 1


def test_what_is_kept():
    assert key(Context(5, bytearray(32), [1, 2], np.int64(3), np.uint32(4), None)) == (
        *(5, bytes(32), (1, 2), 3, 4, None, None, None),
    )
    assert type(Context(np.int32(5), None, None, None, None).height) is int
    assert Context(5, None, None, None, None).chainwork == 0
    assert key(Context.genesis()) == (-1, bytes(32), (), None, None, 0, None, None)


def test_each_field_tells_contexts_apart():
    others = (
        *(("height", 77), ("prev_hash", bytes(32)), ("times", ()), ("period_start", 1), ("bits", 1)),
        *(("chainwork", 1), ("period_bits", 1), ("real_bits", 1)),
    )
    for field, value in others:
        for changed in (value, None):
            values = dict(zip(FIELDS, key(FULL), strict=True)) | {field: changed}
            assert Context(**values) != FULL
    assert FULL != key(FULL)
    assert repr(FULL).startswith("Context(height=840000, prev_hash='000102")


def test_frozen():
    for act in (
        lambda: setattr(FULL, "height", 1),
        lambda: delattr(FULL, "height"),
        lambda: FULL.__init__(1, None, None, None, None),
    ):
        with pytest.raises(AttributeError, match="frozen"):
            act()
    assert FULL.height == 840_000


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("height", -2, "height: -2 is not between -1 and 2147483647"),
        ("height", 2**31, "height: 2147483648 is not between"),
        ("height", 1 << 5000, "(of 5001 bits)"),
        ("prev_hash", bytes(31), "prev_hash: 31 bytes, a hash has 32"),
        ("prev_hash", b"", "prev_hash: 0 bytes"),
        ("times", range(0), "times: a list or tuple"),
        ("times", [1] * 12, "times: 12 of them, at most 11"),
        ("times", [2**32], "times[0]: 4294967296 is not between 0"),
        ("times", [1, -1], "times[1]: -1 is not between 0"),
        ("times", [None], "times: an integer is needed, not NoneType"),
        ("times", [True], "times[0]: an integer is needed, not bool"),
        ("times", 5, "times: a list or tuple of seconds is needed, not int"),
        ("period_start", -1, "period_start: -1 is not"),
        ("bits", 2**32, "bits: 4294967296 is not"),
        ("bits", 1.0, "bits: an integer is needed, not float"),
        ("chainwork", 2**256, "chainwork: (of 257 bits) is not"),
        ("chainwork", -1, "chainwork: -1 is not"),
        ("period_bits", True, "period_bits: an integer is needed, not bool"),
        ("real_bits", "1", "real_bits: an integer is needed, not str"),
        ("prev_hash", "00" * 32, "prev_hash: a bytes-like object is needed, not str"),
    ],
)
def test_what_cannot_be(field, value, said):
    values = dict(zip(FIELDS, key(FULL), strict=True)) | {field: value}
    with pytest.raises((mc.InputError, TypeError)) as raised:
        Context(**values)
    assert said in str(raised.value)


def test_there_are_no_more_times_than_blocks():
    assert Context(2, None, (1, 2, 3), None, None).times == (1, 2, 3)
    with pytest.raises(mc.InputError, match="up to height 2 there are 3"):
        Context(2, None, (1, 2, 3, 4), None, None)
    with pytest.raises(mc.InputError, match="up to height -1 there are 0"):
        Context(-1, None, (1,), None, None)


GOOD = json.loads(FULL.to_json())


@pytest.mark.parametrize(
    "change",
    [
        *({field: value} for field in GOOD for value in (1.5, True, {}, [[]], "x", -5)),
        *({field: None} for field in ("type", "version")),
        {"version": 2},
        {"more": 1},
        {"prev_hash": GOOD["prev_hash"].upper()},
        {"prev_hash": " " + GOOD["prev_hash"][1:]},
        {"chainwork": GOOD["chainwork"][1:]},
        {"chainwork": "0x" + GOOD["chainwork"][2:]},
        {"times": [1.0]},
        {"times": [True]},
        {"times": [1] * 12},
    ],
    ids=str,
)
def test_json_that_is_no_context(change):
    with pytest.raises(mc.InputError):
        Context.from_json(json.dumps(GOOD | change))


def test_json_lacks_nothing():
    for field in GOOD:
        with pytest.raises(mc.InputError, match="nothing else"):
            Context.from_json(json.dumps({name: value for name, value in GOOD.items() if name != field}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{",
        '{"type":1,"type":2}',
        "[" * 4000,
        "9" * 4000,
        "{}" + " " * 5000,
        "\ud800",
        "NaN",
    ],
    ids=lambda text: text[:8].encode("utf-8", "replace").decode(),
)
def test_text_that_is_no_context(text):
    with pytest.raises(mc.InputError):
        Context.from_json(text)


def test_json_is_text():
    with pytest.raises(TypeError, match="a str is needed, not bytes"):
        Context.from_json(FULL.to_json().encode())


@given(st.text(max_size=50) | st.binary(max_size=50).map(lambda data: data.decode("latin-1")))
def test_any_text_is_refused(text):
    with pytest.raises(mc.InputError):
        Context.from_json(text)
