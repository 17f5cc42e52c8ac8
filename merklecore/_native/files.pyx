"""Files by name."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, Py_buffer, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.unicode cimport PyUnicode_CheckExact
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t, uint64_t, uintptr_t
from libc.string cimport strlen

from merklecore._native.arguments cimport thread_count
from merklecore._native.core cimport mc_hash_files, mc_hashes, mc_status
from merklecore._native.dispatch cimport allowed, failed, hash_id

import os

from merklecore.errors import InputError

cdef extern from *:
    bytes PyUnicode_EncodeFSDefault(object)


cdef bytes _name(object path, Py_ssize_t i):
    if PyBytes_CheckExact(path):
        name = path
    else:
        try:
            name = PyUnicode_EncodeFSDefault(path) if PyUnicode_CheckExact(path) else bytes(os.fsencode(path))
        except TypeError:
            raise TypeError(f"paths[{i}]: a name is needed, not {type(path).__name__}") from None
        except UnicodeEncodeError:
            raise InputError(f"paths[{i}]: no name of a file can be made of it") from None
    if strlen(PyBytes_AS_STRING(name)) != <size_t>PyBytes_GET_SIZE(name):
        raise InputError(f"paths[{i}]: a NUL byte, which no name of a file has")
    return name


cdef uint64_t *_counter(object done, Py_buffer *buffer) except NULL:
    """The integer of 64 bits in `done`; `buffer` holds it and is the caller's to release."""
    try:
        PyObject_GetBuffer(done, buffer, PyBUF_SIMPLE | PyBUF_WRITABLE)
    except TypeError:
        raise TypeError(f"done: a writable buffer is needed, not {type(done).__name__}") from None
    except (BufferError, ValueError) as error:
        raise InputError(f"done: {error}") from None
    if buffer.len != sizeof(uint64_t) or <uintptr_t>buffer.buf % sizeof(uint64_t):
        PyBuffer_Release(buffer)
        raise InputError("done: 8 bytes are needed, aligned as an integer is")
    return <uint64_t *>buffer.buf


cdef list _results(tuple paths, const uint8_t *digests, size_t d, const int *errors):
    cdef Py_ssize_t i
    cdef list found = []
    for i in range(len(paths)):
        if errors[i]:
            found.append(OSError(errors[i], os.strerror(errors[i]), paths[i]))
        else:
            found.append(PyBytes_FromStringAndSize(<const char *>digests + <size_t>i * d, <Py_ssize_t>d))
    return found


def hash_files(paths, algorithm, threads=None, kernel=None, done=None):
    """[H(content of the file), or the OSError that it met, for each path]."""
    cdef int hash = hash_id(algorithm)
    cdef uint32_t isas = allowed(hash, kernel)
    cdef size_t d = mc_hashes[hash].digest_bytes
    cdef tuple given, names
    cdef Py_ssize_t i, n
    cdef unsigned crew
    cdef Py_buffer buffer
    cdef uint64_t *counter = NULL
    cdef char *memory
    cdef const char **c_names
    cdef uint8_t *digests
    cdef int *errors
    cdef mc_status status
    if not isinstance(paths, (list, tuple)):
        raise TypeError(f"paths: a list or tuple of names is needed, not {type(paths).__name__}")
    given = tuple(paths)
    names = tuple([_name(path, i) for i, path in enumerate(given)])
    n = len(names)
    crew = <unsigned>thread_count(threads, <size_t>n << 15)  # one file may be work enough for a thread
    memory = <char *>PyMem_Malloc(max(n, 1) * (sizeof(char *) + sizeof(int) + d))
    if memory == NULL:
        raise MemoryError
    try:
        c_names = <const char **>memory
        errors = <int *>(c_names + n)
        digests = <uint8_t *>(errors + n)
        for i in range(n):
            c_names[i] = PyBytes_AS_STRING(names[i])
        if done is not None:
            counter = _counter(done, &buffer)
        with nogil:
            status = mc_hash_files(hash, c_names, <size_t>n, digests, errors, counter, isas, crew)
        if counter != NULL:
            PyBuffer_Release(&buffer)
        failed(status)
        return _results(given, digests, d, errors)
    finally:
        PyMem_Free(memory)
