"""Which kernels serve which hash: the CPU's features, less what the environment masks, less what fails its self-test.

The environment is read once, at import; a hash is tested when it is first asked for:

- `MERKLECORE_DISABLE_CPU=avx512,shani` takes features away (AVX-512 stands on AVX2 and goes with it);
- `MERKLECORE_KERNEL=sha256:avx2,sha256d:portable` leaves one kernel to an algorithm.
"""

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t

from merklecore._native.core cimport (
    MC_FAST_SHA, MC_HASHES, MC_ISA_ALL, MC_ISA_AVX2, MC_ISA_AVX512, MC_ISA_PORTABLE, MC_ISA_SHANI, MC_MESSAGES,
    MC_NO_MEMORY, MC_NODE, MC_OK, MC_PREFIXED_NODE, MC_SHAPES, mc_cpu_brand, mc_cpu_features,
    mc_features, mc_hash_messages_parallel, mc_hash_nodes_parallel, mc_hashes, mc_kernel, mc_kernels, mc_messages,
    mc_self_test, mc_span, mc_status,
)

import os
from time import perf_counter_ns

from merklecore.errors import BackendError, InputError

SHAPES = ("node", "prefixed node", "messages")

cdef uint32_t masks[MC_HASHES]  # what may serve each hash; 0 where it has not been tested
cdef uint32_t usable[MC_HASHES]  # the same without the forced choice: what kernel= may name
cdef dict ids = {mc_hashes[i].name.decode(): i for i in range(MC_HASHES)}
cdef dict bits = {}
cdef uint32_t features = 0
cdef uint32_t enabled = 0  # features less what the environment takes away
cdef tuple disabled = ()
cdef list failures = []

DIGEST_SIZES = {name: mc_hashes[<int>i].digest_bytes for name, i in ids.items()}


cdef int hash_id(object algorithm) except -1:
    found = ids.get(algorithm) if isinstance(algorithm, str) else None
    if found is None:
        if not isinstance(algorithm, str):
            raise TypeError(f"algorithm: a name is needed, not {type(algorithm).__name__}")
        raise InputError(f"algorithm {algorithm!r} is none of {', '.join(ids)}")
    return found


cdef int _test(int hash) except -1:
    """Finds what may serve a hash, once."""
    if usable[hash]:
        return 0
    cdef str algorithm = mc_hashes[hash].name.decode()
    cdef uint32_t passed = mc_self_test(hash, enabled)
    cdef list failed
    failed = [f"{algorithm}:{name}" for name in _names(enabled & MC_ISA_ALL & ~passed)
              if name in _serving(hash, MC_MESSAGES, enabled)]
    if not passed & MC_ISA_PORTABLE:
        raise BackendError(f"{failed[-1]} fails its self-test: this build computes wrong digests")
    usable[hash] = masks[hash] = passed | (enabled & MC_FAST_SHA)
    if failed:
        import warnings

        failures.extend(failed)
        warnings.warn(f"kernels that fail their self-test are not used: {', '.join(failed)}", RuntimeWarning)
    return 0


cdef uint32_t _forced(int hash, str name) except 0:
    """The one kernel called `name`, with the facts that order its rows."""
    _test(hash)
    cdef uint32_t bit = bits.get(name, 0) & MC_ISA_ALL
    if not bit & usable[hash]:
        known = f"none of {', '.join(_isas())}"
        if bit:
            known = f"not usable here (usable: {', '.join(_names(usable[hash] & MC_ISA_ALL))})"
        raise BackendError(f"kernel {name!r} is {known}")
    return bit | (usable[hash] & MC_FAST_SHA if bit == MC_ISA_SHANI else 0)


cdef uint32_t allowed(int hash, object kernel) except 0:
    if kernel is None:
        if not masks[hash]:
            _test(hash)
        return masks[hash]
    if not isinstance(kernel, str):
        raise TypeError(f"kernel: a name is needed, not {type(kernel).__name__}")
    return _forced(hash, kernel)


cdef int failed(mc_status status) except -1:
    """Raises what a status from the core means where no argument of the caller's can be the cause."""
    if status == MC_OK:
        return 0
    if status == MC_NO_MEMORY:
        raise MemoryError("no room for the work buffers")
    raise BackendError(f"the native core returned status {<int>status}")


cdef list _isas():
    return [name for name, bit in bits.items() if bit & MC_ISA_ALL]


cdef list _names(uint32_t mask):
    return [name for name, bit in bits.items() if bit & mask]


cdef list _serving(int hash, int shape, uint32_t mask):
    """Names of the kernels for a shape, best first. A shape without rows of its own is hashed as messages."""
    cdef const mc_kernel *row = mc_kernels[hash][shape]
    cdef list found = []
    if row.isa == 0:
        row = mc_kernels[hash][<int>MC_MESSAGES]
    while row.isa != 0:
        if row.needs & mask == row.needs:
            found += [name for name in _names(row.isa) if name not in found]
        row += 1
    return found


cdef _read_environment():
    global features, enabled, disabled
    cdef int i = 0
    cdef uint32_t mask
    while mc_features[i].name != NULL:
        bits[mc_features[i].name.decode()] = mc_features[i].bit
        i += 1
    features = mask = mc_cpu_features()

    names = [name.strip() for name in os.environ.get("MERKLECORE_DISABLE_CPU", "").split(",") if name.strip()]
    for name in names:
        if name not in bits or name == "portable":
            known = ", ".join(name for name in bits if name != "portable")
            raise BackendError(f"MERKLECORE_DISABLE_CPU: {name!r} is none of {known}")
        mask &= ~<uint32_t>bits[name]
    if not mask & MC_ISA_AVX2:
        mask &= ~<uint32_t>MC_ISA_AVX512
    if not mask & MC_ISA_AVX2 or not mask & MC_ISA_SHANI:
        mask &= ~<uint32_t>MC_FAST_SHA
    enabled = mask
    disabled = tuple(_names(features & ~mask))

    for choice in os.environ.get("MERKLECORE_KERNEL", "").split(","):
        if choice.strip():
            algorithm, colon, name = choice.strip().partition(":")
            if not colon or algorithm not in ids:
                raise BackendError(f"MERKLECORE_KERNEL: {choice.strip()!r} is not ALGORITHM:KERNEL "
                                   f"with one of {', '.join(ids)}")
            masks[<int>ids[algorithm]] = _forced(ids[algorithm], name)


_read_environment()


def kernels(algorithm):
    """Names of the kernels usable for an algorithm, best first."""
    cdef int hash = hash_id(algorithm)
    _test(hash)
    return tuple(_serving(hash, MC_NODE, usable[hash]))


def cpu_info():
    cdef char brand[49]
    cdef dict serving = {}, chosen = {}
    cdef int hash, shape
    mc_cpu_brand(brand)
    for name, hash in ids.items():
        _test(hash)
        serving[name] = {SHAPES[shape]: tuple(_serving(hash, shape, usable[hash])) for shape in range(MC_SHAPES)}
        chosen[name] = {SHAPES[shape]: _serving(hash, shape, masks[hash])[0] for shape in range(MC_SHAPES)}
    affinity = getattr(os, "sched_getaffinity", None)
    return {
        "backend": "native",
        "cpu": brand.decode("ascii", "replace").strip(),
        "features": tuple(_names(features)),
        "disabled": disabled,
        "kernels": serving,
        "chosen": chosen,
        "failed": tuple(failures),
        "threads": len(affinity(0)) if affinity is not None else os.cpu_count() or 1,
    }


def measure(algorithm=None):
    """Times every usable kernel: ns per node, or per 64-byte message. Minima of many short runs, taken in turn."""
    cdef int hash, shape, status
    cdef size_t i
    cdef size_t n = 256
    cdef bytearray data = bytearray(byte * 7 & 0xff for byte in range(n * 128)), digests = bytearray(n * 64)
    cdef const uint8_t *source = data
    cdef uint8_t *out = digests
    cdef uint8_t prefix = 1
    cdef uint32_t mask
    cdef mc_messages messages
    cdef mc_span[256] spans
    rows = []
    for name, hash in ids.items():
        if algorithm is None or hash_id(algorithm) == hash:
            _test(hash)
            for shape in range(MC_SHAPES):
                rows += [{"algorithm": name, "shape": SHAPES[shape], "kernel": kernel, "ns": float("inf")}
                         for kernel in _serving(hash, shape, usable[hash])]
    for i in range(n):
        spans[i].data = source + 64 * i
        spans[i].size = 64
    messages.spans = spans  # rows of two digests would be nodes
    messages.rows = NULL
    messages.width = 64
    messages.n = n
    for _ in range(40):
        for row in rows:
            hash = hash_id(row["algorithm"])
            shape = SHAPES.index(row["shape"])
            mask = _forced(hash, row["kernel"])
            began = perf_counter_ns()
            if shape == MC_MESSAGES:
                status = mc_hash_messages_parallel(hash, NULL, 0, &messages, out, mask, 1)
            else:
                status = mc_hash_nodes_parallel(hash, &prefix, shape == MC_PREFIXED_NODE, source, n, out, mask, 1)
            failed(<mc_status>status)
            row["ns"] = min(row["ns"], (perf_counter_ns() - began) / n)
    return rows
