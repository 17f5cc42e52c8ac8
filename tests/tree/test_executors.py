"""Roots by executors: the parts of other threads and processes make the root of the whole."""

import mmap
import multiprocessing
import os
import pickle
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

import merklecore as mc
from merklecore.tree import parts
from merklecore.tree.geometry import ODDS
from tests.shapes import noise

PROFILES = {odd: mc.Profile(odd, leaf_prefix=b"\0", node_prefix=b"\1", odd=odd, empty="hash") for odd in ODDS}
PROFILES["ssz with a limit"] = mc.profiles["ssz"].replace(limit=2**20)
MANY = 40_000


@pytest.fixture(scope="module", params=["threads", "processes"])
def executor(request):
    if request.param == "threads":
        with ThreadPoolExecutor(2) as pool:
            yield pool
    else:  # started afresh, as on systems without fork
        methods = multiprocessing.get_all_start_methods()
        context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            yield pool


class Now:
    """No executor of the standard library: it has submit and gives futures, as Dask's does."""

    def __init__(self):
        self.calls, self.waiting, self.most = [], 0, 0

    def submit(self, function, *arguments):
        function, arguments = pickle.loads(pickle.dumps((function, arguments)))  # as if sent elsewhere
        self.calls.append((function.__name__, arguments))
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        future = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:  # as executors do: it belongs to whoever asks for the result
            future.set_exception(error)
        result = future.result

        def taken():
            self.waiting -= 1
            return result()

        future.result = taken
        return future

    def sizes(self):
        return [len(arguments[2]) for _, arguments in self.calls]


def leaves_of(n, d=32):
    return [noise(d, i) for i in range(n)]


LIST = leaves_of(MANY)
ROWS = np.frombuffer(b"".join(LIST), np.uint8).reshape(MANY, 32)


@pytest.mark.slow
@pytest.mark.parametrize("name", PROFILES)
def test_lists_arrays_and_streams(name, executor):
    profile = PROFILES[name]
    for n in (0, 1, 2, 1000, 4097, MANY):
        expected = mc.merkle_root(LIST[:n], profile)
        for leaves in (LIST[:n], tuple(LIST[:n]), ROWS[:n], iter(LIST[:n])):
            assert mc.merkle_root(leaves, profile, executor=executor) == expected
    hashes = ROWS[:5000].tobytes()
    expected = mc.merkle_root(hashes, profile, hashed=True)
    for leaves in (hashes, bytearray(hashes), memoryview(hashes), ROWS[:5000], iter(LIST[:5000])):
        assert mc.merkle_root(leaves, profile, hashed=True, executor=executor, threads=2) == expected


def test_leaves_of_other_shapes(executor):
    uneven = [b"x" * (i * 7 % 300) for i in range(3000)]
    assert mc.merkle_root(uneven, executor=executor) == mc.merkle_root(uneven)
    for rows in (
        np.frombuffer(noise(3000 * 5), "S5"),
        np.frombuffer(noise(3000 * 5), "V5"),
        np.frombuffer(noise(3000 * 5), np.uint8).reshape(3000, 5),
        np.frombuffer(noise(3000 * 5), np.int8).reshape(3000, 5)[500:],
        np.zeros((3000, 0), np.uint8),
    ):
        assert mc.merkle_root(rows, executor=executor) == mc.merkle_root(rows)


def test_a_mapped_file(executor, tmp_path):
    """It travels as a path: of the whole, of a part, behind a header; what is not the file's as slices."""
    data = noise(100) + ROWS.tobytes()
    path = tmp_path / "leaves"
    path.write_bytes(data)
    whole = np.memmap(path, np.uint8, "r", 100, (MANY, 32))
    changed = np.memmap(path, np.uint8, "c", 100, (MANY, 32))
    changed[5] = 0
    for rows in (
        whole,
        whole[3:],
        whole[1000:30_000],
        np.memmap(path, "V32", "r", 100),
        changed,
        changed[2:],
    ):
        assert mc.merkle_root(rows, executor=executor) == mc.merkle_root(np.array(rows))
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        expected = mc.merkle_root(data[: 32 * MANY], hashed=True)
        with memoryview(mapped)[: 32 * MANY] as view:
            assert mc.merkle_root(view, hashed=True, executor=executor) == expected


def test_what_travels(tmp_path):
    """Aligned parts of 2^k leaves, of a file its place and none of its bytes."""
    now = Now()
    assert mc.merkle_root(ROWS, executor=now) == mc.merkle_root(ROWS)
    sizes = now.sizes()
    assert set(sizes[:-1]) == {2048}
    assert [arguments[1] for _, arguments in now.calls] == list(range(0, MANY, 2048))
    assert all(isinstance(arguments[2], np.ndarray) for _, arguments in now.calls)
    path = tmp_path / "leaves"
    path.write_bytes(ROWS.tobytes())
    now = Now()
    assert mc.merkle_root(np.memmap(path, np.uint8, "r", 0, (MANY, 32))[7:], executor=now) == mc.merkle_root(
        ROWS[7:]
    )
    assert {name for name, _ in now.calls} == {"reduce_file"}
    assert [a[2:6] for _, a in now.calls][:2] == [
        (str(path), 7 * 32, 2048, 32),
        (str(path), 2055 * 32, 2048, 32),
    ]
    now = Now()
    mc.merkle_root(iter(LIST), executor=now)
    at = 0
    for size in now.sizes()[:-1]:
        assert size & size - 1 == 0
        assert at % size == 0
        at += size
    large = [bytes(1 << 20)] * 40
    now = Now()
    assert mc.merkle_root(iter(large), executor=now) == mc.merkle_root(large)
    now = Now()
    assert mc.merkle_root(large, executor=now) == mc.merkle_root(large)
    assert max(now.sizes()) <= 8


def test_what_is_in_flight_is_bounded():
    """An executor that is never done with anything is given no more than a few parts."""

    class Slow(Now):
        pass

    slow, taken = Slow(), 0

    def stream():
        nonlocal taken
        for leaf in LIST * 3:
            taken += 1
            yield leaf

    assert mc.merkle_root(stream(), executor=slow) == mc.merkle_root(LIST * 3)
    assert taken == 3 * MANY
    assert 2 <= slow.most <= 2 * os.cpu_count() + 2
    slow = Slow()
    mc.merkle_root(ROWS, executor=slow)
    assert 2 <= slow.most <= 2 * os.cpu_count() + 2


# ---- what goes wrong ---------------------------------------------------------------------------------------


def test_errors_of_a_worker(executor, tmp_path):
    """They come as they are, and name the leaf."""
    leaves = [*LIST[:3000], b"short", *LIST[:9000]]
    with pytest.raises(mc.InputError, match=r"leaves\[2048:\]\[952\]: 5 bytes where 32 are needed"):
        mc.merkle_root(iter(leaves), hashed=True, executor=executor)
    with pytest.raises(mc.InputError, match=r"leaves\[2048:\]\[952\]: 5 bytes where 32 are needed"):
        mc.merkle_root([*leaves, *LIST[:20_000]], hashed=True, executor=executor)
    with pytest.raises(TypeError, match=r"leaves\[2048:\]\[0\]: a bytes-like object is needed, not int"):
        mc.merkle_root(iter([*LIST[:2048], 5, *LIST[:9]]), executor=executor)
    path = tmp_path / "leaves"
    path.write_bytes(ROWS.tobytes())
    rows = np.memmap(path, np.uint8, "r", 0, (MANY, 32))
    path.write_bytes(b"short")
    with pytest.raises(mc.InputError, match="leaves: has 5 bytes, the leaves in it end at "):
        mc.merkle_root(rows, executor=executor)
    assert mc.merkle_root(LIST, executor=executor) == mc.merkle_root(ROWS)  # it serves on


def test_a_mapped_file_that_was_replaced(executor, tmp_path):
    """What is mapped is hashed, with an executor as without: not what has its name now."""
    path = tmp_path / "leaves"
    path.write_bytes(ROWS.tobytes())
    rows = np.memmap(path, np.uint8, "r", 0, (MANY, 32))
    path.rename(tmp_path / "elsewhere")
    expected = mc.merkle_root(ROWS)
    assert mc.merkle_root(rows, executor=executor) == expected
    path.write_bytes(ROWS[::-1].tobytes())
    assert mc.merkle_root(rows, executor=executor) == expected
    other = np.memmap(path, np.uint8, "r", 0, (MANY, 32))
    assert mc.merkle_root(rows, executor=executor) == expected
    assert mc.merkle_root(other, executor=executor) == mc.merkle_root(LIST[::-1])


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (lambda path: path.rename(path.with_name("elsewhere")), FileNotFoundError, "leaves"),
        (lambda path: os.truncate(path, 5), mc.InputError, "has 5 bytes, the leaves in it end at "),
        (lambda path: os.truncate(path, 32 * MANY + 1), mc.InputError, "changed or replaced since"),
        (lambda path: os.utime(path, ns=(1, 1)), mc.InputError, "changed or replaced since"),
        (lambda path: path.with_name("new").replace(path), mc.InputError, "changed or replaced since"),
    ],
    ids=["moved", "cut short", "longer", "touched", "replaced"],
)
def test_a_mapped_file_that_changes_while_it_is_hashed(change, error, text, tmp_path):
    path = tmp_path / "leaves"
    path.write_bytes(ROWS.tobytes())
    (tmp_path / "new").write_bytes(ROWS[::-1].tobytes())
    os.utime(tmp_path / "new", ns=(2, 2))

    class Later(Now):
        def submit(self, *arguments):
            if len(self.calls) == 2:
                change(path)
            return super().submit(*arguments)

    rows = np.memmap(path, np.uint8, "r", 0, (MANY, 32))
    with pytest.raises(error, match=text):
        mc.merkle_root(rows, executor=Later())


def test_a_stream_that_raises(executor):
    def stream():
        yield from LIST[:5000]
        raise OSError("the line is cut")

    with pytest.raises(OSError, match="the line is cut"):
        mc.merkle_root(stream(), executor=executor)


def test_what_waits_is_cancelled():
    cancelled = []

    class Stuck:
        def submit(self, function, *arguments):
            future = Future()
            if not arguments[1]:
                future.set_exception(OSError("broken"))
            cancel = future.cancel
            future.cancel = lambda: cancelled.append(arguments[1]) or cancel()
            return future

    with pytest.raises(OSError, match="broken"):
        mc.merkle_root(ROWS, executor=Stuck())
    assert cancelled == list(range(2048, 2048 * (2 * os.cpu_count() + 2), 2048))


class Lying(Now):
    """Its workers send something else."""

    def __init__(self, sent):
        super().__init__()
        self.sent = sent

    def submit(self, function, *arguments):
        future = super().submit(function, *arguments)
        data = future.result()
        future.result = lambda: self.sent(data)
        return future


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (lambda data: data[:-1], "offset"),
        (lambda data: b"", "offset 0"),
        (lambda data: bytes(mc.CompactRange(start=5)), "does not follow"),
        (lambda data: bytes(mc.CompactRange()), "workers have sent 0 leaves of 900|does not follow"),
        (
            lambda data: bytes(mc.CompactRange("rfc6962-sm3")),
            "a worker has sent a range of profile 'rfc6962-sm3'",
        ),
    ],
)
def test_workers_that_send_something_else(sent, text):
    with pytest.raises(mc.InputError, match=text):
        mc.merkle_root(ROWS[:900], executor=Lying(sent))


@pytest.mark.parametrize("wrong", [5, "pool", object(), [], True])
def test_executors_that_are_none(wrong):
    with pytest.raises(TypeError, match=r"executor: an object with submit\(function, ...\) is needed"):
        mc.merkle_root(LIST, executor=wrong)


def test_leaves_that_are_none(executor):
    for wrong in (
        5,
        None,
        "text",
        {b"a"},
        {b"a": 1},
        ["text"],
        [None],
        np.zeros(4),
        np.zeros((4, 4)),
        np.str_("a"),
    ):
        with pytest.raises((TypeError, mc.InputError)) as alone:
            mc.merkle_root(wrong)
        with pytest.raises(alone.type, match="leaves"):
            mc.merkle_root(wrong, executor=executor)
    with pytest.raises(mc.InputError, match="not C-contiguous"):
        mc.merkle_root(ROWS[::2], executor=executor)
    with pytest.raises(mc.InputError, match="an empty tree has no root"):
        mc.merkle_root([], "openzeppelin", executor=executor)
    for leaves in (LIST, [], iter([])):
        with pytest.raises(mc.InputError, match="threads"):
            mc.merkle_root(leaves, executor=executor, threads=0)
        with pytest.raises(TypeError, match="threads"):
            mc.merkle_root(leaves, executor=executor, threads="x")
    limited = mc.profiles["ssz"].replace(limit=5000)
    with pytest.raises(mc.InputError, match="where the limit is 5000"):
        mc.merkle_root(ROWS, limited, executor=executor)


def test_columns_of_others_are_not_cut():
    class Column:
        def __arrow_c_array__(self, requested_schema=None):
            raise AssertionError

    with pytest.raises(mc.InputError, match="Arrow data is not cut into parts"):
        mc.merkle_root(Column(), executor=Now())


def test_parts_are_found_in_files_by_address():
    assert parts._file_of(ROWS) is None
    assert parts._file_of(b"") is None
