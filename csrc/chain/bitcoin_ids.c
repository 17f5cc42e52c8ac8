/* Bitcoin: the ids of a block's transactions, and the trees over them (consensus/merkle.cpp; BIP 141).
 *
 * There is a tree of txids and one of wtxids. Below a node under which no transaction has a witness, both are the
 * same, so the second is an overlay on the first: of each level those nodes that differ, in order. Where its author
 * left the witnesses out, a block of tiny transactions costs one tree, not two.
 *
 * Levels are hashed in runs of leaves that stay in the cache. All runs but the last are whole, so the places that have
 * no sibling, which are paired with themselves, are at the end of the last. */
#include "bitcoin.h"

#include <stdlib.h>

enum {
    RUN_LEVELS = 12,
    RUN = 1 << RUN_LEVELS, /* leaves */
    GATHERED = 64,         /* pairs of an overlay that are hashed side by side */
};

static mc_status hash_some(const mc_span *spans, size_t width, size_t n, uint8_t *out, uint32_t isas) {
    const mc_messages messages = {.spans = spans, .width = width, .n = n};
    return n == 0 ? MC_OK : mc_hash_messages(MC_SHA256D, NULL, 0, &messages, 0, n, out, isas);
}

/* Long runs of one length are hashed as such: what a block of small transactions costs is mostly the change of lanes.
 */
static mc_status hash_spans(const mc_span *spans, size_t n, uint8_t *out, uint32_t isas) {
    enum { LONG_RUN = 64 };
    size_t mixed = 0; /* those from here on wait */
    mc_status status = MC_OK;
    for (size_t i = 0, end; i < n && status == MC_OK; i = end) {
        for (end = i + 1; end < n && spans[end].size == spans[i].size;)
            end++;
        if (end - i < LONG_RUN)
            continue;
        status = hash_some(spans + mixed, MC_MIXED, i - mixed, out + 32 * mixed, isas);
        if (status == MC_OK)
            status = hash_some(spans + i, spans[i].size, end - i, out + 32 * i, isas);
        mixed = end;
    }
    return status != MC_OK ? status : hash_some(spans + mixed, MC_MIXED, n - mixed, out + 32 * mixed, isas);
}

/* Bytes without marker, flag and witness of those transactions of [first, end) that have them. */
static size_t bytes_to_copy(const mc_bitcoin_block *block, uint32_t first, uint32_t end) {
    size_t bytes = 0;
    if (block->stripped == block->end)
        return 0;
    for (uint32_t i = first; i < end; i++)
        bytes += block->tx[i].stripped != block->tx[i].size ? block->tx[i].stripped : 0;
    return bytes;
}

/* Double SHA-256 of each transaction without marker, flag and witness: those that have them are copied. The least
 * transactions, which are the dearest by the byte, are hashed by themselves, however they are mixed with others. */
mc_status mc_bitcoin_txids(const mc_bitcoin_block *block, uint8_t *txids, uint32_t isas) {
    enum { WINDOW = 2048 }; /* transactions whose places stay in the nearest cache, and so do those of most blocks */
    const uint32_t width = block->txs < WINDOW ? block->txs : WINDOW;
    const size_t places = 2 * width * sizeof(mc_span);
    const int has_tiny = mc_hashes_tiny(isas);
    uint16_t at[WINDOW]; /* where the tiny ones belong */
    mc_block room = {0};
    mc_status status = MC_OK;
    for (uint32_t first = 0, end; first < block->txs && status == MC_OK; first = end) {
        end = block->txs - first < WINDOW ? block->txs : first + WINDOW;
        status = mc_reserve(&room, 0, places + bytes_to_copy(block, first, end));
        if (status != MC_OK)
            break;
        mc_span *spans = (mc_span *)room.at, *tiny = spans + width;
        uint8_t *to = room.at + places, *ids = txids + 32 * (size_t)first;
        size_t others = 0, tinies = 0;
        for (uint32_t i = first; i < end; i++) {
            const mc_bitcoin_tx *tx = &block->tx[i];
            mc_span span = {block->data + tx->offset, tx->stripped};
            if (tx->stripped != tx->size) {
                const uint8_t *from = span.data;
                span.data = to;
                memcpy(to, from, 4);
                memcpy(to + 4, from + tx->head, tx->stripped - 8);
                memcpy(to + tx->stripped - 4, from + tx->size - 4, 4);
                to += tx->stripped;
            }
            if (has_tiny && mc_is_tiny(tx->stripped)) {
                at[tinies] = (uint16_t)(i - first);
                tiny[tinies++] = span;
            } else {
                spans[others++] = span;
            }
        }
        status = hash_spans(spans, others, ids, isas);
        /* their ids stand at the front; from behind, each moves to its place */
        for (size_t i = end - first, k = others > 0 ? tinies : 0; k > 0 && i-- > 0;)
            if (at[k - 1] == i)
                k--;
            else
                memcpy(ids + 32 * i, ids + 32 * (i - k), 32);
        if (tinies > 0)
            mc_hash_tiny(tiny, at, tinies, ids, isas);
    }
    mc_release(&room);
    return status;
}

/* ---- one level after the other ---------------------------------------------------------------------------------- */

/* The nodes of a level that are not those of the tree below, in the order of their places. */
typedef struct overlay {
    uint32_t n;
    uint32_t *at;
    uint8_t *nodes;
} overlay;

/* Whether the next 2 * GATHERED are siblings without a gap: those are hashed where they stand. */
static inline int are_dense(const overlay *over, uint32_t from) {
    const uint32_t last = 2 * GATHERED - 1;
    return over->n - from > last && over->at[from] % 2 == 0 && over->at[from + last] - over->at[from] == last;
}

/* Pairs a node of the overlay with its sibling: the next one of the overlay, the one of the tree below, or itself.
 * Returns how many it took. */
static inline uint32_t pair_up(const overlay *over, uint32_t from, const uint8_t *nodes, uint32_t width,
                               uint8_t *pair) {
    const uint32_t at = over->at[from], sibling = at ^ 1;
    const uint8_t *node = over->nodes + 32 * (size_t)from;
    if (from + 1 < over->n && over->at[from + 1] == sibling) {
        memcpy(pair, node, 64);
        return 2;
    }
    memcpy(pair + 32 * (at % 2), node, 32);
    memcpy(pair + 32 * (sibling % 2), sibling < width ? nodes + 32 * (size_t)sibling : node, 32);
    return 1;
}

/* The level above, in place. `nodes`: the tree below, `width` of them. */
static mc_status raise_overlay(overlay *over, const uint8_t *nodes, uint32_t width, uint32_t isas) {
    uint32_t to = 0;
    for (uint32_t from = 0; from < over->n;) {
        uint8_t gathered[GATHERED * 64];
        const uint8_t *pairs = gathered;
        uint32_t n = 0;
        if (are_dense(over, from)) {
            pairs = over->nodes + 32 * (size_t)from;
            for (; n < GATHERED; n++, from += 2)
                over->at[to + n] = over->at[from] / 2;
        } else {
            for (; n < GATHERED && from < over->n; n++) {
                const uint32_t at = over->at[from] / 2;
                from += pair_up(over, from, nodes, width, gathered + 64 * n);
                over->at[to + n] = at;
            }
        }
        uint8_t digests[GATHERED * 32];
        mc_status status = mc_hash_nodes(MC_SHA256D, NULL, 0, pairs, n, digests, isas);
        if (status != MC_OK)
            return status;
        memcpy(over->nodes + 32 * (size_t)to, digests, 32 * (size_t)n);
        to += n;
    }
    over->n = to;
    return MC_OK;
}

/* Whether two siblings are equal before any is paired with itself (CVE-2012-2459). */
static int any_equal(const uint8_t *nodes, uint32_t pairs) {
    int equal = 0;
    for (uint32_t i = 0; i < pairs; i++, nodes += 64) /* most differ in their first bytes */
        equal |= mc_le64(nodes) == mc_le64(nodes + 32) && mc_same_id(nodes, nodes + 32);
    return equal;
}

/* Reduces `width` nodes and what lies over them by so many levels. A place behind the last node is written to. `to`:
 * half as many nodes, and one more; may be `nodes`. */
static mc_status reduce(uint8_t *nodes, uint32_t width, unsigned levels, uint8_t *to, overlay *over, int *mutated,
                        uint32_t isas) {
    for (; levels > 0; levels--, nodes = to) {
        *mutated |= any_equal(nodes, width / 2);
        mc_status status = raise_overlay(over, nodes, width, isas);
        if (status != MC_OK)
            return status;
        if (width % 2 != 0)
            memcpy(nodes + 32 * (size_t)width, nodes + 32 * (size_t)(width - 1), 32);
        width = (width + 1) / 2;
        status = mc_hash_nodes(MC_SHA256D, NULL, 0, nodes, width, to, isas);
        if (status != MC_OK)
            return status;
    }
    return MC_OK;
}

/* ---- the trees -------------------------------------------------------------------------------------------------- */

static unsigned levels_over(uint32_t n) {
    unsigned levels = 0;
    while ((uint64_t)1 << levels < n)
        levels++;
    return levels;
}

/* The wtxids of a run that are not txids, with their places: double SHA-256 of all bytes where there is a witness,
 * zero for the coinbase. `left`: transactions with a witness from here on. */
static mc_status hash_witnessed(const mc_bitcoin_block *block, uint32_t first, uint32_t n, uint32_t *left,
                                mc_span *spans, overlay *over, uint32_t isas) {
    const uint32_t zero = first == 0;
    over->n = zero;
    if (zero) {
        over->at[0] = 0;
        memset(over->nodes, 0, 32);
        *left -= (block->tx[0].flags & MC_TX_WITNESS) != 0;
    }
    for (uint32_t i = zero; i < n && *left > 0; i++) {
        const mc_bitcoin_tx *tx = &block->tx[first + i];
        if (!(tx->flags & MC_TX_WITNESS))
            continue;
        spans[over->n - zero] = (mc_span){block->data + tx->offset, tx->size};
        over->at[over->n++] = i;
        --*left;
    }
    return hash_spans(spans, over->n - zero, over->nodes + 32 * zero, isas);
}

mc_status mc_bitcoin_roots(const mc_bitcoin_block *block, uint8_t *txids, uint8_t *root, uint8_t *witness_root,
                           int *mutated, uint32_t isas) {
    const uint32_t n = block->txs, run = n < RUN ? n : RUN, runs = (n + RUN - 1) / RUN;
    const unsigned levels = runs > 1 ? RUN_LEVELS : levels_over(n);
    const size_t wide = witness_root != NULL;
    /* what is over a run, the spans first for their alignment; over the runs, their roots and what is over those */
    const size_t over_run = wide * run * (sizeof(mc_span) + 32 + sizeof(uint32_t));
    const size_t over_runs = wide * runs * (32 + sizeof(uint32_t));
    uint8_t *const room = malloc(over_run + over_runs + 32 * ((size_t)run / 2 + 2) + 32 * ((size_t)runs + 1));
    uint8_t *rest = room;
    if (room == NULL)
        return MC_NO_MEMORY;
    mc_span *spans = mc_cut(&rest, wide * run * sizeof *spans);
    overlay all = {0}, some = {0};
    some.nodes = mc_cut(&rest, wide * run * 32);
    all.nodes = mc_cut(&rest, wide * runs * 32);
    uint8_t *nodes = mc_cut(&rest, 32 * ((size_t)run / 2 + 2)), *roots = mc_cut(&rest, 32 * ((size_t)runs + 1));
    some.at = mc_cut(&rest, wide * run * sizeof *some.at);
    all.at = mc_cut(&rest, wide * runs * sizeof *all.at);
    uint32_t left = block->witnessed;
    mc_status status = MC_OK;
    *mutated = 0;
    for (uint32_t r = 0; r < runs && status == MC_OK; r++) {
        const uint32_t first = r * RUN, width = n - first < RUN ? n - first : RUN;
        uint8_t *ids = txids + 32 * (size_t)first;
        if (wide)
            status = hash_witnessed(block, first, width, &left, spans, &some, isas);
        if (status == MC_OK)
            status = reduce(ids, width, levels, nodes, &some, mutated, isas);
        memcpy(roots + 32 * (size_t)r, levels > 0 ? nodes : ids, 32);
        if (some.n > 0) { /* all that is left of it: one node over the run's root */
            memcpy(all.nodes + 32 * (size_t)all.n, some.nodes, 32);
            all.at[all.n++] = r;
        }
    }
    if (status == MC_OK)
        status = reduce(roots, runs, levels_over(runs), roots, &all, mutated, isas);
    memcpy(root, roots, 32);
    if (wide)
        memcpy(witness_root, all.nodes, 32);
    free(room);
    return status;
}
