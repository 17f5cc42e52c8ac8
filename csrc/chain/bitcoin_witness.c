/* Bitcoin: the witness commitment (BIP 141) and the form of a signet's solution (BIP 325). */
#include "bitcoin.h"

#include <stdlib.h>

enum {
    LEAST_COMMITMENT = 38, /* MINIMUM_WITNESS_COMMITMENT */
    RESERVED = 32,
};
static const uint8_t COMMITMENT[6] = {0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed};
static const uint8_t SIGNET_HEADER[4] = {0xec, 0xc7, 0xda, 0xa2};

/* The last output of the first transaction that commits to witnesses (GetWitnessCommitmentIndex). */
static int find_commitment(const mc_bitcoin_block *block, mc_output *commitment) {
    mc_cursor cursor = mc_reread(block, block->tx[0].outputs_at);
    mc_output output;
    int any = 0;
    for (uint32_t i = 0; i < block->tx[0].outputs && mc_next_output(&cursor, &output); i++)
        if (output.script_bytes >= LEAST_COMMITMENT && memcmp(output.script, COMMITMENT, sizeof COMMITMENT) == 0) {
            *commitment = output;
            any = 1;
        }
    return any;
}

/* The one item of 32 bytes that the first input's witness must be; NULL where it is not. */
static const uint8_t *reserved_value(const mc_bitcoin_block *block) {
    const mc_bitcoin_tx *tx = &block->tx[0];
    mc_cursor cursor = mc_reread(block, tx->offset + tx->head + tx->stripped - 8); /* less version and lock time */
    uint32_t items;
    size_t bytes;
    if (!(tx->flags & MC_TX_WITNESS) || !mc_count(&cursor, 1, &items) || items != 1)
        return NULL;
    const uint8_t *item = mc_piece(&cursor, &bytes);
    return item != NULL && bytes == RESERVED ? item : NULL;
}

static void add(mc_bitcoin_report *report, uint32_t code, uint32_t tx, uint64_t offset) {
    mc_found(&report->faults, (mc_fault){.code = code, .tx = (int32_t)tx, .offset = offset});
}

void mc_bitcoin_commitment(const mc_bitcoin *chain, const mc_bitcoin_block *block, const mc_bitcoin_context *context,
                           mc_commitment *commitment) {
    mc_output output;
    *commitment = (mc_commitment){0};
    if (block->txs == 0 || !find_commitment(block, &output))
        return;
    commitment->script = output.script;
    /* without a height it is right where witnesses are in force, without any or with all, and wrong before */
    commitment->binds = context->known & MC_KNOWS_HEIGHT ? (uint64_t)(context->height + 1) >= chain->segwit_height
                                                         : (block->flags & MC_TX_WITNESS) != 0;
    if (commitment->binds)
        commitment->reserved = reserved_value(block);
}

static mc_status check_commitment(const mc_bitcoin_block *block, const mc_commitment *commitment,
                                  mc_bitcoin_report *report, uint32_t isas) {
    const uint8_t *wanted = commitment->script + sizeof COMMITMENT;
    uint8_t pair[64], digest[32];
    if (commitment->reserved == NULL) {
        add(report, MC_WITNESS_RESERVED, 0, block->tx[0].offset);
        return MC_OK;
    }
    memcpy(pair, commitment->root, 32);
    memcpy(pair + 32, commitment->reserved, RESERVED);
    mc_status status = mc_hash_one(MC_SHA256D, pair, sizeof pair, digest, isas);
    if (status == MC_OK && memcmp(digest, wanted, sizeof digest) != 0)
        add(report, MC_WITNESS_COMMITMENT, 0, (uint64_t)(commitment->script - block->data));
    return status;
}

mc_status mc_bitcoin_witness(const mc_bitcoin_block *block, const mc_bitcoin_context *context,
                             const mc_commitment *commitment, mc_bitcoin_report *report, uint32_t isas) {
    const int knows_height = (context->known & MC_KNOWS_HEIGHT) != 0;
    const uint64_t faults = report->faults.count;
    if (commitment->binds) {
        mc_status status = check_commitment(block, commitment, report, isas);
        if (status != MC_OK)
            return status;
    } else if (block->flags & MC_TX_WITNESS) {
        uint32_t i = 0;
        while (!(block->tx[i].flags & MC_TX_WITNESS))
            i++;
        add(report, MC_WITNESS_UNEXPECTED, i, block->tx[i].offset);
    }
    if (commitment->script != NULL && !knows_height && report->faults.count == faults)
        report->unchecked |= MC_RULE_WITNESS;
    return MC_OK;
}

/* A script and a witness behind the header, and nothing else. */
static int is_solution(const uint8_t *data, size_t bytes) {
    mc_faults faults = {0};
    mc_cursor cursor = {.begin = data, .at = data, .end = data + bytes, .faults = &faults};
    uint32_t items;
    size_t size;
    int whole = mc_piece(&cursor, &size) != NULL && mc_count(&cursor, 1, &items);
    for (uint32_t i = 0; whole && i < items; i++)
        whole = mc_piece(&cursor, &size) != NULL;
    const int clean = whole && mc_left(&cursor) == 0 && faults.count == 0; /* a long form is counted as a fault */
    free(faults.at);
    return clean;
}

void mc_bitcoin_signet(const mc_bitcoin *chain, const mc_bitcoin_block *block, mc_bitcoin_report *report) {
    static const uint8_t none[32] = {0};
    mc_output commitment;
    if (block->txs == 0 || memcmp(block->data + 4, none, sizeof none) == 0)
        return;
    int holds = 0;
    if (find_commitment(block, &commitment)) {
        mc_cursor cursor = {
            .begin = commitment.script, .at = commitment.script, .end = commitment.script + commitment.script_bytes};
        const uint8_t *push;
        size_t pushed;
        holds = chain->trivial_challenge;
        for (unsigned code; mc_operation(&cursor, &code, &push, &pushed);)
            if (pushed > sizeof SIGNET_HEADER && memcmp(push, SIGNET_HEADER, sizeof SIGNET_HEADER) == 0) {
                holds = is_solution(push + sizeof SIGNET_HEADER, pushed - sizeof SIGNET_HEADER);
                break;
            }
    }
    if (!holds)
        add(report, MC_SIGNET_SOLUTION, 0, block->tx[0].offset);
}
