# Which kernels may serve which hash in this process.
from libc.stdint cimport uint32_t

from merklecore._native.core cimport mc_status

cdef int hash_id(object algorithm) except -1
cdef uint32_t allowed(int hash, object kernel) except 0
cdef int failed(mc_status status) except -1
