/* Bitcoin: a block from its first byte to its report.
 *
 *     scan -> ids of transactions -> Merkle root -> header rules -> body rules
 *
 * The rules stand in the order in which their faults are reported. None needs more than the block and the context;
 * what would need the outputs that it spends is named as unchecked. */
#include "bitcoin.h"

#include <stdlib.h>

enum {
    MERKLE_AT = 36,
    BODY_AT = 80,
    MAX_SIGOPS = 80000,     /* MAX_BLOCK_SIGOPS_COST */
    TIME_LOCKS = 500000000, /* LOCKTIME_THRESHOLD */
    HALVINGS = 64,          /* from here on the subsidy is zero */
    SHORT_SCRIPT = 2,       /* bytes of a coinbase's script */
    LONG_SCRIPT = 100,
};
static const uint64_t SUBSIDY = 5000000000; /* satoshi */

static inline void add(mc_faults *faults, uint32_t code, int32_t tx, uint64_t offset, int64_t a, int64_t b) {
    mc_found(faults, (mc_fault){.code = code, .tx = tx, .offset = offset, .a = a, .b = b});
}

/* ---- the block as a whole -------------------------------------------------------------------------------------- */

static void check_extent(const mc_bitcoin_block *block, mc_faults *faults) {
    const uint64_t weight = (MC_SCALE - 1) * block->stripped + block->end;
    if (block->txs == 0)
        add(faults, MC_NO_TRANSACTIONS, -1, BODY_AT, 0, 0);
    if ((uint64_t)block->txs * MC_SCALE > MC_MAX_WEIGHT)
        add(faults, MC_TOO_MANY_TRANSACTIONS, -1, BODY_AT, block->txs, MC_MAX_WEIGHT / MC_SCALE);
    if (block->stripped * MC_SCALE > MC_MAX_WEIGHT)
        add(faults, MC_BLOCK_SIZE, -1, 0, (int64_t)block->stripped, MC_MAX_WEIGHT / MC_SCALE);
    else if (weight > MC_MAX_WEIGHT)
        add(faults, MC_BLOCK_WEIGHT, -1, 0, (int64_t)weight, MC_MAX_WEIGHT);
}

static void check_coinbase(const mc_bitcoin_block *block, mc_faults *faults) {
    const uint32_t wanting = block->txs == 0 || !(block->tx[0].flags & MC_TX_COINBASE);
    if (block->txs > 0 && wanting)
        add(faults, MC_COINBASE_MISSING, 0, block->tx[0].offset, 0, 0);
    for (uint32_t i = 1; block->coinbases > 1 - wanting && i < block->txs; i++)
        if (block->tx[i].flags & MC_TX_COINBASE)
            add(faults, MC_COINBASE_EXTRA, (int32_t)i, block->tx[i].offset, 0, 0);
}

/* ---- transactions (tx_check.cpp, CheckTransaction) -------------------------------------------------------------- */

static void check_values(const mc_bitcoin_block *block, uint32_t index, mc_faults *faults) {
    const mc_bitcoin_tx *tx = &block->tx[index];
    mc_cursor cursor = mc_reread(block, tx->outputs_at);
    mc_output output;
    int64_t sum = 0;
    for (uint32_t i = 0; i < tx->outputs && mc_next_output(&cursor, &output); i++) {
        const uint64_t at = (uint64_t)(output.at - block->data);
        if (output.value < 0) {
            add(faults, MC_VALUE_NEGATIVE, (int32_t)index, at, output.value, 0);
        } else if (output.value > MC_MAX_MONEY) {
            add(faults, MC_VALUE_TOO_LARGE, (int32_t)index, at, output.value, MC_MAX_MONEY);
        } else if (sum <= MC_MAX_MONEY) {
            sum += output.value;
            if (sum > MC_MAX_MONEY)
                add(faults, MC_VALUE_SUM, (int32_t)index, at, sum, MC_MAX_MONEY);
        }
    }
}

static void check_prevouts(const mc_bitcoin_block *block, uint32_t index, mc_faults *faults) {
    const mc_bitcoin_tx *tx = &block->tx[index];
    if (tx->flags & MC_TX_COINBASE) {
        mc_cursor cursor = mc_reread(block, block->prevouts[tx->first]);
        mc_input input;
        if (mc_next_input(&cursor, &input) && (input.script_bytes < SHORT_SCRIPT || input.script_bytes > LONG_SCRIPT))
            add(faults, MC_COINBASE_SCRIPT, (int32_t)index, (uint64_t)(input.script - block->data),
                (int64_t)input.script_bytes, 0);
        return;
    }
    for (uint32_t i = 0; i < tx->inputs; i++) {
        const uint32_t at = block->prevouts[tx->first + i];
        if (mc_is_null(block->data + at))
            add(faults, MC_NULL_PREVOUT, (int32_t)index, at, i, 0);
    }
}

static void check_transactions(const mc_bitcoin *chain, const mc_bitcoin_block *block, mc_spends *spends,
                               mc_faults *faults, mc_faults *warnings) {
    for (uint32_t i = 0; i < block->txs; i++) {
        const mc_bitcoin_tx *tx = &block->tx[i];
        const int32_t index = (int32_t)i;
        if (tx->inputs == 0)
            add(faults, MC_TX_NO_INPUTS, index, tx->offset, 0, 0);
        if (tx->outputs == 0)
            add(faults, MC_TX_NO_OUTPUTS, index, tx->offset, 0, 0);
        if ((uint64_t)tx->stripped * MC_SCALE > MC_MAX_WEIGHT)
            add(faults, MC_TX_SIZE, index, tx->offset, tx->stripped, MC_MAX_WEIGHT / MC_SCALE);
        if (tx->flags & MC_TX_VALUES)
            check_values(block, i, faults);
        if (tx->inputs > 0 && !(tx->flags & MC_TX_COINBASE))
            mc_spends_add(chain, spends, block, i, faults);
        if (tx->flags & MC_TX_NULL_PREVOUT)
            check_prevouts(block, i, faults);
        if (tx->stripped == 64)
            add(warnings, MC_TX_64_BYTES, index, tx->offset, 0, 0);
    }
}

/* ---- the coinbase ---------------------------------------------------------------------------------------------- */

/* CScript() << height: the shortest push of a number. Returns its bytes. */
static size_t push_of(uint64_t height, uint8_t script[10]) {
    size_t n = 0;
    if (height <= 16) {
        script[0] = (uint8_t)(height == 0 ? 0 : 0x50 + height);
        return 1;
    }
    for (; height > 0; height >>= 8)
        script[++n] = (uint8_t)height;
    if (script[n] & 0x80) /* would be the sign */
        script[++n] = 0;
    script[0] = (uint8_t)n;
    return n + 1;
}

static void check_coinbase_height(const mc_bitcoin *chain, const mc_bitcoin_block *block, int64_t height,
                                  mc_faults *faults) {
    uint8_t wanted[10];
    mc_input input;
    if (block->txs == 0 || !(block->tx[0].flags & MC_TX_COINBASE) || (uint64_t)height < chain->bip34_height)
        return;
    mc_cursor cursor = mc_reread(block, block->prevouts[0]);
    const size_t n = push_of((uint64_t)height, wanted);
    if (mc_next_input(&cursor, &input) && (input.script_bytes < n || memcmp(input.script, wanted, n) != 0))
        add(faults, MC_COINBASE_HEIGHT, 0, (uint64_t)(input.script - block->data), height, 0);
}

static void check_subsidy(const mc_bitcoin *chain, const mc_bitcoin_block *block, const mc_bitcoin_context *context,
                          mc_bitcoin_report *report) {
    if (block->txs != 1 || !(block->tx[0].flags & MC_TX_COINBASE))
        return;
    if (!(context->known & MC_KNOWS_HEIGHT)) {
        report->unchecked |= MC_RULE_SUBSIDY;
        return;
    }
    const uint64_t halvings = (uint64_t)(context->height + 1) / chain->halving;
    const int64_t subsidy = halvings < HALVINGS ? (int64_t)(SUBSIDY >> halvings) : 0;
    mc_cursor cursor = mc_reread(block, block->tx[0].outputs_at);
    mc_output output;
    int64_t sum = 0;
    for (uint32_t i = 0; i < block->tx[0].outputs && mc_next_output(&cursor, &output); i++)
        if (output.value >= 0 && output.value <= MC_MAX_MONEY)
            sum = sum > INT64_MAX - output.value ? INT64_MAX : sum + output.value;
    if (sum > subsidy)
        add(&report->faults, MC_COINBASE_VALUE, 0, block->tx[0].offset, sum, subsidy);
}

/* ---- finality (tx_verify.cpp, IsFinalTx) ------------------------------------------------------------------------ */

static void check_finality(const mc_bitcoin *chain, const mc_bitcoin_block *block, const mc_bitcoin_context *context,
                           mc_bitcoin_report *report) {
    const int64_t height = context->height + 1;
    uint32_t cutoff = mc_le32(block->data + 68);
    int knows_cutoff = 1;
    if ((block->flags & (MC_TX_OPEN | MC_TX_LOCKED)) != (MC_TX_OPEN | MC_TX_LOCKED))
        return;
    if (context->known & MC_KNOWS_HEIGHT && (uint64_t)height >= chain->csv_height) /* BIP 113 */
        knows_cutoff = mc_bitcoin_median(context, &cutoff);
    for (uint32_t i = 0; i < block->txs; i++) {
        const mc_bitcoin_tx *tx = &block->tx[i];
        if (!(tx->flags & MC_TX_OPEN) || !(tx->flags & MC_TX_LOCKED))
            continue;
        const uint32_t lock = mc_le32(block->data + tx->offset + tx->size - 4);
        const int by_time = lock >= TIME_LOCKS;
        if (!(context->known & MC_KNOWS_HEIGHT) || (by_time && !knows_cutoff))
            report->unchecked |= MC_RULE_FINALITY; /* of this one; what is certain of others is told */
        else if ((int64_t)lock >= (by_time ? (int64_t)cutoff : height))
            add(&report->faults, MC_NOT_FINAL, (int32_t)i, tx->offset, lock, 0);
    }
}

/* ---- all of them ----------------------------------------------------------------------------------------------- */

mc_status mc_bitcoin_body(const mc_bitcoin *chain, const mc_bitcoin_block *block, const mc_bitcoin_context *context,
                          const uint8_t *txids, const mc_commitment *commitment, uint8_t *room,
                          mc_bitcoin_report *report, uint32_t isas) {
    mc_faults *faults = &report->faults;
    mc_spends spends;
    mc_spends_open(&spends, block, &room);
    check_extent(block, faults);
    check_coinbase(block, faults);
    check_transactions(chain, block, &spends, faults, &report->warnings);
    if (context->known & MC_KNOWS_HEIGHT)
        check_coinbase_height(chain, block, context->height + 1, faults);
    else
        report->unchecked |= MC_RULE_COINBASE_HEIGHT;
    if (block->sigops * MC_SCALE > MAX_SIGOPS)
        add(faults, MC_SIGOPS, -1, 0, (int64_t)block->sigops, MAX_SIGOPS / MC_SCALE);
    check_finality(chain, block, context, report);
    mc_status status = mc_bitcoin_witness(block, context, commitment, report, isas);
    if (status != MC_OK)
        return status;
    if (chain->signet)
        mc_bitcoin_signet(chain, block, report);
    mc_bitcoin_links(chain, block, txids, &spends, room, faults);
    check_subsidy(chain, block, context, report);
    return MC_OK;
}

/* Both trees: what the second has in common with the first need not be hashed again. */
static mc_status check_merkle(const mc_bitcoin_block *block, uint8_t *txids, mc_commitment *commitment,
                              mc_bitcoin_report *report, uint32_t isas) {
    static const uint8_t none[32] = {0}; /* the root of no transactions, though no block may have that */
    int mutated = 0;
    if (block->txs == 0) {
        if (memcmp(block->data + MERKLE_AT, none, sizeof none) != 0)
            add(&report->faults, MC_MERKLE_ROOT, -1, MERKLE_AT, 0, 0);
        return MC_OK;
    }
    mc_status status = mc_bitcoin_txids(block, txids, isas);
    if (status == MC_OK)
        status = mc_bitcoin_roots(block, txids, report->root, commitment->reserved != NULL ? commitment->root : NULL,
                                  &mutated, isas);
    if (status != MC_OK)
        return status;
    report->has_root = 1;
    if (memcmp(report->root, block->data + MERKLE_AT, 32) != 0)
        add(&report->faults, MC_MERKLE_ROOT, -1, MERKLE_AT, 0, 0);
    if (mutated)
        add(&report->faults, MC_MERKLE_MUTATED, -1, MERKLE_AT, 0, 0);
    return MC_OK;
}

/* The ids, and the one more that mc_bitcoin_roots writes. */
static size_t ids_room(const mc_bitcoin_block *block) { return 32 * ((size_t)block->txs + 1); }

static mc_status check(const mc_bitcoin *chain, const mc_bitcoin_block *block, const mc_bitcoin_context *context,
                       int64_t now, uint8_t *room, mc_bitcoin_report *report, uint32_t isas) {
    uint8_t *txids = mc_cut(&room, ids_room(block));
    mc_commitment commitment = {0};
    mc_status status = MC_OK;
    if (block->whole) {
        mc_bitcoin_commitment(chain, block, context, &commitment);
        status = check_merkle(block, txids, &commitment, report, isas);
    }
    if (status != MC_OK)
        return status;
    if (block->size < MC_HEADER_BYTES) {
        report->unchecked |= mc_bitcoin_no_header(chain);
    } else {
        status = mc_hash_one(MC_SHA256D, block->data, MC_HEADER_BYTES, report->block_hash, isas);
        if (status != MC_OK)
            return status;
        report->has_header = 1;
        report->next = *context;
        mc_bitcoin_header(chain, block->data, report->block_hash, now, &report->next, &report->faults,
                          &report->unchecked);
    }
    if (block->whole)
        return mc_bitcoin_body(chain, block, context, txids, &commitment, room, report, isas);
    report->unchecked |= MC_RULES_OF_BLOCK | (chain->signet ? MC_RULE_SIGNET : 0);
    return MC_OK;
}

mc_status mc_bitcoin_check(const mc_bitcoin *chain, const uint8_t *data, size_t size,
                           const mc_bitcoin_context *context, int64_t now, mc_bitcoin_report *report, uint32_t isas) {
    mc_bitcoin_block block;
    uint8_t *room = NULL;
    *report = (mc_bitcoin_report){.unchecked = MC_RULES_OF_STATE | (chain->signet ? MC_RULE_SIGNET_SCRIPT : 0)};
    mc_status status = mc_bitcoin_scan(&block, data, size, &report->faults);
    report->size = block.end;
    report->tx_count = block.txs;
    if (status == MC_OK && (room = malloc(ids_room(&block) + mc_links_room(&block))) == NULL)
        status = MC_NO_MEMORY;
    if (status == MC_OK)
        status = check(chain, &block, context, now, room, report, isas);
    if (status == MC_OK && (report->faults.lost || report->warnings.lost))
        status = MC_NO_MEMORY;
    free(room);
    mc_bitcoin_close(&block);
    return status;
}

void mc_bitcoin_release(mc_bitcoin_report *report) {
    free(report->faults.at);
    free(report->warnings.at);
    report->faults = report->warnings = (mc_faults){0};
}

/* ---- many blocks ----------------------------------------------------------------------------------------------- */

typedef struct batch {
    const mc_bitcoin *chain;
    const mc_span *blocks;
    const mc_bitcoin_context *contexts;
    int64_t now;
    mc_bitcoin_report *reports;
    uint32_t isas;
} batch;

static mc_status check_one(void *context, size_t i, unsigned worker) {
    const batch *all = context;
    (void)worker;
    return mc_bitcoin_check(all->chain, all->blocks[i].data, all->blocks[i].size, &all->contexts[i], all->now,
                            &all->reports[i], all->isas);
}

mc_status mc_bitcoin_check_many(const mc_bitcoin *chain, const mc_span *blocks, const mc_bitcoin_context *contexts,
                                int64_t now, size_t n, mc_bitcoin_report *reports, uint32_t isas, unsigned threads) {
    batch all = {chain, blocks, contexts, now, reports, isas};
    return mc_parallel_for(n, threads, check_one, &all);
}
