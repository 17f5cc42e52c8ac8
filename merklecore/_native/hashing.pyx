"""Batches of messages and nodes."""

from cpython.buffer cimport Py_buffer, PyBuffer_Release
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy

from merklecore._native.arguments cimport Messages, View, messages_of, output, thread_count, view_of
from merklecore._native.core cimport (
    MC_BLAKE2B_256, MC_BLAKE3, MC_KECCAK256, MC_SHA3_256, MC_SHA256, MC_SHA256D, MC_SHA512, MC_SM3,
    mc_hash_messages_parallel, mc_hash_nodes_parallel, mc_hash_one, mc_hashes, mc_status,
)
from merklecore._native.dispatch cimport allowed, failed, hash_id

from merklecore.errors import InputError

cdef size_t SHORT = 2048  # bytes: hashed before another thread could even have taken the GIL


cdef bytes _digest(int hash, uint32_t isas, object data):
    cdef bytes out = PyBytes_FromStringAndSize(NULL, mc_hashes[hash].digest_bytes)
    cdef uint8_t *at = <uint8_t *>PyBytes_AS_STRING(out)
    cdef const uint8_t *source
    cdef size_t size
    cdef View view = None
    cdef mc_status status
    if PyBytes_CheckExact(data):
        source = <const uint8_t *>PyBytes_AS_STRING(data)
        size = <size_t>PyBytes_GET_SIZE(data)
    else:
        view = view_of(data, "data")
        source = view.data
        size = view.size
    if size <= SHORT:
        status = mc_hash_one(hash, source, size, at, isas)
    else:
        with nogil:
            status = mc_hash_one(hash, source, size, at, isas)
    failed(status)
    return out


def digest(data, algorithm, kernel=None):
    """H(data)."""
    cdef int hash = hash_id(algorithm)
    return _digest(hash, allowed(hash, kernel), data)


def sha256(data, /):
    """SHA-256 of a bytes-like object, 32 bytes (FIPS 180-4).

    >>> sha256(b"abc").hex()
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    """
    return _digest(MC_SHA256, allowed(MC_SHA256, None), data)


def sha256d(data, /):
    """SHA-256 of the SHA-256 of a bytes-like object, 32 bytes: Bitcoin's hash.

    >>> sha256d(b"abc").hex()
    '4f8b42c22dd3729b519ba6f68d2da7cc5b2d606d05daed5ad5128cc03e6c6358'
    """
    return _digest(MC_SHA256D, allowed(MC_SHA256D, None), data)


def sha512(data, /):
    """SHA-512 of a bytes-like object, 64 bytes (FIPS 180-4).

    >>> sha512(b"abc").hex()[:16]
    'ddaf35a193617aba'
    """
    return _digest(MC_SHA512, allowed(MC_SHA512, None), data)


def sha3_256(data, /):
    """SHA3-256 of a bytes-like object, 32 bytes (FIPS 202).

    >>> sha3_256(b"abc").hex()[:16]
    '3a985da74fe225b2'
    """
    return _digest(MC_SHA3_256, allowed(MC_SHA3_256, None), data)


def keccak256(data, /):
    """Keccak-256 of a bytes-like object, 32 bytes: padded as before FIPS 202, Ethereum's hash.

    >>> keccak256(b"abc").hex()[:16]
    '4e03657aea45a94f'
    """
    return _digest(MC_KECCAK256, allowed(MC_KECCAK256, None), data)


def sm3(data, /):
    """SM3 of a bytes-like object, 32 bytes (GB/T 32905-2016).

    >>> sm3(b"abc").hex()[:16]
    '66c7f0f462eeedd9'
    """
    return _digest(MC_SM3, allowed(MC_SM3, None), data)


def blake3(data, /):
    """BLAKE3 of a bytes-like object, 32 bytes, without a key.

    >>> blake3(b"abc").hex()[:16]
    '6437b3ac38465133'
    """
    return _digest(MC_BLAKE3, allowed(MC_BLAKE3, None), data)


def blake2b_256(data, /):
    """BLAKE2b of a bytes-like object, 32 bytes, without a key (RFC 7693).

    >>> blake2b_256(b"abc").hex()[:16]
    'bddd813c63423972'
    """
    return _digest(MC_BLAKE2B_256, allowed(MC_BLAKE2B_256, None), data)


def hash_many(messages, algorithm, prefix=b"", threads=None, out=None, kernel=None):
    """out[i] = H(prefix || messages[i])."""
    cdef int hash = hash_id(algorithm)
    cdef uint32_t isas = allowed(hash, kernel)
    cdef View head = view_of(prefix, "prefix")
    cdef Messages source = messages_of(messages, "messages", -1)
    cdef unsigned crew = <unsigned>thread_count(threads, source.c.n + source.total // mc_hashes[hash].block_bytes)
    cdef Py_buffer buffer
    cdef mc_status status
    result = output(out, source.c.n, mc_hashes[hash].digest_bytes, source, head, &buffer)
    with nogil:
        status = mc_hash_messages_parallel(hash, head.data, head.size, &source.c, <uint8_t *>buffer.buf, isas, crew)
    PyBuffer_Release(&buffer)
    failed(status)
    return result


def hash_pairs(nodes, algorithm, prefix=b"", threads=None, out=None, kernel=None):
    """out[i] = H(prefix || nodes[2 i] || nodes[2 i + 1])."""
    cdef int hash = hash_id(algorithm)
    cdef uint32_t isas = allowed(hash, kernel)
    cdef size_t d = mc_hashes[hash].digest_bytes
    cdef View head = view_of(prefix, "prefix")
    cdef Messages source = messages_of(nodes, "nodes", <Py_ssize_t>d)
    cdef const uint8_t *rows = source.c.rows
    cdef bytes joined
    cdef size_t i
    cdef Py_buffer buffer
    cdef mc_status status
    if source.c.n % 2:
        raise InputError(f"nodes: {source.c.n} nodes do not make pairs")
    if rows == NULL:
        joined = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>(source.c.n * d))
        rows = <const uint8_t *>PyBytes_AS_STRING(joined)
        for i in range(source.c.n):
            memcpy(PyBytes_AS_STRING(joined) + i * d, source.spans[i].data, d)
    cdef size_t pairs = source.c.n // 2
    cdef unsigned crew = <unsigned>thread_count(threads, pairs)
    result = output(out, pairs, d, source, head, &buffer)
    with nogil:
        status = mc_hash_nodes_parallel(hash, head.data, head.size, rows, pairs, <uint8_t *>buffer.buf, isas, crew)
    PyBuffer_Release(&buffer)
    failed(status)
    return result
