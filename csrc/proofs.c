/* Proofs of one leaf and of consistency: which nodes one needs, and the root that it folds to.
 *
 * On the way up from leaf `index` the node of level k is index >> k, and what it meets there follows from index and
 * size alone: a left or a right sibling, or, at the end of an odd level, what the rule says. The last node of level k
 * is (size - 1) >> k; from the level on where the way has become the right edge, it is the last node itself.
 *
 * A heap (MC_ODD_HEAP) is hashed as a queue: leaves 0 to n - 1, then node n + m from 2m and 2m + 1, of which the odd
 * one is the left child; the last, 2n - 2, is the root. */
#include "merklecore.h"
#include "rule.h"

#include <string.h>

static inline unsigned bits(uint64_t x) { return x == 0 ? 0 : 64 - (unsigned)__builtin_clzll(x); }

/* ---- plans ------------------------------------------------------------------------------------------------------ */

/* The way up from node `index` of `level`, where odd levels are closed one by one. */
static size_t plan_levels(const mc_rule *rule, unsigned level, uint64_t index, uint64_t size, mc_step *steps) {
    uint64_t at = index, last = (size - 1) >> level;
    size_t count = 0;
    for (unsigned k = level; last > 0 || (int)k < rule->depth; k++, at >>= 1, last >>= 1) {
        const unsigned side = mc_side(rule, at, last);
        if (side == MC_SIBLING_RISES)
            continue;
        steps[count++] =
            (mc_step){.place = side == MC_SIBLING_COPY ? at : at ^ 1, .level = (uint8_t)k, .side = (uint8_t)side};
    }
    return count;
}

static size_t plan_heap(const mc_rule *rule, uint64_t index, uint64_t size, mc_step *steps) {
    size_t count = 0;
    for (uint64_t at = index; at < 2 * size - 2; at = size + at / 2) {
        const uint64_t sibling = at ^ 1;
        const int inner = sibling >= size;
        steps[count++] = (mc_step){
            .place = inner ? sibling - size : sibling, .level = (uint8_t)inner, .side = (uint8_t)mc_side(rule, at, 0)};
    }
    return count;
}

mc_status mc_plan(const mc_rule *rule, uint64_t index, uint64_t size, mc_step steps[MC_MAX_DEPTH], size_t *count) {
    *count = 0;
    if (index >= size || (rule->odd == MC_ODD_HEAP && size > (uint64_t)1 << 63))
        return MC_BAD_INDEX;
    *count = rule->odd == MC_ODD_HEAP ? plan_heap(rule, index, size, steps) : plan_levels(rule, 0, index, size, steps);
    return MC_OK;
}

size_t mc_path_count(const mc_rule *rule, uint64_t index, uint64_t size) {
    const uint64_t last = size - 1;
    if (rule->odd == MC_ODD_HEAP)
        return bits(last + (size - index)) - 1; /* counted from 1 as heaps are, the leaf is 2n - 1 - index */
    if (rule->odd == MC_ODD_SPLIT || rule->odd == MC_ODD_REHASH) {
        const unsigned edge = bits(index ^ last); /* from here on the way is the right edge */
        return edge + (edge < 64 ? (size_t)__builtin_popcountll(last >> edge) : 0);
    }
    const unsigned height = bits(last);
    return (int)height > rule->depth ? height : (size_t)rule->depth;
}

/* ---- kept nodes ------------------------------------------------------------------------------------------------- */

static inline const uint8_t *node_at(const mc_rule *rule, const mc_kept *kept, const mc_step *step) {
    const size_t d = mc_digest_bytes(rule);
    const unsigned k = step->level;
    if (step->side == MC_SIBLING_ZERO)
        return rule->zeros + k * d;
    if (rule->odd == MC_ODD_HEAP || step->place < kept->size >> k)
        return kept->level[k] + step->place * d;
    return kept->edge->node[k];
}

/* Where the hashes of a path lie; each level lies elsewhere, so they are asked for together and the misses overlap. */
static size_t locate(const mc_rule *rule, const mc_kept *kept, const mc_step *steps, size_t count,
                     const uint8_t **found) {
    size_t hashes = 0;
    for (size_t i = 0; i < count; i++)
        if (steps[i].side != MC_SIBLING_NONE) {
            found[hashes] = node_at(rule, kept, &steps[i]);
            __builtin_prefetch(found[hashes++]);
        }
    return hashes;
}

static inline uint8_t *gather(const uint8_t *const *found, size_t count, size_t d, uint8_t *out) {
    if (d == 32) /* a constant, for nearly every hash: the copies become two moves each */
        for (size_t i = 0; i < count; i++)
            memcpy(out + i * 32, found[i], 32);
    else
        for (size_t i = 0; i < count; i++)
            memcpy(out + i * d, found[i], d);
    return out + count * d;
}

void mc_path(const mc_rule *rule, const mc_kept *kept, uint64_t index, uint8_t *out) {
    mc_step steps[MC_MAX_DEPTH];
    const uint8_t *found[MC_MAX_DEPTH];
    size_t count;
    if (mc_plan(rule, index, kept->size, steps, &count) == MC_OK)
        gather(found, locate(rule, kept, steps, count, found), mc_digest_bytes(rule), out);
}

void mc_paths(const mc_rule *rule, const mc_kept *kept, const uint64_t *indices, size_t n, const int64_t *offset,
              uint8_t *out) {
    enum { AHEAD = 8 }; /* paths whose nodes are on their way from memory */
    const size_t d = mc_digest_bytes(rule);
    mc_step steps[MC_MAX_DEPTH];
    const uint8_t *found[AHEAD][MC_MAX_DEPTH];
    size_t hashes[AHEAD], count;
    for (size_t i = 0; i < n + AHEAD; i++) {
        if (i >= AHEAD && i - AHEAD < n)
            gather(found[i % AHEAD], hashes[i % AHEAD], d, out + (size_t)offset[i - AHEAD] * d);
        if (i < n) {
            if (mc_plan(rule, indices[i], kept->size, steps, &count) != MC_OK)
                count = 0;
            hashes[i % AHEAD] = locate(rule, kept, steps, count, found[i % AHEAD]);
        }
    }
}

/* ---- folding ---------------------------------------------------------------------------------------------------- */

/* The parent of one pair, which may be turned round. The kernel was picked once for the whole path, and is NULL where
 * pairs are no nodes to it: a longer prefix. */
static inline mc_status hash_pair(const mc_rule *rule, const mc_kernel *row, uint8_t *pair, const size_t d,
                                  uint8_t *out, uint32_t isas) {
    if (row == NULL)
        return mc_hash_siblings(rule, pair, 1, out, isas);
    if (rule->sort_pairs && memcmp(pair, pair + d, d) > 0) {
        uint8_t first[MC_MAX_DIGEST];
        memcpy(first, pair, d);
        memcpy(pair, pair + d, d);
        memcpy(pair + d, first, d);
    }
    row->nodes(pair, 1, out, rule->node_prefix_bytes > 0 ? rule->node_prefix[0] : 0);
    return MC_OK;
}

/* Inlined for each d, so that copies are moves. */
static inline __attribute__((always_inline)) mc_status fold_by(const mc_rule *rule, const uint8_t *path,
                                                               const mc_step *steps, size_t count, uint8_t *root,
                                                               size_t *fault, mc_step *at, const size_t d,
                                                               const mc_kernel *row, uint32_t isas) {
    uint8_t pair[2 * MC_MAX_DIGEST];
    size_t hash = 0;
    for (size_t i = 0; i < count; i++) {
        const mc_step *step = &steps[i];
        mc_status status;
        if (step->side == MC_SIBLING_NONE) {
            status = mc_hash_lone(rule, root, root, isas);
        } else {
            const uint8_t *sibling = path + hash * d;
            *fault = hash++;
            *at = *step;
            if (rule->odd == MC_ODD_DUPLICATE && (step->side == MC_SIBLING_COPY) != (memcmp(sibling, root, d) == 0))
                return MC_BAD_SIBLING;
            if (step->side == MC_SIBLING_ZERO && memcmp(sibling, rule->zeros + step->level * d, d) != 0)
                return MC_BAD_ZERO;
            const size_t left = step->side == MC_SIBLING_LEFT ? d : 0;
            memcpy(pair + left, root, d);
            memcpy(pair + d - left, sibling, d);
            status = hash_pair(rule, row, pair, d, root, isas);
        }
        if (status != MC_OK)
            return status;
    }
    return MC_OK;
}

/* Where lone nodes rise, a path is nothing but hashes on one side or the other. Which, nobody can predict, so no
 * branch depends on it. */
static size_t sides_of(uint64_t index, uint64_t size, uint8_t is_left[MC_MAX_DEPTH]) {
    size_t count = 0;
    for (uint64_t at = index, last = size - 1; last > 0; at >>= 1, last >>= 1) {
        is_left[count] = at & 1;
        count += (at & 1) | (at < last);
    }
    return count;
}

mc_status mc_fold(const mc_rule *rule, const uint8_t *leaf_hash, const uint8_t *path, uint64_t index, uint64_t size,
                  uint8_t *root, size_t *fault, mc_step *at, uint32_t isas) {
    const size_t d = mc_digest_bytes(rule);
    const int shape = rule->node_prefix_bytes == 0 ? MC_NODE : MC_PREFIXED_NODE;
    const mc_kernel *row = rule->node_prefix_bytes <= 1 ? mc_pick(rule->hash, shape, 1, isas) : NULL;
    if (row != NULL && row->climb != NULL && rule->odd == MC_ODD_SPLIT && !rule->sort_pairs && index < size) {
        uint8_t is_left[MC_MAX_DEPTH];
        const size_t count = sides_of(index, size, is_left);
        memmove(root, leaf_hash, d);
        row->climb(root, path, is_left, count, shape == MC_NODE ? 0 : rule->node_prefix[0]);
        return MC_OK;
    }
    mc_step steps[MC_MAX_DEPTH];
    size_t count;
    const mc_status status = mc_plan(rule, index, size, steps, &count);
    if (status != MC_OK)
        return status;
    memmove(root, leaf_hash, d);
    return d == 32 ? fold_by(rule, path, steps, count, root, fault, at, 32, row, isas)
                   : fold_by(rule, path, steps, count, root, fault, at, d, row, isas);
}

/* ---- consistency ------------------------------------------------------------------------------------------------ */

/* The old tree ends with the perfect subtree (level, index): where that is the whole of it, its root is known and not
 * in the proof. From there on, the way to the new root: left siblings belong to both trees, right ones to the new. */
static size_t plan_consistency(uint64_t old, uint64_t size, mc_step *first, mc_step *steps) {
    static const mc_rule split = {.odd = MC_ODD_SPLIT, .depth = -1};
    const unsigned level = (unsigned)__builtin_ctzll(old);
    *first = (mc_step){.place = (old >> level) - 1, .level = (uint8_t)level};
    return old == size ? 0 : plan_levels(&split, level, first->place, size, steps);
}

size_t mc_consistency_count(uint64_t old, uint64_t size) {
    mc_step first, steps[MC_MAX_DEPTH];
    const size_t count = plan_consistency(old, size, &first, steps);
    return old == size ? 0 : count + (first.place > 0);
}

void mc_consistency(const mc_rule *rule, const mc_kept *kept, uint64_t old, uint8_t *out) {
    mc_step first, steps[MC_MAX_DEPTH];
    const uint8_t *found[MC_MAX_DEPTH];
    const size_t count = plan_consistency(old, kept->size, &first, steps);
    if (old == kept->size)
        return;
    if (first.place > 0) {
        memcpy(out, node_at(rule, kept, &first), mc_digest_bytes(rule));
        out += mc_digest_bytes(rule);
    }
    gather(found, locate(rule, kept, steps, count, found), mc_digest_bytes(rule), out);
}

mc_status mc_fold_consistency(const mc_rule *rule, const uint8_t *path, uint64_t old, uint64_t size,
                              const uint8_t *old_root, uint8_t *old_found, uint8_t *new_found, uint32_t isas) {
    const size_t d = mc_digest_bytes(rule);
    uint8_t pairs[4 * MC_MAX_DIGEST], both[2 * MC_MAX_DIGEST]; /* of the old tree, then of the new one */
    mc_step first, steps[MC_MAX_DEPTH];
    const size_t count = plan_consistency(old, size, &first, steps);
    const int given = old != size && first.place > 0;
    memcpy(both, given ? path : old_root, d);
    memcpy(both + d, both, d);
    path += given ? d : 0;
    for (size_t i = 0; i < count; i++, path += d) {
        const int left = steps[i].side == MC_SIBLING_LEFT;
        mc_status status;
        if (left) {
            memcpy(pairs, path, d);
            memcpy(pairs + d, both, d);
            memcpy(pairs + 2 * d, path, d);
            memcpy(pairs + 3 * d, both + d, d);
            status = mc_hash_siblings(rule, pairs, 2, both, isas);
        } else {
            memcpy(pairs, both + d, d);
            memcpy(pairs + d, path, d);
            status = mc_hash_siblings(rule, pairs, 1, both + d, isas);
        }
        if (status != MC_OK)
            return status;
    }
    memcpy(old_found, both, d);
    memcpy(new_found, both + d, d);
    return MC_OK;
}
