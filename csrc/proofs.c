/* Proofs: which nodes one needs, and the root that it folds to. */
#include "merklecore.h"

#include <string.h>

/* ---- inclusion proofs ------------------------------------------------------------------------------------------ */

mc_status mc_plan(const mc_rule *rule, uint64_t index, uint64_t size, mc_step steps[MC_MAX_DEPTH], size_t *count) {
    *count = 0;
    if (index >= size)
        return MC_BAD_INDEX;
    for (unsigned k = 0; k < MC_MAX_DEPTH; k++) {
        const uint64_t at = index >> k, last = (size - 1) >> k;
        mc_step *step = &steps[*count];
        if (last == 0 && (int)k >= rule->depth)
            break;
        step->level = (uint8_t)k;
        if (at & 1)
            step->side = MC_SIBLING_LEFT;
        else if (at < last)
            step->side = MC_SIBLING_RIGHT;
        else if (rule->odd == MC_ODD_SPLIT)
            continue; /* a lone node rises */
        else
            step->side = rule->odd == MC_ODD_DUPLICATE ? MC_SIBLING_COPY : MC_SIBLING_ZERO;
        ++*count;
    }
    return MC_OK;
}

mc_status mc_fold(const mc_rule *rule, const uint8_t *leaf_hash, const uint8_t *const *path, const mc_step *steps,
                  size_t count, uint8_t *root, size_t *fault, uint32_t isas) {
    const size_t d = mc_hashes[rule->hash].digest_bytes;
    uint8_t pair[2 * MC_MAX_DIGEST], node[MC_MAX_DIGEST];
    memcpy(node, leaf_hash, d);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *sibling = path[i];
        const unsigned side = steps[i].side;
        *fault = i;
        if (rule->odd == MC_ODD_DUPLICATE && (side == MC_SIBLING_COPY) != (memcmp(sibling, node, d) == 0))
            return MC_BAD_SIBLING;
        if (side == MC_SIBLING_ZERO && memcmp(sibling, rule->zeros + steps[i].level * d, d) != 0)
            return MC_BAD_ZERO;
        const int left = side == MC_SIBLING_LEFT;
        memcpy(pair, left ? sibling : node, d);
        memcpy(pair + d, left ? node : sibling, d);
        mc_status status = mc_hash_siblings(rule, pair, 1, node, isas);
        if (status != MC_OK)
            return status;
    }
    memcpy(root, node, d);
    return MC_OK;
}
