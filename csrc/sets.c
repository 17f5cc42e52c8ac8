/* Proofs of several leaves: the nodes that are known, ascending, go up together.
 *
 * The front is the list of known nodes by place. In each round they meet their siblings: the next one in the front, or
 * a hash of the proof, or what the rule puts beside a lone node; their parents are the next front. Where odd levels
 * are closed one by one, a round is a level. A heap is a queue (see proofs.c): a round takes from its head all whose
 * siblings cannot be among the parents that this round makes, and puts the parents at its end, so that O(log n) rounds
 * reach the root. Hashes are wanted in the order of the rounds and, in each, of their places: the one order that a
 * proof may have. */
#include "merklecore.h"
#include "rule.h"

#include <stdlib.h>
#include <string.h>

typedef struct front {
    const mc_rule *rule;
    uint64_t size;
    uint64_t *place;
    size_t count;
    unsigned level;
    uint64_t *spare; /* of a heap: room for as many places */
} front;

static inline int is_heap(const front *all) { return all->rule->odd == MC_ODD_HEAP; }

/* How many nodes of the front the next round takes; none once the root is reached. */
static size_t taken(const front *all) {
    size_t n = 0;
    if (!is_heap(all))
        return mc_last_of(all->size, all->level) == 0 && (int)all->level >= all->rule->depth ? 0 : all->count;
    if (all->place[0] == 2 * all->size - 2)
        return 0;
    for (const uint64_t first_parent = all->size + all->place[0] / 2; n < all->count; n++)
        if ((all->place[n] | 1) >= first_parent)
            break;
    return n;
}

/* What node i of `n` that a round takes meets. */
static inline unsigned meets(const front *all, size_t i, size_t n) {
    const uint64_t at = all->place[i];
    if (!(at & 1) && i + 1 < n && all->place[i + 1] == at + 1)
        return MC_SIBLING_KNOWN;
    return mc_side(all->rule, at, mc_last_of(all->size, all->level));
}

static inline uint64_t parent(const front *all, uint64_t at) { return is_heap(all) ? all->size + at / 2 : at >> 1; }

/* Ends a round that took n nodes and made `parents`, which stand at the head of the front. */
static void end_round(front *all, size_t n, size_t parents) {
    const size_t rest = all->count - n;
    if (rest > 0) {
        memcpy(all->spare, all->place, parents * sizeof *all->place);
        memmove(all->place, all->place + n, rest * sizeof *all->place);
        memcpy(all->place + rest, all->spare, parents * sizeof *all->place);
    }
    all->count = rest + parents;
    all->level++;
}

static mc_status begin(front *all, const mc_rule *rule, uint64_t size, uint64_t *places, size_t n) {
    *all = (front){.rule = rule, .size = size, .place = places, .count = n};
    if (n == 0 || places[n - 1] >= size || (is_heap(all) && size > (uint64_t)1 << 63))
        return MC_BAD_INDEX;
    if (is_heap(all)) {
        all->spare = malloc(n * sizeof *all->spare);
        if (all->spare == NULL)
            return MC_NO_MEMORY;
    }
    return MC_OK;
}

/* ---- planning --------------------------------------------------------------------------------------------------- */

/* Copies nodes a few behind, so that those ahead are on their way from memory meanwhile. */
typedef struct copier {
    const uint8_t *from[16];
    size_t asked, done, d;
    uint8_t *out;
} copier;

static inline void copy_one(copier *copy) {
    memcpy(copy->out + copy->done * copy->d, copy->from[copy->done % 16], copy->d);
    copy->done++;
}

static inline void ask(copier *copy, const uint8_t *from) {
    __builtin_prefetch(from);
    if (copy->asked - copy->done == 16)
        copy_one(copy);
    copy->from[copy->asked++ % 16] = from;
}

static const uint8_t *sibling_at(const front *all, const mc_kept *kept, uint64_t at) {
    const size_t d = mc_digest_bytes(all->rule);
    const uint64_t place = at ^ 1;
    if (is_heap(all))
        return place < all->size ? kept->level[0] + place * d : kept->level[1] + (place - all->size) * d;
    return place < all->size >> all->level ? kept->level[all->level] + place * d : kept->edge->node[all->level];
}

mc_status mc_set_plan(const mc_rule *rule, uint64_t size, uint64_t *places, size_t n, const mc_kept *kept,
                      uint8_t *out, size_t *hashes, uint8_t *flags, size_t *pairs) {
    front all;
    copier copy = {.d = mc_digest_bytes(rule), .out = out};
    size_t now, wanted = 0, met = 0;
    mc_status status = begin(&all, rule, size, places, n);
    if (status != MC_OK)
        return status;
    while ((now = taken(&all)) > 0) {
        size_t parents = 0;
        for (size_t i = 0; i < now; parents++) {
            const uint64_t at = all.place[i];
            const unsigned side = meets(&all, i, now);
            if (side == MC_SIBLING_LEFT || side == MC_SIBLING_RIGHT) {
                wanted++;
                if (kept != NULL)
                    ask(&copy, sibling_at(&all, kept, at));
            }
            if (flags != NULL)
                flags[met + parents] = side == MC_SIBLING_KNOWN;
            i += side == MC_SIBLING_KNOWN ? 2 : 1;
            all.place[parents] = parent(&all, at);
        }
        met += parents;
        end_round(&all, now, parents);
    }
    while (copy.done < copy.asked)
        copy_one(&copy);
    free(all.spare);
    *hashes = wanted;
    *pairs = met;
    return MC_OK;
}

static void want(const front *all, const mc_kept *kept, uint64_t at, uint8_t *out, size_t *wanted) {
    const size_t d = mc_digest_bytes(all->rule);
    if (kept != NULL)
        memcpy(out + *wanted * d, sibling_at(all, kept, at), d);
    ++*wanted;
}

/* In a heap the parents of neighbours are neighbours, as on a level, and may follow their children at once. */
static size_t plan_heap_range(const front *all, uint64_t first, uint64_t last, const mc_kept *kept, uint8_t *out) {
    const uint64_t root = 2 * all->size - 2;
    size_t wanted = 0;
    for (uint64_t met = 0;;) { /* where the nodes known before these end */
        if ((first & 1) && first != met)
            want(all, kept, first, out, &wanted);
        if (last == root)
            return wanted;
        met = last + 1;
        first = parent(all, first);
        if (first < met)
            first = met;
        if (!(last & 1) && first != met)
            want(all, kept, last, out, &wanted);
        last = parent(all, last);
    }
}

size_t mc_range_plan(const mc_rule *rule, uint64_t size, uint64_t first, uint64_t last, const mc_kept *kept,
                     uint8_t *out) {
    front all = {.rule = rule, .size = size};
    size_t wanted = 0;
    if (is_heap(&all))
        return plan_heap_range(&all, first, last, kept, out);
    for (; mc_last_of(size, all.level) > 0; all.level++, first >>= 1, last >>= 1) {
        if (first & 1)
            want(&all, kept, first, out, &wanted);
        if (!(last & 1) && last < mc_last_of(size, all.level))
            want(&all, kept, last, out, &wanted);
    }
    return wanted;
}

/* ---- folding ---------------------------------------------------------------------------------------------------- */

enum { PASS = 128 }; /* pairs that are hashed together */

typedef struct passes {
    const mc_rule *rule;
    uint8_t pairs[PASS * 2 * MC_MAX_DIGEST];
    size_t waiting;
    uint8_t *out; /* where the parent of the first that waits will stand */
    uint32_t isas;
} passes;

static mc_status flush(passes *hashed) {
    if (hashed->waiting == 0)
        return MC_OK;
    const mc_status status = mc_hash_siblings(hashed->rule, hashed->pairs, hashed->waiting, hashed->out, hashed->isas);
    hashed->out += hashed->waiting * mc_digest_bytes(hashed->rule);
    hashed->waiting = 0;
    return status;
}

/* Node i of a round and what it meets, as a pair; or its parent itself, where it meets nothing. */
static mc_status meet(const front *all, passes *hashed, unsigned side, const uint8_t *node, const uint8_t *sibling) {
    const size_t d = mc_digest_bytes(all->rule);
    mc_status status = MC_OK;
    if (side == MC_SIBLING_RISES || side == MC_SIBLING_NONE) { /* the last of its level: all others come before it */
        status = flush(hashed);
        if (status == MC_OK && side == MC_SIBLING_RISES)
            memmove(hashed->out, node, d);
        else if (status == MC_OK)
            status = mc_hash_lone(all->rule, node, hashed->out, hashed->isas);
        return status;
    }
    uint8_t *pair = hashed->pairs + hashed->waiting * 2 * d;
    const int left = side == MC_SIBLING_LEFT || (side == MC_SIBLING_KNOWN && is_heap(all));
    memcpy(pair, left ? sibling : node, d);
    memcpy(pair + d, left ? node : sibling, d);
    return ++hashed->waiting == PASS ? flush(hashed) : MC_OK;
}

/* The parents of the `now` nodes that a round takes, in place. `hash` is the next of the proof. */
static mc_status fold_round(front *all, uint8_t *nodes, size_t now, size_t *parents, const uint8_t **hash, mc_step *at,
                            passes *hashed) {
    const size_t d = mc_digest_bytes(all->rule);
    mc_status status = MC_OK;
    hashed->out = nodes;
    *parents = 0;
    for (size_t i = 0; i < now && status == MC_OK; ++*parents) {
        const uint8_t *node = nodes + i * d, *sibling = NULL;
        const uint64_t place = all->place[i];
        const unsigned side = meets(all, i, now);
        if (side == MC_SIBLING_KNOWN)
            sibling = node + d;
        else if (side == MC_SIBLING_COPY)
            sibling = node;
        else if (side == MC_SIBLING_ZERO)
            sibling = all->rule->zeros + all->level * d;
        else if (side == MC_SIBLING_LEFT || side == MC_SIBLING_RIGHT) {
            sibling = *hash;
            *hash += d;
        }
        if (all->rule->odd == MC_ODD_DUPLICATE && side != MC_SIBLING_COPY && memcmp(node, sibling, d) == 0) {
            *at = (mc_step){.place = place | 1, .level = (uint8_t)all->level, .side = (uint8_t)side};
            return MC_BAD_SIBLING;
        }
        i += side == MC_SIBLING_KNOWN ? 2 : 1;
        status = meet(all, hashed, side, node, sibling);
        all->place[*parents] = parent(all, place);
    }
    return status == MC_OK ? flush(hashed) : status;
}

mc_status mc_set_fold(const mc_rule *rule, uint64_t size, uint64_t *places, uint8_t *nodes, size_t n,
                      const uint8_t *hashes, mc_step *at, uint32_t isas) {
    const size_t d = mc_digest_bytes(rule);
    front all;
    passes hashed; /* 16 KiB, of which nothing is read before it is written */
    hashed.rule = rule;
    hashed.isas = isas;
    hashed.waiting = 0;
    uint8_t *spare = NULL;
    size_t now, parents;
    mc_status status = begin(&all, rule, size, places, n);
    if (status == MC_OK && is_heap(&all) && (spare = malloc(n * d)) == NULL)
        status = MC_NO_MEMORY;
    while (status == MC_OK && (now = taken(&all)) > 0) {
        status = fold_round(&all, nodes, now, &parents, &hashes, at, &hashed);
        if (status == MC_OK && all.count > now) {
            memcpy(spare, nodes, parents * d);
            memmove(nodes, nodes + now * d, (all.count - now) * d);
            memcpy(nodes + (all.count - now) * d, spare, parents * d);
        }
        if (status == MC_OK)
            end_round(&all, now, parents);
    }
    free(spare);
    free(all.spare);
    return status;
}
