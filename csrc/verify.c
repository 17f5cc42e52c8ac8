/* Many inclusion proofs under one root, verified exactly as one by one, and faster.
 *
 * Proofs of one tree share most of what they hash: above level 10 ten thousand random leaves of a million hash the
 * same few nodes again and again. So proofs are taken in the order of their leaves, some hundreds at a time, and go up
 * side by side, level by level. A pair that is byte for byte the one before it, at the same place, is hashed once: the
 * same input has the same digest, so nothing is trusted that would not be recomputed. What is left fills the lanes.
 *
 * Proofs whose pairs were the same share a slot from then on: their node is one, and only siblings are compared. A
 * proof that fails leaves the batch. */
#include "merklecore.h"
#include "rule.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 512 }; /* proofs: paths of twenty hashes of 32 bytes are 320 KiB, which the second cache holds */

typedef struct slot { /* a node that one or more proofs have reached */
    uint64_t place;
    uint8_t side; /* what it meets next */
} slot;

typedef struct runner { /* a proof on its way up */
    size_t proof;
    const uint8_t *next; /* the hash of its path that comes next */
    uint32_t slot;
} runner;

typedef struct batch {
    const mc_rule *rule;
    const mc_proofs *proofs;
    uint8_t *fails;
    uint32_t isas;
    unsigned level;
    size_t running;
    runner run[BATCH];
    slot slots[BATCH], above[BATCH];
    uint8_t *nodes, *parents; /* of slots and above: the two halves of `rows` */
    uint8_t rows[2][BATCH * MC_MAX_DIGEST], pairs[BATCH * 2 * MC_MAX_DIGEST];
} batch;

/* d is a multiple of 8; a call to memcmp for each sibling would take as long as all the rest. */
static inline __attribute__((always_inline)) int same(const uint8_t *a, const uint8_t *b, size_t d) {
    uint64_t differ = 0, x, y;
    for (size_t i = 0; i < d; i += 8) {
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        differ |= x ^ y;
    }
    return differ == 0;
}

/* ---- order ------------------------------------------------------------------------------------------------------ */

typedef struct item {
    uint64_t index;
    size_t proof;
} item;

/* By index, stable: least significant digits first. `spare` has room for n. */
static item *sorted(item *items, item *spare, size_t n, uint64_t most) {
    enum { BITS = 11, DIGITS = 1 << BITS };
    size_t at[DIGITS];
    for (unsigned shift = 0; shift < 64 && most >> shift > 0; shift += BITS) {
        memset(at, 0, sizeof at);
        for (size_t i = 0; i < n; i++)
            at[items[i].index >> shift & (DIGITS - 1)]++;
        for (size_t i = 0, sum = 0; i < DIGITS; i++) {
            const size_t count = at[i];
            at[i] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++)
            spare[at[items[i].index >> shift & (DIGITS - 1)]++] = items[i];
        item *const made = spare;
        spare = items;
        items = made;
    }
    return items;
}

/* ---- a level ---------------------------------------------------------------------------------------------------- */

/* What the node at a place of this level, or of the queue of a heap, meets; MC_SIBLING_KNOWN where it is the root. */
static unsigned meets(const batch *all, uint64_t at) {
    const uint64_t size = all->proofs->size;
    const uint64_t last = mc_last_of(size, all->level);
    const int is_root =
        all->rule->odd == MC_ODD_HEAP ? at == 2 * size - 2 : last == 0 && (int)all->level >= all->rule->depth;
    return is_root ? MC_SIBLING_KNOWN : mc_side(all->rule, at, last);
}

static inline int has_hash(unsigned side) { return side <= MC_SIBLING_ZERO; }

static inline __attribute__((always_inline)) int refused(const batch *all, const slot *at, const uint8_t *node,
                                                         const uint8_t *sibling, size_t d) {
    if (all->rule->odd == MC_ODD_DUPLICATE)
        return (at->side == MC_SIBLING_COPY) != same(node, sibling, d);
    return at->side == MC_SIBLING_ZERO && !same(sibling, all->rule->zeros + all->level * d, d);
}

/* All that run go one level up. Inlined for each d: comparing and copying take most of the time not spent hashing. */
static inline __attribute__((always_inline)) mc_status climb_by(batch *all, const size_t d) {
    const uint64_t up = all->rule->odd == MC_ODD_HEAP ? all->proofs->size : 0;
    size_t left = 0, pairs = 0, others = 0;
    const uint8_t *sibling_before = NULL;
    uint32_t slot_before = 0, above_before = 0;
    for (size_t i = 0; i < all->running; i++) {
        runner now = all->run[i];
        const slot *at = &all->slots[now.slot];
        const uint8_t *node = all->nodes + now.slot * d, *sibling = now.next;
        uint32_t above;
        if (at->side == MC_SIBLING_KNOWN) {
            all->fails[now.proof] = !same(node, all->proofs->root, d);
            continue;
        }
        if (has_hash(at->side))
            now.next += d;
        if (left > 0 && now.slot == slot_before && (!has_hash(at->side) || same(sibling, sibling_before, d))) {
            above = above_before;
        } else if (!has_hash(at->side)) {
            above = (uint32_t)(BATCH - ++others);
            if (at->side == MC_SIBLING_RISES) {
                memcpy(all->parents + above * d, node, d);
            } else {
                mc_status status = mc_hash_lone(all->rule, node, all->parents + above * d, all->isas);
                if (status != MC_OK)
                    return status;
            }
            all->above[above].place = up + at->place / 2;
        } else {
            if (refused(all, at, node, sibling, d)) {
                all->fails[now.proof] = 1;
                continue;
            }
            const int first = at->side == MC_SIBLING_LEFT;
            const uint8_t *one = first ? sibling : node, *two = first ? node : sibling;
            const uint64_t place = up + at->place / 2;
            uint8_t *pair = all->pairs + pairs * 2 * d;
            if (pairs == 0 || all->above[pairs - 1].place != place || !same(one, pair - 2 * d, d) ||
                !same(two, pair - d, d)) {
                memcpy(pair, one, d);
                memcpy(pair + d, two, d);
                all->above[pairs++].place = place;
            }
            above = (uint32_t)(pairs - 1);
        }
        slot_before = now.slot;
        sibling_before = sibling;
        now.slot = above_before = above;
        all->run[left++] = now;
    }
    all->running = left;
    mc_status status = pairs > 0 ? mc_hash_siblings(all->rule, all->pairs, pairs, all->parents, all->isas) : MC_OK;
    all->level++;
    for (size_t i = 0; i < pairs + others; i++) {
        const size_t s = i < pairs ? i : BATCH - 1 - (i - pairs);
        all->slots[s].place = all->above[s].place;
        all->slots[s].side = (uint8_t)meets(all, all->above[s].place);
    }
    uint8_t *const made = all->parents;
    all->parents = all->nodes;
    all->nodes = made;
    return status;
}

static mc_status climb(batch *all) {
    return mc_digest_bytes(all->rule) == 32 ? climb_by(all, 32) : climb_by(all, mc_digest_bytes(all->rule));
}

/* ---- batches ---------------------------------------------------------------------------------------------------- */

static mc_status verify_batch(batch *all, const item *items, size_t n) {
    const mc_proofs *proofs = all->proofs;
    const size_t d = mc_digest_bytes(all->rule);
    all->running = 0;
    all->level = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t proof = items[i].proof, s = all->running;
        const int64_t first = proofs->offset[proof], count = proofs->offset[proof + 1] - first;
        const uint8_t *path = proofs->hashes + (size_t)first * d;
        if ((size_t)count != mc_path_count(all->rule, items[i].index, proofs->size)) {
            all->fails[proof] = 1;
            continue;
        }
        for (size_t byte = 0; byte < (size_t)count * d; byte += 64)
            __builtin_prefetch(path + byte);
        all->run[s] = (runner){.proof = proof, .next = path, .slot = (uint32_t)s};
        all->slots[s].place = items[i].index;
        all->slots[s].side = (uint8_t)meets(all, items[i].index);
        memcpy(all->nodes + s * d, proofs->leaf + proof * d, d);
        all->running++;
    }
    mc_status status = MC_OK;
    while (all->running > 0 && status == MC_OK)
        status = climb(all);
    return status;
}

mc_status mc_verify_many(const mc_rule *rule, const mc_proofs *proofs, uint8_t *fails, uint32_t isas) {
    const size_t n = proofs->n;
    batch *all = malloc(sizeof *all);
    item *items = malloc((n > 0 ? n : 1) * 2 * sizeof *items), *order = items;
    mc_status status = all != NULL && items != NULL ? MC_OK : MC_NO_MEMORY;
    if (status == MC_OK) {
        int ascending = 1;
        for (size_t i = 0; i < n; i++) {
            items[i] = (item){.index = proofs->index[i], .proof = i};
            ascending &= i == 0 || items[i - 1].index <= items[i].index;
        }
        if (!ascending)
            order = sorted(items, items + n, n, proofs->size - 1);
        all->rule = rule;
        all->proofs = proofs;
        all->fails = fails;
        all->isas = isas;
        all->nodes = all->rows[0];
        all->parents = all->rows[1];
        memset(fails, 0, n);
    }
    for (size_t i = 0; i < n && status == MC_OK; i += BATCH)
        status = verify_batch(all, order + i, n - i < BATCH ? n - i : BATCH);
    free(items);
    free(all);
    return status;
}
