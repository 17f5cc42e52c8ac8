/* Compact ranges: the fewest perfect subtrees that stand over neighbouring leaves [start, start + size), in order.
 *
 * From an unaligned start they grow, towards the end they shrink; there are never more than two of a level. What is
 * put behind them joins its left neighbour as long as the two are siblings, which is as long as its own index is odd
 * and the neighbour begins in the range. The last node stands at the end of the array, so siblings lie side by side.
 */
#include "merklecore.h"
#include "rule.h"

#include <stdlib.h>
#include <string.h>

/* Level of the largest subtree that begins at leaf `at` and ends at `end` or before. */
static unsigned level_at(uint64_t at, uint64_t end) {
    const unsigned fits = 63 - (unsigned)__builtin_clzll(end - at);
    const unsigned aligned = at == 0 ? 64 : (unsigned)__builtin_ctzll(at);
    return aligned < fits ? aligned : fits;
}

static mc_messages slice(const mc_messages *leaves, size_t first, size_t n) {
    mc_messages part = *leaves;
    part.n = n;
    if (part.spans != NULL)
        part.spans += first;
    else
        part.rows += first * part.width;
    return part;
}

mc_status mc_range_add(const mc_rule *rule, mc_range *range, unsigned level, const uint8_t *node, uint8_t *made,
                       uint32_t isas) {
    const size_t d = mc_digest_bytes(rule);
    uint64_t index = (range->start + range->size) >> level;
    uint8_t *last = range->node + range->count * d;
    memcpy(last, node, d);
    range->size += (uint64_t)1 << level;
    for (; index & 1 && (index - 1) << level >= range->start; level++, index >>= 1) {
        last -= d;
        mc_status status = mc_hash_siblings(rule, last, 1, last, isas);
        if (status != MC_OK)
            return status;
        if (made != NULL) {
            memcpy(made, last, d);
            made += d;
        }
    }
    range->count = (unsigned)((size_t)(last - range->node) / d) + 1;
    return MC_OK;
}

unsigned mc_range_count(uint64_t start, uint64_t size) {
    unsigned count = 0;
    for (uint64_t at = start; at < start + size; count++)
        at += (uint64_t)1 << level_at(at, start + size);
    return count;
}

mc_status mc_range_merge(const mc_rule *rule, mc_range *range, const mc_range *next, uint32_t isas) {
    const uint64_t end = next->start + next->size;
    const uint8_t *node = next->node;
    mc_status status = MC_OK;
    for (uint64_t at = next->start; at < end && status == MC_OK; node += mc_digest_bytes(rule)) {
        const unsigned level = level_at(at, end);
        status = mc_range_add(rule, range, level, node, NULL, isas);
        at += (uint64_t)1 << level;
    }
    return status;
}

mc_status mc_range_extend(const mc_rule *rule, mc_range *range, const mc_messages *leaves, int hashed, uint32_t isas,
                          unsigned threads) {
    const uint64_t end = range->start + range->size + leaves->n;
    mc_peaks peaks;
    for (size_t done = 0; done < leaves->n;) {
        const unsigned level = level_at(range->start + range->size, end);
        const mc_messages part = slice(leaves, done, (size_t)1 << level);
        mc_status status = mc_reduce(rule, &part, hashed, &peaks, isas, threads);
        if (status == MC_OK)
            status = mc_range_add(rule, range, level, peaks.node[level], NULL, isas);
        if (status != MC_OK)
            return status;
        done += part.n;
    }
    return MC_OK;
}

mc_status mc_range_window(const mc_rule *rule, mc_range *range, uint8_t *const *level, const mc_messages *leaves,
                          size_t first, size_t n, int hashed, uint8_t *made, uint32_t isas, unsigned threads) {
    const size_t d = mc_digest_bytes(rule);
    const uint64_t end = range->start + range->size, base = end >> MC_WINDOW_LEVEL << MC_WINDOW_LEVEL;
    const uint64_t inside = base > range->start ? base : range->start;
    const mc_messages part = slice(leaves, first, n);
    uint64_t equal = 0;
    const uint8_t *node = range->node;
    unsigned kept = 0, k;
    /* what the range has in the window goes to its place there */
    for (uint64_t at = range->start; at < end; at += (uint64_t)1 << k, node += d) {
        k = level_at(at, end);
        if (at < base)
            kept++;
        else
            memcpy(level[k] + (size_t)((at - base) >> k) * d, node, d);
    }
    range->count = kept;
    range->size = inside - range->start;
    mc_status status = mc_extend(rule, level, end - base, &part, hashed, &equal, isas, threads);
    /* and comes back with what was added */
    for (uint64_t at = inside; at < end + n && status == MC_OK; at += (uint64_t)1 << k) {
        k = level_at(at, end + n);
        status = mc_range_add(rule, range, k, level[k] + (size_t)((at - base) >> k) * d, made, isas);
    }
    return status;
}

mc_status mc_range_root(const mc_rule *rule, const mc_range *range, uint8_t *root, uint32_t isas) {
    const uint8_t *peak[64] = {NULL}, *node = range->node;
    mc_edge edge;
    for (unsigned k = 64; k-- > 0;)
        if (range->size >> k & 1) {
            peak[k] = node;
            node += mc_digest_bytes(rule);
        }
    mc_status status = mc_close(rule, range->size, peak, &edge, isas);
    if (status == MC_OK)
        memcpy(root, edge.root, mc_digest_bytes(rule));
    return status;
}
