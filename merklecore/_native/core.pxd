# The only declarations of the C core: csrc/merklecore.h, and csrc/arrow.h at the end.
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

cdef extern from "merklecore.h" nogil:
    enum: MC_MAX_DIGEST, MC_MAX_DEPTH, MC_MAX_THREADS, MC_MAX_KERNELS
    enum: MC_ISA_PORTABLE, MC_ISA_AVX2, MC_ISA_SHANI, MC_ISA_AVX512, MC_ISA_ALL, MC_FAST_SHA
    enum: MC_HASHES, MC_SHA256, MC_SHA256D, MC_SHA512, MC_SHA3_256, MC_KECCAK256, MC_SM3, MC_BLAKE3, MC_BLAKE2B_256
    enum: MC_NODE, MC_PREFIXED_NODE, MC_MESSAGES, MC_SHAPES
    enum: MC_LEAF_HASH, MC_LEAF_HASH_TWICE, MC_LEAF_HASH_DIGEST, MC_LEAF_AS_IS
    enum: MC_ODD_SPLIT, MC_ODD_DUPLICATE, MC_ODD_PAD, MC_ODD_REHASH, MC_ODD_HEAP
    enum: MC_SIBLING_RIGHT, MC_SIBLING_LEFT, MC_SIBLING_COPY, MC_SIBLING_ZERO, MC_SIBLING_NONE, MC_SIBLING_KNOWN
    const size_t MC_MIXED

    ctypedef enum mc_status:
        MC_OK
        MC_NO_KERNEL
        MC_NO_MEMORY
        MC_BAD_INDEX
        MC_BAD_SIBLING
        MC_BAD_ZERO

    ctypedef struct mc_feature:
        const char *name
        uint32_t bit
    const mc_feature mc_features[]
    uint32_t mc_cpu_features()
    void mc_cpu_brand(char *text)

    ctypedef struct mc_hash:
        const char *name
        uint8_t digest_bytes, block_bytes
        int twice
    const mc_hash mc_hashes[]

    ctypedef struct mc_kernel:
        uint32_t isa, needs
        unsigned lanes, pays_from
    const mc_kernel mc_kernels[][3][8]
    const mc_kernel *mc_pick(int hash, int shape, size_t n, uint32_t isas)
    uint32_t mc_self_test(int hash, uint32_t isas)

    ctypedef struct mc_span:
        const uint8_t *data
        size_t size
    ctypedef struct mc_messages:
        const mc_span *spans
        const uint8_t *rows
        size_t width, n

    mc_status mc_hash_one(int hash, const uint8_t *data, size_t size, uint8_t *out, uint32_t isas)
    mc_status mc_hash_nodes_parallel(int hash, const uint8_t *prefix, size_t prefix_bytes, const uint8_t *nodes,
                                     size_t n, uint8_t *out, uint32_t isas, unsigned threads)
    mc_status mc_hash_messages_parallel(int hash, const uint8_t *prefix, size_t prefix_bytes,
                                        const mc_messages *messages, uint8_t *out, uint32_t isas, unsigned threads)

    ctypedef struct mc_stream:
        int hash
        size_t used
        uint8_t *room
    size_t mc_stream_room(int hash)
    void mc_stream_begin(mc_stream *stream, int hash, uint8_t *room)
    mc_status mc_stream_update(mc_stream *stream, const uint8_t *data, size_t size, uint32_t isas)
    mc_status mc_stream_digest(const mc_stream *stream, uint8_t *out, uint32_t isas)

    mc_status mc_hash_files(int hash, const char *const *paths, size_t n, uint8_t *out, int *failed, uint64_t *done,
                            uint32_t isas, unsigned threads)

    ctypedef struct mc_block:
        uint8_t *at
        size_t bytes
    mc_status mc_reserve(mc_block *block, size_t kept, size_t bytes)
    void mc_release(mc_block *block)

    ctypedef struct mc_rule:
        int hash, leaf, odd, sort_pairs, depth
        const uint8_t *leaf_prefix
        const uint8_t *node_prefix
        size_t leaf_prefix_bytes, node_prefix_bytes
        const uint8_t *zeros
    ctypedef struct mc_peaks:
        uint64_t size, equal_pairs
        uint8_t node[65][64]
    ctypedef struct mc_edge:
        uint64_t present, equal_pairs
        uint8_t node[65][64]
        uint8_t root[64]
    mc_status mc_hash_siblings(const mc_rule *rule, const uint8_t *nodes, size_t pairs, uint8_t *out, uint32_t isas)
    mc_status mc_hash_lone(const mc_rule *rule, const uint8_t *node, uint8_t *out, uint32_t isas)
    mc_status mc_leaf_hashes(const mc_rule *rule, const mc_messages *leaves, size_t first, size_t n, uint8_t *out,
                             uint32_t isas)
    mc_status mc_leaf_hashes_parallel(const mc_rule *rule, const mc_messages *leaves, int hashed, uint8_t *out,
                                      uint32_t isas, unsigned threads)
    mc_status mc_reduce(const mc_rule *rule, const mc_messages *leaves, int hashed, mc_peaks *peaks, uint32_t isas,
                        unsigned threads)
    mc_status mc_close(const mc_rule *rule, uint64_t size, const uint8_t *const *peak, mc_edge *edge, uint32_t isas)
    mc_status mc_extend(const mc_rule *rule, uint8_t *const *level, uint64_t size, const mc_messages *leaves,
                        int hashed, uint64_t *equal_pairs, uint32_t isas, unsigned threads)
    mc_status mc_heap(const mc_rule *rule, const uint8_t *leaves, size_t n, uint8_t *inner, uint32_t isas,
                      unsigned threads)
    mc_status mc_heap_root(const mc_rule *rule, const mc_messages *leaves, int hashed, uint8_t *root, uint32_t isas,
                           unsigned threads)

    ctypedef struct mc_step:
        uint64_t place
        uint8_t level, side
    ctypedef struct mc_kept:
        const uint8_t *level[64]
        const mc_edge *edge
        uint64_t size
    mc_status mc_plan(const mc_rule *rule, uint64_t index, uint64_t size, mc_step *steps, size_t *count)
    size_t mc_path_count(const mc_rule *rule, uint64_t index, uint64_t size)
    void mc_path(const mc_rule *rule, const mc_kept *kept, uint64_t index, uint8_t *out)
    void mc_paths(const mc_rule *rule, const mc_kept *kept, const uint64_t *indices, size_t n, const int64_t *offset,
                  uint8_t *out)
    mc_status mc_fold(const mc_rule *rule, const uint8_t *leaf_hash, const uint8_t *path, uint64_t index,
                      uint64_t size, uint8_t *root, size_t *fault, mc_step *at, uint32_t isas)
    size_t mc_consistency_count(uint64_t old, uint64_t size)
    void mc_consistency(const mc_rule *rule, const mc_kept *kept, uint64_t old, uint8_t *out)
    mc_status mc_fold_consistency(const mc_rule *rule, const uint8_t *path, uint64_t old, uint64_t size,
                                  const uint8_t *old_root, uint8_t *old_found, uint8_t *new_found, uint32_t isas)

    mc_status mc_set_plan(const mc_rule *rule, uint64_t size, uint64_t *places, size_t n, const mc_kept *kept,
                          uint8_t *out, size_t *hashes, uint8_t *flags, size_t *pairs)
    size_t mc_range_plan(const mc_rule *rule, uint64_t size, uint64_t first, uint64_t last, const mc_kept *kept,
                         uint8_t *out)
    mc_status mc_set_fold(const mc_rule *rule, uint64_t size, uint64_t *places, uint8_t *nodes, size_t n,
                          const uint8_t *hashes, mc_step *at, uint32_t isas)

    ctypedef struct mc_proofs:
        uint64_t size
        size_t n
        const uint64_t *index
        const uint8_t *leaf
        const int64_t *offset
        const uint8_t *hashes
        const uint8_t *root
    mc_status mc_verify_many(const mc_rule *rule, const mc_proofs *proofs, uint8_t *fails, uint32_t isas)

    ctypedef struct mc_change:
        uint64_t index
        size_t source "from"
    mc_status mc_sort_changes(mc_change *changes, size_t n, uint64_t size)
    mc_status mc_update(const mc_rule *rule, uint8_t *const *level, uint64_t size, const mc_change *changes, size_t n,
                        const uint8_t *fresh, uint64_t *equal_pairs, uint32_t isas, unsigned threads)
    uint64_t mc_equal_between(const mc_rule *rule, uint8_t *const *level, uint64_t start, uint64_t stop)

    enum: MC_WINDOW_LEVEL
    ctypedef struct mc_range:
        uint64_t start, size
        unsigned count
        uint8_t node[129 * 64]
    unsigned mc_range_count(uint64_t start, uint64_t size)
    mc_status mc_range_add(const mc_rule *rule, mc_range *range, unsigned level, const uint8_t *node, uint8_t *made,
                           uint32_t isas)
    mc_status mc_range_merge(const mc_rule *rule, mc_range *range, const mc_range *next, uint32_t isas)
    mc_status mc_range_extend(const mc_rule *rule, mc_range *range, const mc_messages *leaves, int hashed,
                              uint32_t isas, unsigned threads)
    mc_status mc_range_window(const mc_rule *rule, mc_range *range, uint8_t *const *level, const mc_messages *leaves,
                              size_t first, size_t n, int hashed, uint8_t *made, uint32_t isas, unsigned threads)
    mc_status mc_range_root(const mc_rule *rule, const mc_range *range, uint8_t *root, uint32_t isas)

    ctypedef struct mc_fault:
        uint32_t code
        int32_t tx
        uint64_t offset
        int64_t a, b
    ctypedef struct mc_faults:
        mc_fault *at
        mc_fault last
        uint64_t count
    ctypedef struct mc_u256:
        uint64_t word[4]
    enum: MC_KEPT_FAULTS, MC_NON_CANONICAL_SIZE, MC_SIZE_TOO_LARGE, MC_TIMES, MC_NEVER_MIND, MC_BITCOIN_ROW
    enum: MC_KNOWS_HEIGHT, MC_KNOWS_PREV_HASH, MC_KNOWS_PERIOD_START, MC_KNOWS_BITS, MC_KNOWS_CHAINWORK
    enum: MC_KNOWS_PERIOD_BITS, MC_KNOWS_REAL_BITS
    ctypedef struct mc_bitcoin:
        mc_u256 pow_limit
        uint64_t bip34_height, bip65_height, bip66_height, csv_height, segwit_height, halving
        int twenty_minutes, no_retarget, bip94, knows_genesis, signet, trivial_challenge
        uint8_t genesis[32]
        uint64_t salt[10]
    ctypedef struct mc_bitcoin_context:
        uint32_t known, n_times
        int64_t height
        uint32_t times[11]
        uint32_t period_start, bits, period_bits, real_bits
        uint8_t prev_hash[32]
        mc_u256 chainwork
    ctypedef struct mc_bitcoin_report:
        mc_faults faults, warnings
        uint32_t unchecked
        int has_header, has_root
        uint8_t block_hash[32]
        uint8_t root[32]
        uint64_t size, tx_count
        mc_bitcoin_context next
    void mc_bitcoin_release(mc_bitcoin_report *report)
    mc_status mc_bitcoin_check(const mc_bitcoin *chain, const uint8_t *data, size_t size,
                               const mc_bitcoin_context *context, int64_t now, mc_bitcoin_report *report,
                               uint32_t isas)
    mc_status mc_bitcoin_check_many(const mc_bitcoin *chain, const mc_span *blocks, const mc_bitcoin_context *contexts,
                                    int64_t now, size_t n, mc_bitcoin_report *reports, uint32_t isas, unsigned threads)
    mc_status mc_bitcoin_headers(const mc_bitcoin *chain, const mc_messages *rows, int64_t now, uint32_t *codes,
                                 uint8_t *hashes, uint8_t *works, uint32_t *unchecked, mc_bitcoin_context *next,
                                 uint32_t isas)
    ctypedef struct mc_bitcoin_block:
        int whole
        uint32_t txs
    mc_status mc_bitcoin_scan(mc_bitcoin_block *block, const uint8_t *data, size_t size, mc_faults *faults)
    void mc_bitcoin_close(mc_bitcoin_block *block)
    mc_status mc_bitcoin_txids(const mc_bitcoin_block *block, uint8_t *txids, uint32_t isas)
    void mc_bitcoin_table(const mc_bitcoin_block *block, uint8_t *rows)

cdef extern from "arrow.h" nogil:
    enum: MC_ARROW_BINARY, MC_ARROW_LARGE_BINARY, MC_ARROW_FIXED, MC_ARROW_VIEWS

    ctypedef enum mc_arrow_status:
        MC_ARROW_OK
        MC_ARROW_FORMAT
        MC_ARROW_DICTIONARY
        MC_ARROW_COLUMNS
        MC_ARROW_EXTENT
        MC_ARROW_SHORT
        MC_ARROW_BUFFERS
        MC_ARROW_NO_BUFFER
        MC_ARROW_NULL_COUNT
        MC_ARROW_NULL
        MC_ARROW_OFFSETS
        MC_ARROW_SIZE
        MC_ARROW_VIEW
        MC_ARROW_BEYOND

    cdef struct ArrowSchema:
        void (*release)(ArrowSchema *) noexcept nogil
    cdef struct ArrowArray:
        void (*release)(ArrowArray *) noexcept nogil
    cdef struct ArrowArrayStream:
        int (*get_schema)(ArrowArrayStream *, ArrowSchema *) noexcept nogil
        int (*get_next)(ArrowArrayStream *, ArrowArray *) noexcept nogil
        const char *(*get_last_error)(ArrowArrayStream *) noexcept nogil
        void (*release)(ArrowArrayStream *) noexcept nogil

    ctypedef struct mc_arrow_fault:
        size_t at
        int64_t a, b
    ctypedef struct mc_arrow_type:
        int kind
        const char *format
    ctypedef struct mc_arrow_values:
        size_t n, width
        const uint8_t *rows
    mc_arrow_status mc_arrow_type_of(const ArrowSchema *schema, mc_arrow_type *type, mc_arrow_fault *fault)
    mc_arrow_status mc_arrow_open(const mc_arrow_type *type, const ArrowArray *array, mc_arrow_values *values,
                                  mc_arrow_fault *fault)
    mc_arrow_status mc_arrow_spans(const mc_arrow_type *type, const mc_arrow_values *values, mc_span *spans,
                                   mc_arrow_fault *fault)
