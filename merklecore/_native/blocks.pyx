"""Blocks: what the scanners and rules of the core find in them."""

cimport cython
from cpython.buffer cimport Py_buffer, PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from merklecore._native.arguments cimport Messages, View, messages_of, natural, thread_count, view_of
from merklecore._native.core cimport (
    MC_BITCOIN_ROW, MC_KEPT_FAULTS, MC_KNOWS_BITS, MC_KNOWS_CHAINWORK, MC_KNOWS_HEIGHT, MC_KNOWS_PERIOD_BITS,
    MC_KNOWS_PERIOD_START, MC_KNOWS_PREV_HASH, MC_KNOWS_REAL_BITS, MC_NEVER_MIND, MC_NON_CANONICAL_SIZE,
    MC_SHA256D, MC_SIZE_TOO_LARGE, MC_TIMES, mc_bitcoin, mc_bitcoin_block, mc_bitcoin_check, mc_bitcoin_check_many,
    mc_bitcoin_close, mc_bitcoin_context, mc_bitcoin_headers, mc_bitcoin_release, mc_bitcoin_report, mc_bitcoin_scan,
    mc_bitcoin_table, mc_bitcoin_txids, mc_fault, mc_faults, mc_span, mc_status, mc_u256,
)
from merklecore._native.dispatch cimport allowed, failed

import os
from operator import index as _index

from merklecore._text import shown
from merklecore.errors import BoundsError, InputError

cdef Py_ssize_t HEADER = 80  # bytes
cdef size_t MOST = 0xffffffff  # bytes of a block
cdef int64_t LATEST = <int64_t>1 << 62  # seconds

TX_TABLE = [
    ("offset", "<u8"), ("size", "<u4"), ("stripped", "<u4"), ("inputs", "<u4"), ("outputs", "<u4"),
    ("version", "<i4"), ("locktime", "<u4"), ("value", "<i8"), ("flags", "u1"),
]


# ---- what comes in --------------------------------------------------------------------------------------------------

cdef object _integer(object value, str what):
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{what}: an integer is needed, not {type(value).__name__}")
    return _index(value)


cdef uint32_t _u32(object value, str what) except? 0xffffffff:
    number = _integer(value, what)
    if not 0 <= number <= 0xffffffff:
        raise BoundsError(f"{what} {shown(number)} is not between 0 and 2**32 - 1")
    return number


cdef int _take_u256(object value, str what, mc_u256 *out) except -1:
    number = _integer(value, what)
    if number < 0 or number >> 256:
        raise BoundsError(f"{what} {shown(number)} is not between 0 and 2**256 - 1")
    cdef int i
    for i in range(4):
        out.word[i] = number >> 64 * i & 0xffffffffffffffff
    return 0


cdef object _u256(const mc_u256 *number):
    cdef int i
    return sum([<object>number.word[i] << 64 * i for i in range(4)])


cdef int _take_times(object times, mc_bitcoin_context *out) except -1:
    if not isinstance(times, (tuple, list)):
        raise TypeError(f"times: a tuple of integers is needed, not {type(times).__name__}")
    times = tuple(times)
    if len(times) > <int>MC_TIMES:
        raise InputError(f"times: {len(times)} where at most {<int>MC_TIMES} count")
    for i, time in enumerate(times):
        out.times[<int>i] = _u32(time, f"times[{i}]")
    out.n_times = <uint32_t>len(times)
    return 0


cdef int _take_context(object context, mc_bitcoin_context *out) except -1:
    """A tuple (height, prev_hash, times, period_start, bits, chainwork, period_bits, real_bits), or None."""
    cdef View view
    memset(out, 0, sizeof(mc_bitcoin_context))
    if context is None:
        return 0
    if not isinstance(context, tuple):
        raise TypeError(f"context: a tuple or None is needed, not {type(context).__name__}")
    if len(context) != 8:
        raise InputError(f"context: {len(context)} fields where 8 are needed")
    height, prev_hash, times, period_start, bits, chainwork, period_bits, real_bits = context
    if height is not None:
        height = _integer(height, "height")
        if not -1 <= height < 1 << 31:
            raise BoundsError(f"height {shown(height)} is not between -1 and 2**31 - 1")
        out.height = height
        out.known |= MC_KNOWS_HEIGHT
    if prev_hash is not None:
        view = view_of(prev_hash, "prev_hash")
        if view.size != 32:
            raise InputError(f"prev_hash: {view.size} bytes where 32 are needed")
        memcpy(out.prev_hash, view.data, 32)
        out.known |= MC_KNOWS_PREV_HASH
    if times is not None:
        _take_times(times, out)
    if period_start is not None:
        out.period_start = _u32(period_start, "period_start")
        out.known |= MC_KNOWS_PERIOD_START
    if bits is not None:
        out.bits = _u32(bits, "bits")
        out.known |= MC_KNOWS_BITS
    if chainwork is not None:
        _take_u256(chainwork, "chainwork", &out.chainwork)
        out.known |= MC_KNOWS_CHAINWORK
    if period_bits is not None:
        out.period_bits = _u32(period_bits, "period_bits")
        out.known |= MC_KNOWS_PERIOD_BITS
    if real_bits is not None:
        out.real_bits = _u32(real_bits, "real_bits")
        out.known |= MC_KNOWS_REAL_BITS
    return 0


cdef object _context(const mc_bitcoin_context *at):
    cdef int i
    return (
        at.height if at.known & MC_KNOWS_HEIGHT else None,
        at.prev_hash[:32] if at.known & MC_KNOWS_PREV_HASH else None,
        tuple([at.times[i] for i in range(<int>at.n_times)]),
        at.period_start if at.known & MC_KNOWS_PERIOD_START else None,
        at.bits if at.known & MC_KNOWS_BITS else None,
        _u256(&at.chainwork) if at.known & MC_KNOWS_CHAINWORK else None,
        at.period_bits if at.known & MC_KNOWS_PERIOD_BITS else None,
        at.real_bits if at.known & MC_KNOWS_REAL_BITS else None,
    )


cdef int64_t _seconds(object now) except? -2:
    return MC_NEVER_MIND if now is None else <int64_t>min(natural(now, "now"), <uint64_t>LATEST)


cdef View _block(object data):
    cdef View view = view_of(data, "block")
    _admit(view.size)
    return view


cdef int _admit(size_t size) except -1:
    if size > MOST:
        raise InputError(f"block: {size} bytes are more than {MOST}, the most there can be")
    return 0


# ---- what comes out -------------------------------------------------------------------------------------------------

cdef list _faults(const mc_faults *found):
    cdef list listed = []
    cdef const mc_fault *fault
    cdef size_t i
    for i in range(min(found.count, <uint64_t>MC_KEPT_FAULTS)):
        fault = &found.at[i]
        a = <object>fault.a
        if fault.code == MC_NON_CANONICAL_SIZE or fault.code == MC_SIZE_TOO_LARGE:
            a = <object><uint64_t>fault.a  # a size of the block's: up to 64 bits, without a sign
        listed.append((fault.code, fault.offset, fault.tx, a, fault.b))
    return listed


@cython.final
cdef class Checked:
    """What was found out about one block."""
    cdef mc_bitcoin_report report

    def __cinit__(self):
        memset(&self.report, 0, sizeof(self.report))

    def __dealloc__(self):
        mc_bitcoin_release(&self.report)

    @property
    def faults(self):
        """The first ones, in order, as (code, offset, index of the transaction or -1, a, b)."""
        return _faults(&self.report.faults)

    @property
    def fault_count(self):
        return self.report.faults.count

    @property
    def warnings(self):
        return _faults(&self.report.warnings)

    @property
    def warning_count(self):
        return self.report.warnings.count

    @property
    def unchecked(self):
        """A bit for each rule that was not checked."""
        return self.report.unchecked

    @property
    def root(self):
        return self.report.root[:32] if self.report.has_root else None

    @property
    def block_hash(self):
        return self.report.block_hash[:32] if self.report.has_header else None

    @property
    def size(self):
        """Bytes of the block: those behind its last transaction do not count."""
        return self.report.size

    @property
    def tx_count(self):
        return self.report.tx_count

    @property
    def next_context(self):
        return _context(&self.report.next) if self.report.has_header else None


cdef list _checked(mc_bitcoin_report *reports, size_t n):
    """Reports as objects, which take over what they hold."""
    cdef list found = []
    cdef Checked checked
    cdef size_t i
    for i in range(n):
        checked = Checked.__new__(Checked)
        checked.report = reports[i]
        memset(&reports[i], 0, sizeof(mc_bitcoin_report))
        found.append(checked)
    return found


# ---- Bitcoin --------------------------------------------------------------------------------------------------------

@cython.final
cdef class Bitcoin:
    """The rules of one network of Bitcoin's, in the core's terms."""
    cdef mc_bitcoin chain

    def __cinit__(self, pow_limit, magic, bip34_height, bip65_height, bip66_height, csv_height, segwit_height, halving,
                  twenty_minutes, no_retarget, bip94, signet_challenge, genesis_hash=None):
        cdef View view = view_of(magic, "magic")
        cdef bytes salt = os.urandom(sizeof(self.chain.salt))
        if view.size != 4:
            raise InputError(f"magic: {view.size} bytes where 4 are needed")
        _take_u256(pow_limit, "pow_limit", &self.chain.pow_limit)
        self.chain.bip34_height = natural(bip34_height, "bip34_height")
        self.chain.bip65_height = natural(bip65_height, "bip65_height")
        self.chain.bip66_height = natural(bip66_height, "bip66_height")
        self.chain.csv_height = natural(csv_height, "csv_height")
        self.chain.segwit_height = natural(segwit_height, "segwit_height")
        self.chain.halving = natural(halving, "halving")
        if self.chain.halving == 0:
            raise BoundsError("halving 0: a number of blocks is needed")
        self.chain.twenty_minutes = bool(twenty_minutes)
        self.chain.no_retarget = bool(no_retarget)
        self.chain.bip94 = bool(bip94)
        self.chain.signet = signet_challenge is not None
        if signet_challenge is not None:
            view = view_of(signet_challenge, "signet_challenge")
            self.chain.trivial_challenge = view.size == 1 and view.data[0] == 0x51
        self.chain.knows_genesis = genesis_hash is not None
        if genesis_hash is not None:
            view = view_of(genesis_hash, "genesis_hash")
            if view.size != 32:
                raise InputError(f"genesis_hash: {view.size} bytes where 32 are needed")
            memcpy(self.chain.genesis, view.data, 32)
        memcpy(self.chain.salt, <const char *>salt, sizeof(self.chain.salt))

    def check_block(self, data, context=None, now=None):
        """What is wrong with a block that stands at the beginning of `data`."""
        cdef uint32_t isas = allowed(MC_SHA256D, None)
        cdef View view = _block(data)
        cdef mc_bitcoin_context before
        cdef int64_t clock = _seconds(now)
        cdef Checked checked = Checked.__new__(Checked)
        cdef mc_status status
        _take_context(context, &before)
        with nogil:
            status = mc_bitcoin_check(&self.chain, view.data, view.size, &before, clock, &checked.report, isas)
        failed(status)
        return checked

    def check_many(self, data, spans, contexts, now=None, threads=None):
        """The same of the blocks at [start, stop) of one buffer, each with a context of its own."""
        cdef uint32_t isas = allowed(MC_SHA256D, None)
        cdef View view = view_of(data, "data")
        cdef int64_t clock = _seconds(now)
        cdef list places = list(spans), chains = list(contexts)
        cdef size_t i, start, stop, total = 0, n = len(places)
        cdef mc_bitcoin_report *reports = NULL
        cdef mc_bitcoin_context *before = NULL
        cdef mc_span *blocks = NULL
        cdef unsigned crew
        cdef mc_status status
        if <size_t>len(chains) != n:
            raise InputError(f"contexts: {len(chains)} where {n} are needed")
        try:
            reports = <mc_bitcoin_report *>PyMem_Calloc(max(n, 1), sizeof(mc_bitcoin_report))
            before = <mc_bitcoin_context *>PyMem_Calloc(max(n, 1), sizeof(mc_bitcoin_context))
            blocks = <mc_span *>PyMem_Calloc(max(n, 1), sizeof(mc_span))
            if reports == NULL or before == NULL or blocks == NULL:
                raise MemoryError
            for i in range(n):
                start, stop = natural(places[i][0], f"spans[{i}]"), natural(places[i][1], f"spans[{i}]")
                if not start <= stop <= view.size:
                    raise BoundsError(f"spans[{i}]: [{start}, {stop}) does not lie in {view.size} bytes")
                _admit(stop - start)
                blocks[i].data = view.data + start
                blocks[i].size = stop - start
                total += stop - start
                _take_context(chains[i], &before[i])
            crew = <unsigned>thread_count(threads, total // 64)
            with nogil:
                status = mc_bitcoin_check_many(&self.chain, blocks, before, clock, n, reports, isas, crew)
            failed(status)
            return _checked(reports, n)
        finally:
            if reports != NULL:
                for i in range(n):
                    mc_bitcoin_release(&reports[i])
            PyMem_Free(reports)
            PyMem_Free(before)
            PyMem_Free(blocks)

    def check_headers(self, rows, context=None, now=None):
        """(first fault of each, hashes, cumulative work, what was not checked, the context behind the last)."""
        import numpy

        cdef uint32_t isas = allowed(MC_SHA256D, None)
        cdef Messages source = messages_of(rows, "headers", HEADER)
        cdef int64_t clock = _seconds(now)
        cdef mc_bitcoin_context next_context
        cdef uint32_t unchecked = 0
        cdef Py_buffer codes, hashes, works
        cdef mc_status status
        _take_context(context, &next_context)
        arrays = (numpy.empty(source.c.n, numpy.uint32), numpy.empty((source.c.n, 32), numpy.uint8),
                  numpy.empty((source.c.n, 32), numpy.uint8))
        PyObject_GetBuffer(arrays[0], &codes, PyBUF_SIMPLE | PyBUF_WRITABLE)
        PyObject_GetBuffer(arrays[1], &hashes, PyBUF_SIMPLE | PyBUF_WRITABLE)
        PyObject_GetBuffer(arrays[2], &works, PyBUF_SIMPLE | PyBUF_WRITABLE)
        with nogil:
            status = mc_bitcoin_headers(&self.chain, &source.c, clock, <uint32_t *>codes.buf, <uint8_t *>hashes.buf,
                                        <uint8_t *>works.buf, &unchecked, &next_context, isas)
        PyBuffer_Release(&codes)
        PyBuffer_Release(&hashes)
        PyBuffer_Release(&works)
        failed(status)
        return (*arrays, unchecked, _context(&next_context) if source.c.n else context)

    def tx_table(self, data):
        """Where each transaction stands and what it holds: a structured array."""
        return _scanned(_block(data), True)

    def txids(self, data):
        """The id of each transaction, uint8 (n, 32)."""
        return _scanned(_block(data), False)


cdef object _scanned(View view, bint table):
    import numpy

    cdef uint32_t isas = allowed(MC_SHA256D, None)
    cdef mc_bitcoin_block block
    cdef mc_bitcoin_report report  # for its faults
    cdef Py_buffer buffer
    cdef mc_status status
    memset(&block, 0, sizeof(block))
    memset(&report, 0, sizeof(report))
    try:
        with nogil:
            status = mc_bitcoin_scan(&block, view.data, view.size, &report.faults)
        failed(status)
        if not block.whole:
            raise InputError(f"block: cannot be read on from offset {report.faults.last.offset} "
                             f"(code {report.faults.last.code})")
        rows = numpy.empty((block.txs, <int>MC_BITCOIN_ROW if table else 32), numpy.uint8)
        PyObject_GetBuffer(rows, &buffer, PyBUF_SIMPLE | PyBUF_WRITABLE)
        with nogil:
            if table:
                mc_bitcoin_table(&block, <uint8_t *>buffer.buf)
            else:
                status = mc_bitcoin_txids(&block, <uint8_t *>buffer.buf, isas)
        PyBuffer_Release(&buffer)
        failed(status)
        return rows.view(TX_TABLE).reshape(block.txs) if table else rows
    finally:
        mc_bitcoin_close(&block)
        mc_bitcoin_release(&report)
