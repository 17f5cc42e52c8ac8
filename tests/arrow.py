"""Arrow structures made by hand, as a careless or hostile producer makes them, and a ledger of releases."""

from __future__ import annotations

import ctypes
import gc
import struct
from collections import Counter
from ctypes import CFUNCTYPE, POINTER, PYFUNCTYPE, c_char_p, c_int, c_int64, c_void_p, py_object

import merklecore as mc


def digests(backend, column):
    """What a backend makes of a column, a row at a time."""
    return [row.tobytes() for row in backend.hash_many(column, "sha256")]


def expected(values):
    return [mc.sha256(value) for value in values]


class Schema(ctypes.Structure):
    pass


class Array(ctypes.Structure):
    pass


class Stream(ctypes.Structure):
    pass


Schema._fields_ = [
    *(("format", c_char_p), ("name", c_char_p), ("metadata", c_void_p), ("flags", c_int64)),
    *(("n_children", c_int64), ("children", POINTER(POINTER(Schema))), ("dictionary", POINTER(Schema))),
    *(("release", c_void_p), ("private_data", c_void_p)),
]
Array._fields_ = [
    *(("length", c_int64), ("null_count", c_int64), ("offset", c_int64), ("n_buffers", c_int64)),
    *(("n_children", c_int64), ("buffers", POINTER(c_void_p)), ("children", POINTER(POINTER(Array)))),
    *(("dictionary", POINTER(Array)), ("release", c_void_p), ("private_data", c_void_p)),
]
Stream._fields_ = [
    *(("get_schema", c_void_p), ("get_next", c_void_p), ("get_last_error", c_void_p)),
    *(("release", c_void_p), ("private_data", c_void_p)),
]
KINDS = {Schema: b"arrow_schema", Array: b"arrow_array", Stream: b"arrow_array_stream"}
BROKEN = 5  # EIO

new_capsule = PYFUNCTYPE(py_object, c_void_p, c_char_p, c_void_p)(("PyCapsule_New", ctypes.pythonapi))

# Three values of binary.
DATA = bytes(range(64))
OFFSETS = struct.pack("=4i", 0, 3, 3, 10)
BINARY = (None, OFFSETS, DATA)
VALUES = [DATA[:3], b"", DATA[3:10]]


class Ledger:
    """Makes structures and capsules; knows which were handed out, and how often each was released."""

    def __init__(self):
        self.handed = Counter()
        self.released = Counter()
        self.kept = []
        self.exported = []
        self.releases = {kind: self.keep(CFUNCTYPE(None, POINTER(kind))(self.release)) for kind in KINDS}

    def keep(self, thing):
        self.kept.append(thing)
        return thing

    def release(self, pointer):
        self.released[pointer.contents.private_data] += 1
        pointer.contents.release = None

    def settle(self):
        """All that was handed out is released, once."""
        if any(self.handed[number] > self.released[number] for number in self.handed):
            gc.collect()
        for structure in self.exported:
            # What the specification wants of a capsule's destructor. A destructor may run amid an exception,
            # which Python code does not bear, so it is here.
            if structure.release:
                CFUNCTYPE(None, c_void_p)(structure.release)(ctypes.addressof(structure))
        assert self.handed
        assert self.released == self.handed

    def owned(self, structure):
        """Gives a structure its number and the function that releases it."""
        structure.private_data = len(self.kept) + 1
        structure.release = ctypes.cast(self.releases[type(structure)], c_void_p)
        return self.keep(structure)

    def pointers(self, structures):
        pointer = POINTER(type(structures[0]) if structures else Array)
        return self.keep((pointer * len(structures))(*map(ctypes.pointer, structures)))

    def schema(self, form, *children, dictionary=None, **changes):
        made = Schema(format=form, n_children=len(children))
        if children:
            made.children = self.pointers(children)
        if dictionary is not None:
            made.dictionary = ctypes.pointer(dictionary)
        return self.changed(made, changes)

    def array(self, length, buffers, *children, **changes):
        """``buffers``: bytes, or None for NULL; None for all of them for no buffers at all."""
        made = Array(length=length, n_buffers=len(buffers or ()), n_children=len(children))
        if buffers is not None:
            memory = [
                None if b is None else self.keep(ctypes.create_string_buffer(b, len(b) or 1)) for b in buffers
            ]
            made.buffers = self.keep((c_void_p * len(memory))(*[m and ctypes.addressof(m) for m in memory]))
        if children:
            made.children = self.pointers(children)
        return self.changed(made, changes)

    def changed(self, structure, changes):
        """As the test wants it: the hostile part."""
        self.owned(structure)
        for name, value in changes.items():
            setattr(structure, name, value)
        return structure

    def capsule(self, structure, name=None):
        if structure.release:
            self.handed[structure.private_data] += 1
            self.exported.append(structure)
        name = self.keep(name or KINDS[type(structure)])  # a capsule does not
        return new_capsule(ctypes.addressof(structure), name, None)

    def hand_over(self, structure, place):
        """What a stream does: it writes a structure where the consumer says."""
        self.handed[structure.private_data] += 1
        ctypes.memmove(place, ctypes.addressof(structure), ctypes.sizeof(structure))

    def stream(self, schema, arrays, said=b"the disk is on fire", schema_fails=False, **changes):
        """A stream of arrays; where one is None it fails there, and goes on to say why."""
        coming = iter(arrays)

        @CFUNCTYPE(c_int, c_void_p, c_void_p)
        def get_schema(_, place):
            if schema_fails:
                return BROKEN
            self.hand_over(schema, place)
            return 0

        @CFUNCTYPE(c_int, c_void_p, c_void_p)
        def get_next(_, place):
            array = next(coming, Array())
            if array is None:
                return BROKEN
            if array.release:
                self.hand_over(array, place)
            return 0

        error = None if said is None else self.keep(ctypes.create_string_buffer(said))
        get_last_error = CFUNCTYPE(c_void_p, c_void_p)(lambda _: error and ctypes.addressof(error))
        functions = [ctypes.cast(self.keep(f), c_void_p) for f in (get_schema, get_next, get_last_error)]
        return self.changed(Stream(*functions), changes)


class Exports:
    """A column in one piece."""

    def __init__(self, ledger, schema, array):
        self.ledger, self.structures = ledger, (schema, array)

    def __arrow_c_array__(self, requested_schema=None):
        return tuple(map(self.ledger.capsule, self.structures))


class Streams:
    """A column in many."""

    def __init__(self, ledger, stream):
        self.ledger, self.structure = ledger, stream

    def __arrow_c_stream__(self, requested_schema=None):
        return self.ledger.capsule(self.structure)


def int32(*numbers):
    return struct.pack(f"={len(numbers)}i", *numbers)


def int64(*numbers):
    return struct.pack(f"={len(numbers)}q", *numbers)


def view(size, *, inline=b"", prefix=b"    ", buffer=0, start=0):
    """A view of binary_view: the value itself, or where it stands."""
    if size <= 12:
        return int32(size) + inline.ljust(12, b"\0")
    return int32(size) + prefix + int32(buffer, start)
