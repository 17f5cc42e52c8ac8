"""Every kernel by name, in every shape: at lane boundaries, on unaligned memory, beside long messages."""

import mmap

import pytest

import merklecore as mc
from merklecore import _native, reference
from tests.oracles import HASHES
from tests.shapes import COUNTS, MIXED, MOST, Shape, each_kernel, noise, shapes

pytestmark = pytest.mark.native_only

PAGE = mmap.PAGESIZE


def parts(found, algorithm):
    """The digests of a result."""
    d = _native.DIGEST_SIZES[algorithm]
    return [found[i : i + d] for i in range(0, len(found), d)]


@each_kernel
def test_every_count(algorithm, kernel):
    """Lanes hold different messages, so that a digest in the wrong place shows."""
    for name, shape in shapes(algorithm).items():
        memory = memoryview(noise(shape.size(MOST)))
        expected = shape.expected(algorithm, shape.cut(memory, MOST))
        assert parts(shape.hash(reference, algorithm, memory, MOST), algorithm) == expected
        for n in COUNTS:
            found = shape.hash(_native, algorithm, memory[: shape.size(n)], n, kernel=kernel)
            assert parts(found, algorithm) == expected[:n], f"{n} of {name}"


@each_kernel
@pytest.mark.parametrize("n", [255, 256, 257, 600])
def test_nodes_by_the_hundred(algorithm, kernel, n):
    """What a kernel does for many nodes at once."""
    for name in ("node", "node behind one byte"):
        shape = shapes(algorithm)[name]
        memory = memoryview(noise(shape.size(n), seed=n))
        expected = b"".join(shape.expected(algorithm, shape.cut(memory, n)))
        assert shape.hash(_native, algorithm, memory, n, kernel=kernel) == expected, name


@each_kernel
def test_every_width(algorithm, kernel):
    """Of rows and prefix together: the padding stands in every place, in one block or in two."""
    n = 19  # a full pass of any width, and a part of one
    hash_of = HASHES[algorithm]
    for p in (0, 1, 2, 63, 64, 65, 127, 128, 129):
        prefix = noise(p, seed=p)
        for width in range(1, 146):
            memory = memoryview(noise(n * width, seed=width)).cast("B", (n, width))
            rows = [memory.tobytes()[i * width : (i + 1) * width] for i in range(n)]
            found = _native.hash_many(memory, algorithm, prefix, kernel=kernel)
            expected = [hash_of(prefix + row) for row in rows]
            assert parts(found.tobytes(), algorithm) == expected, f"{width} bytes behind {p}"


@each_kernel
@pytest.mark.parametrize("order", ["rising", "falling", "shuffled", "alternating"])
def test_every_length_in_one_list(algorithm, kernel, order):
    """Lanes are refilled as their messages end, first ones, last ones, or anywhere."""
    lengths = list(range(300))
    if order == "falling":
        lengths.reverse()
    elif order == "shuffled":
        lengths.sort(key=lambda length: noise(8, seed=length))
    elif order == "alternating":
        lengths[1::2] = lengths[1::2][::-1]
    shape = Shape("list", b"\x00", tuple(lengths))
    memory = memoryview(noise(shape.size(300)))
    for n in (300, 299, 17):
        messages = shape.cut(memory, n)
        found = shape.hash(_native, algorithm, memory, n, kernel=kernel)
        assert parts(found, algorithm) == shape.expected(algorithm, messages)


@each_kernel
def test_every_prefix_byte(algorithm, kernel):
    """It takes the place of whatever stands before the node."""
    hash_of = HASHES[algorithm]
    shape = shapes(algorithm)["node"]
    memory = memoryview(noise(shape.size(17)))
    nodes = [bytes(node) for node in shape.cut(memory, 17)]
    for byte in range(256):
        prefix = bytes([byte])
        found = _native.hash_pairs(memory, algorithm, prefix, kernel=kernel)
        assert parts(found.tobytes(), algorithm) == [hash_of(prefix + node) for node in nodes]


@each_kernel
def test_every_last_byte(algorithm, kernel):
    """Behind a prefix it begins another block, which there may be a table of."""
    hash_of = HASHES[algorithm]
    memory = bytearray(noise(shapes(algorithm)["node"].size(257)))
    d = len(memory) // 257
    for i in range(257):
        memory[(i + 1) * d - 1] = i % 256
    nodes = [bytes(memory[i * d : (i + 1) * d]) for i in range(257)]
    found = _native.hash_pairs(memory, algorithm, b"\x01", kernel=kernel)
    assert parts(found.tobytes(), algorithm) == [hash_of(b"\x01" + node) for node in nodes]


@each_kernel
def test_every_offset(algorithm, kernel):
    """Input and output at each distance from a cache line; what stands beside the output stays as it was."""
    n = 35
    source, target = (memoryview(mmap.mmap(-1, 16 * PAGE)) for _ in range(2))
    d = _native.DIGEST_SIZES[algorithm]
    for name, shape in shapes(algorithm).items():
        size, content = shape.size(n), noise(shape.size(n))
        expected = b"".join(shape.expected(algorithm, shape.cut(memoryview(content), n)))
        for offset in range(64):
            source[offset : offset + size] = content
            start = 64 + offset * 27 % 64  # each distance once, in another order
            target[: start + n * d + 64] = b"\xa5" * (start + n * d + 64)
            out = target[start : start + n * d]
            memory = source[offset : offset + size]
            found = shape.hash(_native, algorithm, memory, n, out=out, kernel=kernel)
            assert found == expected, f"{name} at {offset}, to {start}"
            assert bytes(target[:start]) == b"\xa5" * start
            assert bytes(target[start + n * d :][:64]) == b"\xa5" * 64
            assert memory == content


@each_kernel
@pytest.mark.parametrize("place", ["first", "in the middle", "last"])
def test_one_message_of_megabytes_among_thousands(algorithm, kernel, place):
    lengths = list(MIXED * 200)
    at = {"first": 0, "in the middle": len(lengths) // 2, "last": len(lengths)}[place]
    lengths.insert(at, (4 << 20) + 13)
    data = noise(sum(lengths))
    messages, start = [], 0
    for length in lengths:
        messages.append(data[start : start + length])
        start += length
    expected = [HASHES[algorithm](message) for message in messages]
    found = _native.hash_many(messages, algorithm, b"", 1, kernel=kernel)
    assert parts(found.tobytes(), algorithm) == expected


@each_kernel
def test_several_long_messages_that_end_together(algorithm, kernel):
    """Wide passes over many blocks, then all lanes end at once, and one goes on alone."""
    lengths = [10_000] * 15 + [200_000] + [10_001] * 16 + [0] * 3
    messages = [noise(length, seed=i) for i, length in enumerate(lengths)]
    expected = [HASHES[algorithm](b"\x00" + message) for message in messages]
    found = _native.hash_many(messages, algorithm, b"\x00", kernel=kernel)
    assert parts(found.tobytes(), algorithm) == expected


def test_every_kernel_has_been_here():
    """What the tests of this file run over is all that the machine can run."""
    usable = {a: set().union(*shapes.values()) for a, shapes in _native.cpu_info()["kernels"].items()}
    assert {a: set(_native.kernels(a)) for a in mc.algorithms()} == usable
