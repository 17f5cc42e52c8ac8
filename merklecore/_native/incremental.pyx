"""Hashes that take their message piece by piece."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy

from merklecore._native.arguments cimport View, view_of
from merklecore._native.core cimport (
    mc_hashes, mc_status, mc_stream, mc_stream_begin, mc_stream_digest, mc_stream_room, mc_stream_update,
)
from merklecore._native.dispatch cimport allowed, failed, hash_id

cdef size_t SHORT = 2048  # bytes: hashed before another thread could even have taken the GIL
cdef dict _hashlib = {}  # algorithm to hashlib's constructor, or None


@cython.final
cdef class Hash:
    """The interface of hashlib over the C core. While one call works on it, another raises BufferError."""
    cdef mc_stream stream
    cdef uint32_t isas
    cdef bint busy

    def __cinit__(self, algorithm, Hash of=None):
        cdef int hash = hash_id(algorithm)
        cdef size_t room = mc_stream_room(hash)
        cdef uint8_t *place = <uint8_t *>PyMem_Malloc(room)
        if place == NULL:
            raise MemoryError
        mc_stream_begin(&self.stream, hash, place)
        self.isas = allowed(hash, None)
        self.busy = False
        if of is not None:
            self.stream = of.stream
            self.stream.room = place
            memcpy(place, of.stream.room, of.stream.used)

    def __dealloc__(self):
        PyMem_Free(self.stream.room)

    cdef int idle(self) except -1:
        if self.busy:
            raise BufferError("the hash is being updated by another call")
        return 0

    @property
    def name(self):
        """The algorithm, as ``algorithms()`` names it."""
        return mc_hashes[self.stream.hash].name.decode()

    @property
    def digest_size(self):
        """Bytes of a digest."""
        return mc_hashes[self.stream.hash].digest_bytes

    @property
    def block_size(self):
        """Bytes of a block of the message."""
        return mc_hashes[self.stream.hash].block_bytes

    def update(self, data, /):
        """Append to the message."""
        cdef View view = view_of(data, "data")
        cdef mc_status status
        self.idle()
        if view.size <= SHORT:
            failed(mc_stream_update(&self.stream, view.data, view.size, self.isas))
            return
        self.busy = True
        with nogil:
            status = mc_stream_update(&self.stream, view.data, view.size, self.isas)
        self.busy = False
        failed(status)

    def digest(self):
        """The digest of the message so far."""
        cdef bytes out = PyBytes_FromStringAndSize(NULL, mc_hashes[self.stream.hash].digest_bytes)
        self.idle()
        failed(mc_stream_digest(&self.stream, <uint8_t *>PyBytes_AS_STRING(out), self.isas))
        return out

    def hexdigest(self):
        """The same in hexadecimal."""
        return self.digest().hex()

    def copy(self):
        """Another one with the same message, which goes its own way."""
        self.idle()
        return Hash(self.name, self)


def _constructor(str algorithm):
    """hashlib's constructor of an algorithm; None where it has none, or this OpenSSL was built without it."""
    import hashlib

    if algorithm == "blake2b_256":
        return lambda data: hashlib.blake2b(data, digest_size=32)
    try:
        hashlib.new(algorithm)
    except ValueError:
        return None
    return lambda data: hashlib.new(algorithm, data)


def new(algorithm, data=b""):
    """An incremental hash: hashlib's own where it has the algorithm."""
    cdef Hash made
    hash_id(algorithm)
    if algorithm not in _hashlib:
        _hashlib[algorithm] = _constructor(algorithm)
    if _hashlib[algorithm] is not None:
        view_of(data, "data")  # what hashlib would say of it is not ours
        return _hashlib[algorithm](data)
    made = Hash(algorithm)
    made.update(data)
    return made
