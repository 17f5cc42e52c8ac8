/* Leaves replaced in a tree that keeps its levels, many in one batch.
 *
 * The places are sorted first. Then neighbours share their ancestors, the touched nodes of a level come in the order
 * in which they lie, and each is hashed once: level after level, pairs are gathered into one contiguous piece, hashed
 * in lanes and scattered. Threads take subtrees, as large as leaves each of them a few. */
#include "merklecore.h"
#include "rule.h"

#include <stdlib.h>
#include <string.h>

enum {
    PASS = MC_MAX_LANES, /* pairs that are gathered at once: the fewer, the more of their lines come amid hashing */
    AHEAD = 16,          /* changes between asking for a line and using it */
    FEW = 48,            /* so few are sorted by insertion */
    DIGIT = 11,          /* bits that one pass sorts by */
    TASKS_PER_THREAD = 8,
};

/* A digest or two: of 32 bytes mostly, and then without a call. */
static inline void copy(uint8_t *to, const uint8_t *from, size_t bytes) {
    if (bytes == 32)
        memcpy(to, from, 32);
    else if (bytes == 64)
        memcpy(to, from, 64);
    else
        memcpy(to, from, bytes);
}

/* ---- order ----------------------------------------------------------------------------------------------------- */

mc_status mc_sort_changes(mc_change *changes, size_t n, uint64_t size) {
    size_t ascending = 1;
    while (ascending < n && changes[ascending - 1].index <= changes[ascending].index)
        ascending++;
    if (ascending >= n)
        return MC_OK;
    if (n <= FEW) {
        for (size_t i = 1; i < n; i++) {
            const mc_change moved = changes[i];
            size_t at = i;
            for (; at > 0 && changes[at - 1].index > moved.index; at--)
                changes[at] = changes[at - 1];
            changes[at] = moved;
        }
        return MC_OK;
    }
    mc_change *other = malloc(n * sizeof *other), *from = changes, *to = other;
    if (other == NULL)
        return MC_NO_MEMORY;
    for (unsigned shift = 0; shift < 64 && (size - 1) >> shift > 0; shift += DIGIT) {
        size_t place[(1 << DIGIT) + 1] = {0};
        for (size_t i = 0; i < n; i++)
            place[(from[i].index >> shift & ((1 << DIGIT) - 1)) + 1]++;
        for (size_t digit = 0; digit < 1 << DIGIT; digit++)
            place[digit + 1] += place[digit];
        for (size_t i = 0; i < n; i++)
            to[place[from[i].index >> shift & ((1 << DIGIT) - 1)]++] = from[i];
        mc_change *sorted = to;
        to = from;
        from = sorted;
    }
    if (from != changes)
        memcpy(changes, from, n * sizeof *changes);
    free(other);
    return MC_OK;
}

/* ---- levels ---------------------------------------------------------------------------------------------------- */

typedef struct update {
    const mc_rule *rule;
    uint8_t *const *level;
    uint64_t size;
    const mc_change *changes; /* ascending */
    size_t n;
    const uint8_t *fresh; /* new leaf hashes, in the order of the caller */
    uint64_t *touched;    /* room for n node indices; a task has the part of its changes */
    unsigned top;         /* tasks are subtrees over 2^top leaves */
    uint32_t isas;
} update;

/* The complete parents of `count` ascending nodes of level k, in their place. */
static size_t parents_of(const update *all, unsigned k, uint64_t *nodes, size_t count) {
    const uint64_t complete = all->size >> (k + 1);
    size_t found = 0;
    for (size_t i = 0; i < count && nodes[i] >> 1 < complete; i++)
        if (found == 0 || nodes[found - 1] != nodes[i] >> 1)
            nodes[found++] = nodes[i] >> 1;
    return found;
}

/* Hashes the given nodes of level k + 1 anew. */
static mc_status renew(const update *all, unsigned k, const uint64_t *nodes, size_t count) {
    const size_t d = mc_digest_bytes(all->rule);
    const uint8_t *below = all->level[k];
    uint8_t *above = all->level[k + 1], pairs[PASS * 2 * MC_MAX_DIGEST], made[PASS * MC_MAX_DIGEST];
    for (size_t first = 0; first < count; first += PASS) {
        const size_t now = count - first < PASS ? count - first : PASS;
        for (size_t i = 0; i < now; i++) {
            if (first + i + AHEAD < count)
                __builtin_prefetch(below + nodes[first + i + AHEAD] * 2 * d);
            if (first + i + PASS < count) /* what the next pass writes comes while this one is hashed */
                __builtin_prefetch(above + nodes[first + i + PASS] * d, 1);
            copy(pairs + i * 2 * d, below + nodes[first + i] * 2 * d, 2 * d);
        }
        mc_status status = mc_hash_siblings(all->rule, pairs, now, made, all->isas);
        if (status != MC_OK)
            return status;
        for (size_t i = 0; i < now; i++)
            copy(above + nodes[first + i] * d, made + i * d, d);
    }
    return MC_OK;
}

/* The first change at or behind leaf `index`. */
static size_t change_at(const update *all, uint64_t index) {
    size_t low = 0, high = all->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (all->changes[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static mc_status update_task(void *context, size_t i, unsigned worker) {
    const update *all = context;
    const size_t d = mc_digest_bytes(all->rule), begin = change_at(all, (uint64_t)i << all->top);
    const size_t end = (all->size - 1) >> all->top == i ? all->n : change_at(all, (uint64_t)(i + 1) << all->top);
    uint64_t *nodes = all->touched + begin;
    size_t count = end - begin;
    (void)worker;
    for (size_t j = begin; j < end; j++) {
        if (j + AHEAD < end)
            __builtin_prefetch(all->level[0] + all->changes[j + AHEAD].index * d, 1);
        copy(all->level[0] + all->changes[j].index * d, all->fresh + all->changes[j].from * d, d);
        all->touched[j] = all->changes[j].index;
    }
    for (unsigned k = 0; k < all->top && count > 0; k++) {
        count = parents_of(all, k, nodes, count);
        mc_status status = renew(all, k, nodes, count);
        if (status != MC_OK)
            return status;
    }
    return MC_OK;
}

/* Equal siblings among the complete nodes that change with the leaves. */
static uint64_t equal_above(const update *all) {
    const size_t d = mc_digest_bytes(all->rule);
    size_t count = all->n;
    uint64_t found = 0;
    for (size_t i = 0; i < count; i++)
        all->touched[i] = all->changes[i].index;
    for (unsigned k = 0; (count = parents_of(all, k, all->touched, count)) > 0; k++)
        for (size_t i = 0; i < count; i++) {
            const uint8_t *pair = all->level[k] + all->touched[i] * 2 * d;
            found += memcmp(pair, pair + d, d) == 0;
        }
    return found;
}

mc_status mc_update(const mc_rule *rule, uint8_t *const *level, uint64_t size, const mc_change *changes, size_t n,
                    const uint8_t *fresh, uint64_t *equal_pairs, uint32_t isas, unsigned threads) {
    const int counted = rule->odd == MC_ODD_DUPLICATE;
    if (n == 0)
        return MC_OK;
    update all = {rule, level, size, changes, n, fresh, malloc(n * sizeof(uint64_t)), 0, isas};
    if (all.touched == NULL)
        return MC_NO_MEMORY;
    const uint64_t before = counted ? equal_above(&all) : 0;
    const uint64_t tasks = threads <= 1 ? 1 : (uint64_t)threads * TASKS_PER_THREAD;
    while ((size - 1) >> all.top >= tasks)
        all.top++;
    if (rule->odd == MC_ODD_HEAP)
        all.size = all.top = 0; /* its inner nodes stand elsewhere, and are made when they are asked for */
    mc_status status;
    if (all.top == 0) { /* few leaves, or leaves alone */
        const size_t d = mc_digest_bytes(rule);
        for (size_t i = 0; i < n; i++)
            copy(level[0] + changes[i].index * d, fresh + changes[i].from * d, d);
        status = MC_OK;
    } else {
        status = mc_parallel_for((size_t)((size - 1) >> all.top) + 1, threads, update_task, &all);
    }
    size_t count = 0; /* of the subtrees that changed */
    for (size_t i = 0; i < n; i++)
        if (count == 0 || all.touched[count - 1] != changes[i].index >> all.top)
            all.touched[count++] = changes[i].index >> all.top;
    for (unsigned k = all.top; k < 63 && status == MC_OK && count > 0; k++) {
        count = parents_of(&all, k, all.touched, count);
        status = renew(&all, k, all.touched, count);
    }
    if (counted)
        *equal_pairs += equal_above(&all) - before;
    free(all.touched);
    return status;
}

uint64_t mc_equal_between(const mc_rule *rule, uint8_t *const *level, uint64_t from, uint64_t to) {
    const size_t d = mc_digest_bytes(rule);
    uint64_t found = 0;
    if (rule->odd == MC_ODD_DUPLICATE)
        for (unsigned k = 0; k < 63 && to >> (k + 1) > 0; k++)
            for (uint64_t i = from >> (k + 1); i < to >> (k + 1); i++)
                found += memcmp(level[k] + i * 2 * d, level[k] + i * 2 * d + d, d) == 0;
    return found;
}
