/* Merkle trees over the batch primitives: siblings, reduction, appending, closing the right edge.
 *
 * Everything stands on one fact: the nodes over 2^k aligned leaves depend on nothing else, whatever the rule for odd
 * levels. So leaves are taken in aligned blocks of 2^BLOCK_LEVEL, each hashed level by level while it lies in the
 * cache, on any thread. What is left at the right edge, one perfect subtree (a peak) for each set bit of the size, is
 * where the rules differ, and mc_close is the only place that knows how. */
#include "merklecore.h"
#include "rule.h"

#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_LEVEL = 12,
    BLOCK = 1 << BLOCK_LEVEL,
    STACK_LEAVES = 128,     /* a tree this small works on the stack */
    BLOCKS_PER_THREAD = 64, /* of a wave: the last of them is all that one thread waits for another */
};

static inline uint64_t first_word(const uint8_t *p) {
    return (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 | (uint64_t)p[2] << 40 | (uint64_t)p[3] << 32 |
           (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 | (uint64_t)p[6] << 8 | (uint64_t)p[7];
}

/* The smaller digest of each pair first, as numbers whose first byte weighs most. Which one it is nobody can predict,
 * so no branch depends on it, but for digests that begin alike; `d` is a constant where it is inlined. */
static inline void sort_pairs(const uint8_t *nodes, size_t pairs, uint8_t *out, const size_t d) {
    for (size_t i = 0; i < pairs; i++, nodes += 2 * d, out += 2 * d) {
        const uint64_t left = first_word(nodes), right = first_word(nodes + d);
        const int after = left != right ? left > right : memcmp(nodes, nodes + d, d) > 0;
        const size_t smaller = (size_t)after * d;
        memcpy(out, nodes + smaller, d);
        memcpy(out + d, nodes + d - smaller, d);
    }
}

static mc_status hash_sorted(const mc_rule *rule, const uint8_t *nodes, size_t pairs, uint8_t *out, uint32_t isas) {
    enum { PASS = 4 * MC_MAX_LANES };
    const size_t d = mc_digest_bytes(rule);
    uint8_t sorted[PASS * 2 * MC_MAX_DIGEST];
    while (pairs > 0) {
        const size_t now = pairs < PASS ? pairs : PASS;
        if (d == 32)
            sort_pairs(nodes, now, sorted, 32);
        else
            sort_pairs(nodes, now, sorted, d);
        mc_status status =
            mc_hash_nodes(rule->hash, rule->node_prefix, rule->node_prefix_bytes, sorted, now, out, isas);
        if (status != MC_OK)
            return status;
        nodes += 2 * now * d;
        out += now * d;
        pairs -= now;
    }
    return MC_OK;
}

mc_status mc_hash_siblings(const mc_rule *rule, const uint8_t *nodes, size_t pairs, uint8_t *out, uint32_t isas) {
    if (rule->sort_pairs)
        return hash_sorted(rule, nodes, pairs, out, isas);
    return mc_hash_nodes(rule->hash, rule->node_prefix, rule->node_prefix_bytes, nodes, pairs, out, isas);
}

mc_status mc_hash_lone(const mc_rule *rule, const uint8_t *node, uint8_t *out, uint32_t isas) {
    const mc_messages one = {.rows = node, .width = mc_digest_bytes(rule), .n = 1};
    return mc_hash_messages(rule->hash, rule->node_prefix, rule->node_prefix_bytes, &one, 0, 1, out, isas);
}

static mc_status hash_pair(const mc_rule *rule, const uint8_t *left, const uint8_t *right, uint8_t *out,
                           uint32_t isas) {
    const size_t d = mc_digest_bytes(rule);
    uint8_t pair[2 * MC_MAX_DIGEST];
    memcpy(pair, left, d);
    memcpy(pair + d, right, d);
    return mc_hash_siblings(rule, pair, 1, out, isas);
}

/* Equal siblings matter where odd levels are duplicated, and only there (CVE-2012-2459). */
static uint64_t equal_siblings(const mc_rule *rule, const uint8_t *nodes, size_t pairs) {
    const size_t d = mc_digest_bytes(rule);
    uint64_t found = 0;
    if (rule->odd == MC_ODD_DUPLICATE)
        for (size_t i = 0; i < pairs; i++, nodes += 2 * d) /* most differ in their first bytes, and need no call */
            found += memcmp(nodes, nodes + d, 8) == 0 && memcmp(nodes, nodes + d, d) == 0;
    return found;
}

mc_status mc_leaf_hashes(const mc_rule *rule, const mc_messages *leaves, size_t first, size_t n, uint8_t *out,
                         uint32_t isas) {
    const size_t d = mc_digest_bytes(rule);
    const uint8_t *prefix = rule->leaf_prefix;
    const size_t prefix_bytes = rule->leaf_prefix_bytes;
    const mc_messages digests = {.rows = out, .width = d, .n = n};
    mc_status status;
    switch (rule->leaf) {
    case MC_LEAF_HASH:
        return mc_hash_messages(rule->hash, prefix, prefix_bytes, leaves, first, n, out, isas);
    case MC_LEAF_HASH_TWICE:
        status = mc_hash_messages(rule->hash, prefix, prefix_bytes, leaves, first, n, out, isas);
        return status != MC_OK ? status : mc_hash_messages(rule->hash, NULL, 0, &digests, 0, n, out, isas);
    case MC_LEAF_HASH_DIGEST:
        status = mc_hash_messages(rule->hash, NULL, 0, leaves, first, n, out, isas);
        return status != MC_OK ? status
                               : mc_hash_messages(rule->hash, prefix, prefix_bytes, &digests, 0, n, out, isas);
    default:
        if (leaves->spans == NULL)
            memcpy(out, leaves->rows + first * d, n * d);
        else
            for (size_t i = 0; i < n; i++)
                memcpy(out + i * d, leaves->spans[first + i].data, d);
        return MC_OK;
    }
}

typedef struct hashing {
    const mc_rule *rule;
    const mc_messages *leaves;
    uint8_t *out;
    uint32_t isas;
} hashing;

static mc_status hash_task(void *context, size_t i, unsigned worker) {
    const hashing *all = context;
    const size_t first = i * BLOCK, n = all->leaves->n - first < BLOCK ? all->leaves->n - first : BLOCK;
    (void)worker;
    return mc_leaf_hashes(all->rule, all->leaves, first, n, all->out + first * mc_digest_bytes(all->rule), all->isas);
}

mc_status mc_leaf_hashes_parallel(const mc_rule *rule, const mc_messages *leaves, int hashed, uint8_t *out,
                                  uint32_t isas, unsigned threads) {
    mc_rule taken = *rule;
    if (hashed)
        taken.leaf = MC_LEAF_AS_IS;
    hashing all = {.rule = &taken, .leaves = leaves, .out = out, .isas = isas};
    return mc_parallel_for((leaves->n + BLOCK - 1) / BLOCK, threads, hash_task, &all);
}

/* ---- the peaks over all leaves --------------------------------------------------------------------------------- */

/* Reduces n <= BLOCK leaves; `scratch` has room for n rows. peak[k] is written where bit k of n is set. */
static mc_status reduce_block(const mc_rule *rule, const mc_messages *leaves, size_t first, size_t n, uint8_t *scratch,
                              uint8_t (*peak)[MC_MAX_DIGEST], uint64_t *equal, uint32_t isas) {
    const size_t d = mc_digest_bytes(rule);
    const uint8_t *nodes = scratch;
    if (rule->leaf == MC_LEAF_AS_IS && leaves->spans == NULL) {
        nodes = leaves->rows + first * d; /* nothing to hash or gather: the first level is read where it stands */
    } else {
        mc_status status = mc_leaf_hashes(rule, leaves, first, n, scratch, isas);
        if (status != MC_OK)
            return status;
    }
    for (unsigned k = 0; n > 0; k++, n >>= 1, nodes = scratch) {
        if (n & 1)
            memcpy(peak[k], nodes + (n - 1) * d, d);
        *equal += equal_siblings(rule, nodes, n / 2);
        mc_status status = mc_hash_siblings(rule, nodes, n / 2, scratch, isas);
        if (status != MC_OK)
            return status;
    }
    return MC_OK;
}

/* Puts the root of the next 2^level leaves behind those in `peaks`, whose size it divides. */
static mc_status add_peak(const mc_rule *rule, mc_peaks *peaks, unsigned level, const uint8_t *node, uint32_t isas) {
    const size_t d = mc_digest_bytes(rule);
    uint8_t carry[MC_MAX_DIGEST];
    unsigned k = level;
    memcpy(carry, node, d);
    for (; peaks->size >> k & 1; k++) {
        peaks->equal_pairs += rule->odd == MC_ODD_DUPLICATE && memcmp(peaks->node[k], carry, d) == 0;
        mc_status status = hash_pair(rule, peaks->node[k], carry, carry, isas);
        if (status != MC_OK)
            return status;
    }
    memcpy(peaks->node[k], carry, d);
    peaks->size += (uint64_t)1 << level;
    return MC_OK;
}

typedef struct reduction {
    const mc_rule *rule;
    const mc_messages *leaves;
    size_t first;
    uint8_t *roots;   /* of the wave's blocks */
    uint8_t *scratch; /* scratch_bytes for each worker */
    size_t scratch_bytes;
    uint64_t *equal; /* of each worker */
    uint32_t isas;
} reduction;

static mc_status reduce_task(void *context, size_t i, unsigned worker) {
    const reduction *all = context;
    const size_t d = mc_digest_bytes(all->rule);
    uint8_t peak[BLOCK_LEVEL + 1][MC_MAX_DIGEST];
    mc_status status = reduce_block(all->rule, all->leaves, all->first + i * BLOCK, BLOCK,
                                    all->scratch + worker * all->scratch_bytes, peak, &all->equal[worker], all->isas);
    memcpy(all->roots + i * d, peak[BLOCK_LEVEL], d);
    return status;
}

/* Whole blocks, in waves, so that memory grows with the threads and not with the leaves. */
static mc_status reduce_blocks(reduction *all, size_t blocks, mc_peaks *peaks, unsigned threads) {
    const size_t d = mc_digest_bytes(all->rule), wave = (size_t)threads * BLOCKS_PER_THREAD;
    mc_status status = MC_OK;
    while (blocks > 0 && status == MC_OK) {
        const size_t now = blocks < wave ? blocks : wave;
        status = mc_parallel_for(now, threads, reduce_task, all);
        for (size_t i = 0; i < now && status == MC_OK; i++)
            status = add_peak(all->rule, peaks, BLOCK_LEVEL, all->roots + i * d, all->isas);
        all->first += now * BLOCK;
        blocks -= now;
    }
    return status;
}

mc_status mc_reduce(const mc_rule *rule, const mc_messages *leaves, int hashed, mc_peaks *peaks, uint32_t isas,
                    unsigned threads) {
    mc_rule taken = *rule;
    if (hashed)
        taken.leaf = MC_LEAF_AS_IS;
    peaks->size = 0;
    peaks->equal_pairs = 0;
    if (leaves->n <= STACK_LEAVES) {
        uint8_t scratch[STACK_LEAVES * MC_MAX_DIGEST];
        peaks->size = leaves->n;
        return reduce_block(&taken, leaves, 0, leaves->n, scratch, peaks->node, &peaks->equal_pairs, isas);
    }
    const size_t d = mc_digest_bytes(rule), blocks = leaves->n / BLOCK, rest = leaves->n % BLOCK;
    uint64_t equal[MC_MAX_THREADS];
    threads = threads > blocks ? (unsigned)blocks : threads;
    threads = threads == 0 ? 1 : threads > MC_MAX_THREADS ? MC_MAX_THREADS : threads;
    memset(equal, 0, threads * sizeof *equal);
    reduction all = {.rule = &taken, .leaves = leaves, .equal = equal, .isas = isas};
    all.scratch_bytes = (blocks > 0 ? BLOCK : rest) * d;
    all.scratch = malloc(threads * all.scratch_bytes);
    all.roots = malloc((size_t)threads * BLOCKS_PER_THREAD * d);
    mc_status status = MC_NO_MEMORY;
    if (all.scratch != NULL && all.roots != NULL)
        status = reduce_blocks(&all, blocks, peaks, threads);
    if (status == MC_OK) { /* the rest is smaller than a block: its peaks stand below all others */
        status = reduce_block(&taken, leaves, blocks * BLOCK, rest, all.scratch, peaks->node, &equal[0], isas);
        peaks->size += rest;
    }
    for (unsigned i = 0; i < threads; i++)
        peaks->equal_pairs += equal[i];
    free(all.roots);
    free(all.scratch);
    return status;
}

/* ---- the right edge -------------------------------------------------------------------------------------------- */

mc_status mc_close(const mc_rule *rule, uint64_t size, const uint8_t *const *peak, mc_edge *edge, uint32_t isas) {
    const size_t d = mc_digest_bytes(rule);
    int open = 0; /* level k ends with edge->node[k], over fewer than 2^k leaves */
    unsigned k = 0;
    edge->present = 0;
    edge->equal_pairs = 0;
    /* until one node is left: an edge node with nothing before it, or a peak that is the whole tree */
    for (; k < 64 && (size >> k) + (uint64_t)open > 1; k++) {
        const uint8_t *last, *sibling = NULL;
        uint8_t *above = edge->node[k + 1];
        if (size >> k & 1) {
            last = peak[k];
            if (open) { /* a peak and the edge are siblings */
                sibling = edge->node[k];
                edge->equal_pairs += rule->odd == MC_ODD_DUPLICATE && memcmp(last, sibling, d) == 0;
            }
        } else if (open) {
            last = edge->node[k];
        } else {
            continue; /* an even level: nothing stands alone */
        }
        if (sibling == NULL && rule->odd == MC_ODD_SPLIT) {
            memcpy(above, last, d);
        } else if (sibling == NULL && rule->odd == MC_ODD_REHASH) {
            mc_status status = mc_hash_lone(rule, last, above, isas);
            if (status != MC_OK)
                return status;
        } else {
            if (sibling == NULL)
                sibling = rule->odd == MC_ODD_DUPLICATE ? last : rule->zeros + k * d;
            mc_status status = hash_pair(rule, last, sibling, above, isas);
            if (status != MC_OK)
                return status;
        }
        open = 1;
        if (k + 1 <= 63)
            edge->present |= (uint64_t)1 << (k + 1);
    }
    memcpy(edge->root, open ? edge->node[k] : peak[k], d);
    for (; (int)k < rule->depth; k++) {
        mc_status status = hash_pair(rule, edge->root, rule->zeros + k * d, edge->root, isas);
        if (status != MC_OK)
            return status;
    }
    return MC_OK;
}

/* ---- appending to kept levels ---------------------------------------------------------------------------------- */

typedef struct extension {
    const mc_rule *rule;
    uint8_t *const *level;
    uint64_t size, end; /* leaves before and after */
    const mc_messages *leaves;
    uint32_t isas;
    uint64_t *equal; /* of each worker */
} extension;

/* Completes the nodes of level k + 1 over leaves [from, to), which begin and end where the level below does. */
static mc_status complete_level(const extension *all, unsigned k, uint64_t from, uint64_t to, uint64_t *equal) {
    const size_t d = mc_digest_bytes(all->rule);
    const uint64_t first = from >> (k + 1), end = to >> (k + 1);
    if (first == end)
        return MC_OK;
    const uint8_t *nodes = all->level[k] + 2 * first * d;
    *equal += equal_siblings(all->rule, nodes, end - first);
    return mc_hash_siblings(all->rule, nodes, end - first, all->level[k + 1] + first * d, all->isas);
}

static mc_status extend_task(void *context, size_t i, unsigned worker) {
    const extension *all = context;
    const size_t d = mc_digest_bytes(all->rule);
    const uint64_t begin = (all->size / BLOCK + i) * BLOCK;
    const uint64_t from = begin > all->size ? begin : all->size;
    const uint64_t to = all->end - begin < BLOCK ? all->end : begin + BLOCK;
    mc_status status =
        mc_leaf_hashes(all->rule, all->leaves, from - all->size, to - from, all->level[0] + from * d, all->isas);
    for (unsigned k = 0; k < BLOCK_LEVEL && all->rule->odd != MC_ODD_HEAP && status == MC_OK; k++)
        status = complete_level(all, k, from, to, &all->equal[worker]);
    return status;
}

mc_status mc_extend(const mc_rule *rule, uint8_t *const *level, uint64_t size, const mc_messages *leaves, int hashed,
                    uint64_t *equal_pairs, uint32_t isas, unsigned threads) {
    mc_rule taken = *rule;
    uint64_t equal[MC_MAX_THREADS];
    if (hashed)
        taken.leaf = MC_LEAF_AS_IS;
    if (leaves->n == 0)
        return MC_OK;
    extension all = {.rule = &taken,
                     .level = level,
                     .size = size,
                     .end = size + leaves->n,
                     .leaves = leaves,
                     .isas = isas,
                     .equal = equal};
    const size_t blocks = (all.end - 1) / BLOCK - size / BLOCK + 1;
    threads = threads == 0 ? 1 : threads > MC_MAX_THREADS ? MC_MAX_THREADS : threads;
    memset(equal, 0, threads * sizeof *equal);
    mc_status status = mc_parallel_for(blocks, threads, extend_task, &all);
    const unsigned top = rule->odd == MC_ODD_HEAP ? BLOCK_LEVEL : 63;
    for (unsigned k = BLOCK_LEVEL; k < top && all.end >> (k + 1) > 0 && status == MC_OK; k++)
        status = complete_level(&all, k, size, all.end, &equal[0]);
    for (unsigned i = 0; i < threads; i++)
        *equal_pairs += equal[i];
    return status;
}
