/* Inside the core: what follows from a rule alone. What a node meets on its way up is known here and nowhere else, for
 * one leaf and for many. */
#ifndef MC_RULE_H
#define MC_RULE_H

#include "merklecore.h"

static inline size_t mc_digest_bytes(const mc_rule *rule) { return mc_hashes[rule->hash].digest_bytes; }

/* The last node of a level; level 64 is that of the largest roots, and no shift reaches it. */
static inline uint64_t mc_last_of(uint64_t size, unsigned level) { return level < 64 ? (size - 1) >> level : 0; }

/* An MC_SIBLING_* for node `at` of a level whose last node is `last`, or for a place in the queue of a heap (see
 * proofs.c), of which the odd one of two siblings is the left child. The root meets nothing and is not asked for. */
static inline unsigned mc_side(const mc_rule *rule, uint64_t at, uint64_t last) {
    if (rule->odd == MC_ODD_HEAP)
        return at & 1 ? MC_SIBLING_RIGHT : MC_SIBLING_LEFT;
    if (at & 1)
        return MC_SIBLING_LEFT;
    if (at < last)
        return MC_SIBLING_RIGHT;
    switch (rule->odd) {
    case MC_ODD_SPLIT:
        return MC_SIBLING_RISES;
    case MC_ODD_DUPLICATE:
        return MC_SIBLING_COPY;
    case MC_ODD_PAD:
        return MC_SIBLING_ZERO;
    default:
        return MC_SIBLING_NONE;
    }
}

#endif
