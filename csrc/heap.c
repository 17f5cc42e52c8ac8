/* OpenZeppelin's trees: a complete binary tree in an array, which has no levels of its own.
 *
 * Their array t has 2n - 1 nodes, t[i] over t[2i + 1] and t[2i + 2], the leaf of rank r at t[2n - 2 - r]. Read from
 * its end it is a queue Q: the leaves in their order, and behind them Q[n + m], over Q[2m + 1] (left) and Q[2m]. So
 * pairs stand side by side, and whatever pairs the queue holds can be hashed at once: half of what is left, O(log n)
 * times. As every place depends on n, a tree that has changed is built anew. */
#include "merklecore.h"
#include "rule.h"

#include <string.h>

enum {
    TASK = 1 << 12,          /* pairs */
    PASS = 4 * MC_MAX_LANES, /* pairs turned round at a time */
    STACK_LEAVES = 64,       /* a root over so few works on the stack */
};

/* `d` is a constant where it is inlined. */
static inline void turn_pairs(const uint8_t *nodes, size_t pairs, uint8_t *out, const size_t d) {
    for (size_t i = 0; i < pairs; i++, nodes += 2 * d, out += 2 * d) {
        memcpy(out, nodes + d, d);
        memcpy(out + d, nodes, d);
    }
}

/* Parents of neighbours in the queue, where the left child stands second. Sorted pairs have no sides. */
static mc_status hash_neighbours(const mc_rule *rule, const uint8_t *nodes, size_t pairs, uint8_t *out,
                                 uint32_t isas) {
    const size_t d = mc_digest_bytes(rule);
    uint8_t turned[PASS * 2 * MC_MAX_DIGEST];
    if (rule->sort_pairs)
        return mc_hash_siblings(rule, nodes, pairs, out, isas);
    while (pairs > 0) {
        const size_t now = pairs < PASS ? pairs : PASS;
        if (d == 32)
            turn_pairs(nodes, now, turned, 32);
        else
            turn_pairs(nodes, now, turned, d);
        mc_status status = mc_hash_siblings(rule, turned, now, out, isas);
        if (status != MC_OK)
            return status;
        nodes += 2 * now * d;
        out += now * d;
        pairs -= now;
    }
    return MC_OK;
}

typedef struct batch {
    const mc_rule *rule;
    const uint8_t *nodes;
    uint8_t *out;
    size_t pairs;
    uint32_t isas;
} batch;

static mc_status batch_task(void *context, size_t i, unsigned worker) {
    const batch *all = context;
    const size_t d = mc_digest_bytes(all->rule), first = i * TASK;
    const size_t pairs = all->pairs - first < TASK ? all->pairs - first : TASK;
    (void)worker;
    return hash_neighbours(all->rule, all->nodes + 2 * first * d, pairs, all->out + first * d, all->isas);
}

static mc_status hash_batch(const mc_rule *rule, const uint8_t *nodes, size_t pairs, uint8_t *out, uint32_t isas,
                            unsigned threads) {
    batch all = {.rule = rule, .nodes = nodes, .out = out, .pairs = pairs, .isas = isas};
    return mc_parallel_for((pairs + TASK - 1) / TASK, threads, batch_task, &all);
}

mc_status mc_heap(const mc_rule *rule, const uint8_t *leaves, size_t n, uint8_t *inner, uint32_t isas,
                  unsigned threads) {
    const size_t d = mc_digest_bytes(rule);
    if (n < 2)
        return MC_OK;
    size_t m = n / 2; /* nodes there are: those over two leaves */
    mc_status status = hash_batch(rule, leaves, m, inner, isas, threads);
    if (status == MC_OK && n % 2) { /* the last leaf and the first node */
        uint8_t pair[2 * MC_MAX_DIGEST];
        memcpy(pair, leaves + (n - 1) * d, d);
        memcpy(pair + d, inner, d);
        status = hash_neighbours(rule, pair, 1, inner + m * d, isas);
        m++;
    }
    while (m < n - 1 && status == MC_OK) {
        const size_t end = (n + m) / 2; /* of the nodes whose children there are */
        status = hash_batch(rule, inner + (2 * m - n) * d, end - m, inner + m * d, isas, threads);
        m = end;
    }
    return status;
}

/* ---- roots ------------------------------------------------------------------------------------------------------ */

static mc_status root_in(const mc_rule *rule, const mc_messages *leaves, uint8_t *work, uint8_t *root, uint32_t isas,
                         unsigned threads) {
    const size_t d = mc_digest_bytes(rule), n = leaves->n;
    const uint8_t *nodes = leaves->rows;
    uint8_t *inner = work;
    mc_status status = MC_OK;
    if (rule->leaf != MC_LEAF_AS_IS || leaves->spans != NULL) {
        status = mc_leaf_hashes_parallel(rule, leaves, 0, work, isas, threads);
        nodes = work;
        inner = work + n * d;
    }
    if (status == MC_OK)
        status = mc_heap(rule, nodes, n, inner, isas, threads);
    if (status == MC_OK)
        memcpy(root, n > 1 ? inner + (n - 2) * d : nodes, d);
    return status;
}

mc_status mc_heap_root(const mc_rule *rule, const mc_messages *leaves, int hashed, uint8_t *root, uint32_t isas,
                       unsigned threads) {
    const size_t d = mc_digest_bytes(rule), n = leaves->n;
    mc_rule taken = *rule;
    if (hashed)
        taken.leaf = MC_LEAF_AS_IS;
    if (n <= STACK_LEAVES) {
        uint8_t work[2 * STACK_LEAVES * MC_MAX_DIGEST];
        return root_in(&taken, leaves, work, root, isas, threads);
    }
    if (n > SIZE_MAX / (2 * d))
        return MC_NO_MEMORY;
    mc_block work = {NULL, 0};
    const size_t rows = taken.leaf == MC_LEAF_AS_IS && leaves->spans == NULL ? n : 2 * n;
    mc_status status = mc_reserve(&work, 0, rows * d);
    if (status == MC_OK)
        status = root_in(&taken, leaves, work.at, root, isas, threads);
    mc_release(&work);
    return status;
}
