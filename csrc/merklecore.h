/* merklecore: the C API of floor 0.
 *
 * No Python here, no mutable state but one table that is made once (isa/sha256_ni.c), no allocation on hot paths:
 * callers own every buffer. Every function that can fail returns an mc_status. Which kernels may serve a call is an
 * argument (`isas`, a set of MC_ISA_* bits), so that the choice is made, and tested, in one place above.
 *
 * Shapes: `n` messages or nodes, `d` the digest size in bytes. Nodes are rows of d bytes without gaps; a pair is two
 * neighbouring rows. Output never overlaps input unless a function says that it may.
 */
#ifndef MERKLECORE_H
#define MERKLECORE_H

#include <stddef.h>
#include <stdint.h>

#define MC_MAX_DIGEST 64 /* bytes of the longest digest: SHA-512 */
#define MC_MAX_BLOCK 144 /* bytes of the longest message block: the rate of SHA3-224 */
#define MC_MAX_LANES 16
#define MC_MAX_DEPTH 64 /* levels above the leaves: sizes are below 2^64 */
#define MC_MAX_THREADS 1024

typedef enum mc_status {
    MC_OK = 0,
    MC_NO_KERNEL,   /* no row of the table serves this hash and shape on the allowed instruction sets */
    MC_NO_MEMORY,   /* a work buffer could not be had */
    MC_BAD_INDEX,   /* index not below size, or size above the limit of the tree */
    MC_BAD_COUNT,   /* a path with more or fewer hashes than the place needs */
    MC_BAD_SIBLING, /* two equal siblings, or an unequal copy of a lone node (odd levels duplicated) */
    MC_BAD_ZERO,    /* a sibling beyond the end that is not the zero subtree (odd levels padded) */
} mc_status;

/* ---- cpu.c: what this CPU and operating system can run ------------------------------------------------------- */

typedef struct mc_feature {
    const char *name;
    uint32_t bit;
} mc_feature;

/* An instruction set is a kernel's name and the feature it needs: one set of bits serves both. */
enum {
    MC_ISA_PORTABLE = 1,
    MC_ISA_AVX2 = 2,
    MC_ISA_SHANI = 4,
    MC_ISA_AVX512 = 8,
    MC_ISA_ALL = 15,
    /* not an instruction set but a fact that decides the order: sha256rnds2 starts every cycle, not every second or
     * third, so that four messages side by side on SHA-NI beat two, and a pass of AVX-512 with lanes idle; needs AVX2
     */
    MC_FAST_SHA = 16,
};

extern const mc_feature mc_features[]; /* ends with a NULL name */
uint32_t mc_cpu_features(void);        /* bits of the enum; MC_ISA_PORTABLE is always among them */
void mc_cpu_brand(char text[49]);      /* the CPU's own name, or an empty string */

/* ---- hashes --------------------------------------------------------------------------------------------------- */

enum {
    MC_SHA256,
    MC_SHA256D,
    MC_SHA512,
    MC_SHA3_256,
    MC_KECCAK256,
    MC_SM3,
    MC_BLAKE3,
    MC_BLAKE2B_256,
    MC_HASHES,
};

typedef struct mc_hash {
    const char *name;
    uint8_t digest_bytes;
    uint8_t block_bytes;
    uint8_t word_bytes;  /* of a state word: 4 or 8 */
    uint8_t state_words; /* at most 25 */
    uint8_t pad_bytes;   /* the fewest that padding adds */
    const void *initial; /* state_words words in the machine's order */
    /* Ends a message: writes padding behind the `used` bytes that stand in `tail`, for a message of `total` bytes, and
     * returns the blocks to compress (1 or 2). `tail` has room for two blocks. `used` is less than block_bytes, or at
     * most that where the last block of a message is marked. */
    size_t (*pad)(uint8_t *tail, size_t used, uint64_t total);
    void (*digest)(const void *words, uint8_t *out);
    /* Where the last block of a message is marked: tells the state how many bytes are to come. NULL elsewhere. */
    void (*expect)(void *words, uint64_t bytes);
    size_t chunk_bytes; /* a longer message is cut into chunks of so many (BLAKE3); 0: none is */
    int twice;          /* the digest is hashed once more: Bitcoin's double SHA-256 */
} mc_hash;

extern const mc_hash mc_hashes[MC_HASHES];

/* ---- kernels.c: the table -------------------------------------------------------------------------------------- */

enum { MC_NODE, MC_PREFIXED_NODE, MC_MESSAGES, MC_SHAPES };

/* n pairs -> n digests; `out` may be `in`. The prefix byte is for MC_PREFIXED_NODE. */
typedef void (*mc_node_fn)(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix);

/* n nodes, one above the other: each time digest = H(prefix, digest, sibling), or, where is_left[i] is 1 and not 0,
 * H(prefix, sibling, digest). The siblings are rows. */
typedef void (*mc_climb_fn)(uint8_t *digest, const uint8_t *siblings, const uint8_t *is_left, size_t n,
                            uint8_t prefix);

typedef struct mc_span {
    const uint8_t *data;
    size_t size;
} mc_span;

/* Lanes side by side: word w of lane l stands at state + w * word_stride + l * lane_stride bytes, 64-byte aligned. */
typedef struct mc_lanes {
    size_t word_stride, lane_stride;
    void (*compress)(void *state, const uint8_t *const *blocks, size_t n); /* n blocks from each lane's pointer */
    void (*digests)(const void *state, uint8_t *out);                      /* all lanes, rows of d bytes */
    /* n rows of d bytes behind a prefix of one byte, or behind nothing -> n digests, where n is a multiple of the
     * lanes; `out` may be `in`. NULL where the two above are as quick. */
    void (*rows)(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix);
    void (*bare_rows)(const uint8_t *in, size_t n, uint8_t *out);
    void (*digests_twice)(const void *state, uint8_t *out); /* their digests; where a hash is `twice` */
    /* One block that is the same in all lanes but for its first 16 bytes, with zeros in [20, 60): the end of messages
     * of one length. NULL: no faster. */
    void (*compress_end)(void *state, const uint8_t *const *blocks);
    /* Where a hash is `twice`, from a message a lane to its digest without a stop: messages of MC_HEADER_BYTES; of
     * MC_LEAST_TINY to MC_MOST_TINY bytes, each its own. NULL: no faster. */
    void (*headers_twice)(const uint8_t *const *messages, uint8_t *out);
    void (*tiny_twice)(const mc_span *messages, uint8_t *out);
} mc_lanes;
enum { MC_HEADER_BYTES = 80, MC_LEAST_TINY = 8, MC_MOST_TINY = 15 };

typedef struct mc_kernel {
    uint32_t isa;        /* one MC_ISA_* bit, the kernel's name; 0 ends a list */
    uint32_t needs;      /* the bits that must be allowed, `isa` among them */
    unsigned lanes;      /* nodes or messages in one pass */
    unsigned pays_from;  /* the fewest that are worth a pass */
    mc_node_fn nodes;    /* MC_NODE, MC_PREFIXED_NODE */
    const mc_lanes *run; /* MC_MESSAGES */
    mc_climb_fn climb;   /* MC_NODE, MC_PREFIXED_NODE; NULL where `nodes` is as quick for one */
} mc_kernel;

#define MC_MAX_KERNELS 10 /* rows, the one that ends a list among them */
extern const mc_kernel mc_kernels[MC_HASHES][MC_SHAPES][MC_MAX_KERNELS]; /* best first */

const mc_kernel *mc_pick(int hash, int shape, size_t n, uint32_t isas); /* NULL where none is allowed */
uint32_t mc_self_test(int hash, uint32_t isas);                         /* the MC_ISA_* bits that pass */

/* ---- nodes and messages ---------------------------------------------------------------------------------------- */

/* n messages: spans, or rows of `width` bytes without gaps where `spans` is NULL. */
typedef struct mc_messages {
    const mc_span *spans;
    const uint8_t *rows;
    size_t width; /* of every message, spans too; MC_MIXED where they differ */
    size_t n;
} mc_messages;
#define MC_MIXED SIZE_MAX

/* out[i] = H(prefix, nodes[2i], nodes[2i + 1]) for i < n; `out` may be `nodes`. */
mc_status mc_hash_nodes(int hash, const uint8_t *prefix, size_t prefix_bytes, const uint8_t *nodes, size_t n,
                        uint8_t *out, uint32_t isas);
/* out[i] = H(prefix, message[first + i]) for i < n; rows of d bytes may be hashed in place. */
mc_status mc_hash_messages(int hash, const uint8_t *prefix, size_t prefix_bytes, const mc_messages *messages,
                           size_t first, size_t n, uint8_t *out, uint32_t isas);
/* Double SHA-256 of n tiny messages: out[at[i]], where `at` rises. Only where mc_hashes_tiny says that a kernel is
 * faster at that than mc_hash_messages. */
int mc_hashes_tiny(uint32_t isas);
void mc_hash_tiny(const mc_span *messages, const uint16_t *at, size_t n, uint8_t *out, uint32_t isas);
static inline int mc_is_tiny(size_t bytes) { return bytes >= MC_LEAST_TINY && bytes <= MC_MOST_TINY; }
/* BLAKE3 of one message of more than a chunk, prefix included, its chunks side by side. */
mc_status mc_hash_chunks(const uint8_t *prefix, size_t prefix_bytes, const uint8_t *data, size_t size, uint8_t *out,
                         uint32_t isas);

/* The same of a message that comes in groups of chunks: all but the last are of MC_GROUP_BYTES. */
enum { MC_GROUP_BYTES = 1 << 16 };
typedef struct mc_chunks { /* the perfect subtrees over the chunks so far, one for each set bit of their number */
    uint64_t chunks;
    uint8_t peak[64][32];
} mc_chunks;
void mc_chunks_add(mc_chunks *tree, const uint8_t *group, uint32_t isas);
void mc_chunks_end(const mc_chunks *tree, const uint8_t *data, size_t bytes, uint8_t *out, uint32_t isas);

mc_status mc_hash_one(int hash, const uint8_t *data, size_t size, uint8_t *out, uint32_t isas);

/* The same on `threads` threads; the result does not depend on their number. */
mc_status mc_hash_nodes_parallel(int hash, const uint8_t *prefix, size_t prefix_bytes, const uint8_t *nodes, size_t n,
                                 uint8_t *out, uint32_t isas, unsigned threads);
mc_status mc_hash_messages_parallel(int hash, const uint8_t *prefix, size_t prefix_bytes, const mc_messages *messages,
                                    uint8_t *out, uint32_t isas, unsigned threads);

/* ---- incremental.c --------------------------------------------------------------------------------------------- */

typedef struct mc_stream { /* a message that comes piece by piece; a copy needs a room of its own */
    int hash;
    uint8_t words[25 * 8] __attribute__((aligned(8)));
    uint64_t total;
    size_t used;   /* bytes that wait in the room */
    uint8_t *room; /* the caller's, mc_stream_room(hash) bytes */
    mc_chunks tree;
} mc_stream;
size_t mc_stream_room(int hash);
void mc_stream_begin(mc_stream *stream, int hash, uint8_t *room);
mc_status mc_stream_update(mc_stream *stream, const uint8_t *data, size_t size, uint32_t isas);
mc_status mc_stream_digest(const mc_stream *stream, uint8_t *out, uint32_t isas);

/* ---- streams.c ------------------------------------------------------------------------------------------------- */

/* streams[i] takes pieces[i], side by side: at most MC_MAX_LANES streams, of one hash. */
mc_status mc_streams_update(mc_stream *const *streams, const mc_span *pieces, size_t n, uint32_t isas);

/* ---- parallel.c ------------------------------------------------------------------------------------------------ */

/* Calls task(context, i, worker) once for each i < n, on at most `threads` threads, the caller's among them; `worker`
 * (< threads) is the same in one thread only, for buffers of its own. Returns the status of the lowest i that did not
 * return MC_OK. Threads live for the call only, so a fork finds none. */
typedef mc_status (*mc_task)(void *context, size_t i, unsigned worker);
mc_status mc_parallel_for(size_t n, unsigned threads, mc_task task, void *context);

/* ---- files.c --------------------------------------------------------------------------------------------------- */

/* out[i] = H(content of the file paths[i]), and failed[i] = 0; or failed[i] is the errno that kept it from being read,
 * and out[i] is undefined. The result does not depend on the number of threads. Where `done` is not NULL, the bytes
 * read are added to it as they come, for another thread to look at. */
mc_status mc_hash_files(int hash, const char *const *paths, size_t n, uint8_t *out, int *failed, uint64_t *done,
                        uint32_t isas, unsigned threads);

/* ---- memory.c ------------------------------------------------------------------------------------------------- */

/* Gives *block room for `bytes`, keeping its first `kept` bytes; it may move. Large blocks lie on huge pages where the
 * system has them: half the time of building a tree would otherwise go into page faults. */
typedef struct mc_block {
    uint8_t *at; /* 64-byte aligned; NULL while empty */
    size_t bytes;
} mc_block;
mc_status mc_reserve(mc_block *block, size_t kept, size_t bytes);
void mc_release(mc_block *block);

/* ---- merkle.c: trees ------------------------------------------------------------------------------------------- */

enum { MC_LEAF_HASH, MC_LEAF_HASH_TWICE, MC_LEAF_HASH_DIGEST, MC_LEAF_AS_IS }; /* H(p,x) H(H(p,x)) H(p,H(x)) x */
enum {
    MC_ODD_SPLIT,     /* a lone node rises */
    MC_ODD_DUPLICATE, /* it is paired with itself */
    MC_ODD_PAD,       /* with a zero subtree */
    MC_ODD_REHASH,    /* it is hashed alone */
    MC_ODD_HEAP,      /* there are no levels: see heap.c */
};

typedef struct mc_rule { /* how a tree hashes: a profile in C */
    int hash, leaf, odd;
    int sort_pairs; /* the smaller of two siblings is hashed first */
    int depth;      /* MC_ODD_PAD: levels of the whole tree where it has a limit; -1 without one */
    const uint8_t *leaf_prefix, *node_prefix;
    size_t leaf_prefix_bytes, node_prefix_bytes;
    const uint8_t *zeros; /* MC_ODD_PAD: root of the zero subtree of each level, MC_MAX_DEPTH + 1 rows of d bytes */
} mc_rule;

/* Parents of `pairs` pairs of siblings, as mc_hash_nodes; of a node that is hashed alone (MC_ODD_REHASH). */
mc_status mc_hash_siblings(const mc_rule *rule, const uint8_t *nodes, size_t pairs, uint8_t *out, uint32_t isas);
mc_status mc_hash_lone(const mc_rule *rule, const uint8_t *node, uint8_t *out, uint32_t isas);

mc_status mc_leaf_hashes(const mc_rule *rule, const mc_messages *leaves, size_t first, size_t n, uint8_t *out,
                         uint32_t isas);

/* All of level 0, on `threads` threads. */
mc_status mc_leaf_hashes_parallel(const mc_rule *rule, const mc_messages *leaves, int hashed, uint8_t *out,
                                  uint32_t isas, unsigned threads);

/* The perfect subtrees that stand over `size` leaves, one for each set bit of it: all that a root needs. */
typedef struct mc_peaks {
    uint64_t size;
    uint64_t equal_pairs; /* equal siblings met; counted where odd levels are duplicated */
    uint8_t node[MC_MAX_DEPTH + 1][MC_MAX_DIGEST];
} mc_peaks;

/* The peaks over all `leaves`, in memory that does not grow with their number but with the threads'. */
mc_status mc_reduce(const mc_rule *rule, const mc_messages *leaves, int hashed, mc_peaks *peaks, uint32_t isas,
                    unsigned threads);

/* A tree's right edge: at each level, the last node if it is not the root of a perfect subtree. */
typedef struct mc_edge {
    uint64_t present; /* bit k: level k has an edge node */
    uint64_t equal_pairs;
    uint8_t node[MC_MAX_DEPTH + 1][MC_MAX_DIGEST];
    uint8_t root[MC_MAX_DIGEST];
} mc_edge;

/* Closes a tree of size > 0 leaves over its peaks (peak[k] is read where bit k of size is set). Not for a heap, nor is
 * mc_reduce. */
mc_status mc_close(const mc_rule *rule, uint64_t size, const uint8_t *const *peak, mc_edge *edge, uint32_t isas);

/* Levels in flat arrays: level[k] holds size >> k rows, with room for the new ones. Appends leaves and completes
 * every node that they complete; adds the equal siblings met to *equal_pairs. Of a heap there is level 0 alone. */
mc_status mc_extend(const mc_rule *rule, uint8_t *const *level, uint64_t size, const mc_messages *leaves, int hashed,
                    uint64_t *equal_pairs, uint32_t isas, unsigned threads);

/* ---- heap.c: MC_ODD_HEAP --------------------------------------------------------------------------------------- */

/* The n - 1 inner nodes over n leaf hashes, in the order in which they are made: the root is the last one. */
mc_status mc_heap(const mc_rule *rule, const uint8_t *leaves, size_t n, uint8_t *inner, uint32_t isas,
                  unsigned threads);

/* The root over n > 0 leaves. Beyond them it takes the memory of all nodes: those over two leaves come first. */
mc_status mc_heap_root(const mc_rule *rule, const mc_messages *leaves, int hashed, uint8_t *root, uint32_t isas,
                       unsigned threads);

/* ---- proofs.c -------------------------------------------------------------------------------------------------- */

/* A step of a path: what the node on the way meets. Node `place` of `level` is the sibling. In a heap level 0 holds
 * the leaves and level 1 all others, in the order in which they are hashed. */
typedef struct mc_step {
    uint64_t place;
    uint8_t level;
    uint8_t side;
} mc_step;
enum {
    MC_SIBLING_RIGHT,
    MC_SIBLING_LEFT,
    MC_SIBLING_COPY,  /* a lone node met with itself */
    MC_SIBLING_ZERO,  /* the zero subtree beyond the end */
    MC_SIBLING_NONE,  /* a lone node is hashed alone: the step has no hash in the path */
    MC_SIBLING_KNOWN, /* of several leaves: computed as well */
    MC_SIBLING_RISES, /* of several leaves: a lone node that goes up unhashed */
};

/* All nodes of a tree of `size` leaves: level[k] holds the complete ones, `edge` the others. */
typedef struct mc_kept {
    const uint8_t *level[MC_MAX_DEPTH];
    const mc_edge *edge;
    uint64_t size;
} mc_kept;

/* How a path leads from leaf `index` < `size` to the root; and the hashes that it has. A heap has at most 2^63 leaves.
 */
mc_status mc_plan(const mc_rule *rule, uint64_t index, uint64_t size, mc_step steps[MC_MAX_DEPTH], size_t *count);
size_t mc_path_count(const mc_rule *rule, uint64_t index, uint64_t size);

/* The hashes of that path; of the paths of n leaves, where offset[i] says before how many rows path i begins. */
void mc_path(const mc_rule *rule, const mc_kept *kept, uint64_t index, uint8_t *out);
void mc_paths(const mc_rule *rule, const mc_kept *kept, const uint64_t *indices, size_t n, const int64_t *offset,
              uint8_t *out);

/* Folds a leaf hash along the mc_path_count hashes of its path into a root. Where one is refused, *fault is its
 * position, *at its step. */
mc_status mc_fold(const mc_rule *rule, const uint8_t *leaf_hash, const uint8_t *path, uint64_t index, uint64_t size,
                  uint8_t *root, size_t *fault, mc_step *at, uint32_t isas);

/* RFC 6962 section 2.1.2, for 0 < old <= size: the hashes of PROOF(old, D[size]) and, from them, both roots. */
size_t mc_consistency_count(uint64_t old, uint64_t size);
void mc_consistency(const mc_rule *rule, const mc_kept *kept, uint64_t old, uint8_t *out);
mc_status mc_fold_consistency(const mc_rule *rule, const uint8_t *path, uint64_t old, uint64_t size,
                              const uint8_t *old_root, uint8_t *old_found, uint8_t *new_found, uint32_t isas);

/* ---- sets.c: proofs of several leaves ----------------------------------------------------------------------------
 */

/* What the root over n > 0 leaves at ascending `places` needs besides them: *hashes rows, written to `out` from `kept`
 * where that is not NULL; *pairs siblings meet, and flags[i], where not NULL, is whether both of pair i are known.
 * `places` is overwritten. */
mc_status mc_set_plan(const mc_rule *rule, uint64_t size, uint64_t *places, size_t n, const mc_kept *kept,
                      uint8_t *out, size_t *hashes, uint8_t *flags, size_t *pairs);

/* The hashes that leaves [first, last] need, last < size, in the same order: in O(log size), for only the ends of
 * contiguous nodes have siblings that are none of them. */
size_t mc_range_plan(const mc_rule *rule, uint64_t size, uint64_t first, uint64_t last, const mc_kept *kept,
                     uint8_t *out);

/* Folds their leaf hashes, n rows in `nodes`, with the hashes that mc_set_plan counts into the first row of `nodes`.
 * Both arrays are overwritten. Where two siblings are refused, *at is the right one. */
mc_status mc_set_fold(const mc_rule *rule, uint64_t size, uint64_t *places, uint8_t *nodes, size_t n,
                      const uint8_t *hashes, mc_step *at, uint32_t isas);

/* ---- verify.c: many inclusion proofs under one root ---------------------------------------------------------------
 */

typedef struct mc_proofs {
    uint64_t size;
    size_t n;
    const uint64_t *index; /* each below size */
    const uint8_t *leaf;   /* leaf hashes, n rows */
    const int64_t *offset; /* n + 1, ascending: the path of proof i is rows [offset[i], offset[i + 1]) */
    const uint8_t *hashes;
    const uint8_t *root;
} mc_proofs;

/* fails[i] = whether proof i does not hold, exactly as if each were folded alone. */
mc_status mc_verify_many(const mc_rule *rule, const mc_proofs *proofs, uint8_t *fails, uint32_t isas);

/* ---- updates.c ------------------------------------------------------------------------------------------------- */

typedef struct mc_change {
    uint64_t index; /* of the leaf in the tree */
    size_t from;    /* of what replaces it */
} mc_change;

/* Ascending by index, all below `size`; changes of one index stay in their order. */
mc_status mc_sort_changes(mc_change *changes, size_t n, uint64_t size);

/* Replaces leaves of kept levels by the leaf hashes `fresh`, and every complete node above them; no index twice,
 * ascending. Keeps *equal_pairs right. Of a heap it replaces the leaves alone. */
mc_status mc_update(const mc_rule *rule, uint8_t *const *level, uint64_t size, const mc_change *changes, size_t n,
                    const uint8_t *fresh, uint64_t *equal_pairs, uint32_t isas, unsigned threads);

/* Equal siblings that the nodes completed between two sizes stand over; counted where odd levels are duplicated. */
uint64_t mc_equal_between(const mc_rule *rule, uint8_t *const *level, uint64_t from, uint64_t to);

/* ---- ranges.c -------------------------------------------------------------------------------------------------- */

/* The fewest perfect subtrees over leaves [start, start + size), left to right, in rows of d bytes. */
typedef struct mc_range {
    uint64_t start, size; /* their sum is below 2^64 */
    unsigned count;
    uint8_t node[(2 * MC_MAX_DEPTH + 1) * MC_MAX_DIGEST];
} mc_range;

/* How many they are. */
unsigned mc_range_count(uint64_t start, uint64_t size);

/* Puts the root of the next 2^level leaves behind a range, whose end it divides, and joins siblings. Where `made` is
 * not NULL, the nodes that this completes are written there, one a level from level + 1 on. After a failure the range
 * is undefined, here and below: work on a copy. */
mc_status mc_range_add(const mc_rule *rule, mc_range *range, unsigned level, const uint8_t *node, uint8_t *made,
                       uint32_t isas);

/* Puts a range behind another, which ends where it starts. */
mc_status mc_range_merge(const mc_rule *rule, mc_range *range, const mc_range *next, uint32_t isas);

mc_status mc_range_extend(const mc_rule *rule, mc_range *range, const mc_messages *leaves, int hashed, uint32_t isas,
                          unsigned threads);

/* The same for leaves [first, first + n) that end in the window of 2^MC_WINDOW_LEVEL aligned leaves in which they
 * begin, with all nodes kept: level[k], 2^(MC_WINDOW_LEVEL - k) rows for the window's nodes of level k <=
 * MC_WINDOW_LEVEL, readable throughout. Nodes above it that are completed go to `made`. */
enum { MC_WINDOW_LEVEL = 14 };
mc_status mc_range_window(const mc_rule *rule, mc_range *range, uint8_t *const *level, const mc_messages *leaves,
                          size_t first, size_t n, int hashed, uint8_t *made, uint32_t isas, unsigned threads);

/* The root of a range with start 0 and size > 0, under any rule but MC_ODD_HEAP. */
mc_status mc_range_root(const mc_rule *rule, const mc_range *range, uint8_t *root, uint32_t isas);

#include "chain/blocks.h"

#endif
