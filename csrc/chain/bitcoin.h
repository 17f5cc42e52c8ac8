/* Inside the core: what the files of the Bitcoin engine share. */
#ifndef MC_BITCOIN_H
#define MC_BITCOIN_H

#include "cursor.h"

enum {
    MC_PREVOUT_BYTES = 36,
    /* the fewest bytes of a transaction, an input, an output */
    MC_LEAST_TX = 10,
    MC_LEAST_INPUT = 41,
    MC_LEAST_OUTPUT = 9,
    /* flags of a transaction behind those of merklecore.h */
    MC_TX_VALUES = 4,        /* a value or their sum is out of range */
    MC_TX_NULL_PREVOUT = 8,  /* an input is null */
    MC_TX_OPEN = 16,         /* an input is not final */
    MC_TX_LOCKED = 32,       /* the lock time is not zero */
    MC_TX_UNSPENDABLE = 64,  /* of an output no coin is made */
    MC_MAX_WEIGHT = 4000000, /* MAX_BLOCK_WEIGHT */
    MC_SCALE = 4,            /* WITNESS_SCALE_FACTOR */
};
static const int64_t MC_MAX_MONEY = 2100000000000000; /* satoshi */

/* What a rule finds. A block may hold a fault for every few bytes: those that are only counted cost no more. */
static inline void mc_found(mc_faults *faults, mc_fault fault) {
    if (faults->count >= MC_KEPT_FAULTS)
        faults->count++;
    else
        mc_add_fault(faults, fault);
}

typedef struct mc_input {
    const uint8_t *prevout, *script;
    size_t script_bytes;
    uint32_t sequence;
} mc_input;

static inline int mc_next_input(mc_cursor *cursor, mc_input *input) {
    const uint8_t *sequence;
    if ((input->prevout = mc_take(cursor, MC_PREVOUT_BYTES)) == NULL ||
        (input->script = mc_piece(cursor, &input->script_bytes)) == NULL || (sequence = mc_take(cursor, 4)) == NULL)
        return 0;
    input->sequence = mc_le32(sequence);
    return 1;
}

typedef struct mc_output {
    const uint8_t *at, *script; /* the value stands first */
    size_t script_bytes;
    int64_t value;
} mc_output;

static inline int mc_next_output(mc_cursor *cursor, mc_output *output) {
    if ((output->at = mc_take(cursor, 8)) == NULL ||
        (output->script = mc_piece(cursor, &output->script_bytes)) == NULL)
        return 0;
    output->value = (int64_t)mc_le64(output->at);
    return 1;
}

/* AddCoin leaves out what no script can spend (CScript::IsUnspendable): it is as if it were not there. */
static inline int mc_is_unspendable(const mc_output *output) {
    enum { OP_RETURN = 0x6a, MAX_SCRIPT = 10000 };
    return (output->script_bytes > 0 && output->script[0] == OP_RETURN) || output->script_bytes > MAX_SCRIPT;
}

static inline int mc_is_null(const uint8_t *prevout) {
    static const uint8_t zeros[32] = {0};
    return mc_le32(prevout + 32) == 0xffffffff && mc_same_id(prevout, zeros);
}

/* Over the inputs or outputs of a transaction that the scan has read: nothing can be wrong any more. */
static inline mc_cursor mc_reread(const mc_bitcoin_block *block, uint32_t from) {
    return (mc_cursor){.begin = block->data, .at = block->data + from, .end = block->data + block->end, .tx = -1};
}

/* Checks a header against `context`, which becomes the one behind it, and returns the first fault. */
uint32_t mc_bitcoin_header(const mc_bitcoin *chain, const uint8_t *header, const uint8_t *hash, int64_t now,
                           mc_bitcoin_context *context, mc_faults *faults, uint32_t *unchecked);
/* The rules that a block without a header leaves open. */
uint32_t mc_bitcoin_no_header(const mc_bitcoin *chain);

/* Median of the last times; 0 where not all are known that there must be. */
int mc_bitcoin_median(const mc_bitcoin_context *context, uint32_t *median);

/* witness and signet: bitcoin_witness.c */
typedef struct mc_commitment {
    const uint8_t *script;   /* of the output that commits to witnesses; NULL: there is none */
    int binds;               /* it must hold, as far as can be told */
    const uint8_t *reserved; /* what is hashed with the root; NULL where it is malformed */
    uint8_t root[32];        /* of the tree of wtxids, which the caller fills in where there is anything reserved */
} mc_commitment;
void mc_bitcoin_commitment(const mc_bitcoin *chain, const mc_bitcoin_block *block, const mc_bitcoin_context *context,
                           mc_commitment *commitment);
mc_status mc_bitcoin_witness(const mc_bitcoin_block *block, const mc_bitcoin_context *context,
                             const mc_commitment *commitment, mc_bitcoin_report *report, uint32_t isas);
void mc_bitcoin_signet(const mc_bitcoin *chain, const mc_bitcoin_block *block, mc_bitcoin_report *report);

/* Body rules, in order, of a block that the scan has read whole; `room` is what mc_links_room says. */
mc_status mc_bitcoin_body(const mc_bitcoin *chain, const mc_bitcoin_block *block, const mc_bitcoin_context *context,
                          const uint8_t *txids, const mc_commitment *commitment, uint8_t *room,
                          mc_bitcoin_report *report, uint32_t isas);

/* The roots of the tree of txids and, unless `witness_root` is NULL, of the tree of wtxids. Of txids there is one at
 * least, and behind the last one room for another, which is written to. */
mc_status mc_bitcoin_roots(const mc_bitcoin_block *block, uint8_t *txids, uint8_t *root, uint8_t *witness_root,
                           int *mutated, uint32_t isas);

/* Takes `bytes` off the front of a room that was measured beforehand for all the tables of a block. */
static inline void *mc_cut(uint8_t **room, size_t bytes) {
    void *at = *room;
    *room += bytes;
    return at;
}

/* Tables of ids: bitcoin_links.c. Chains of entries that share a bucket; entry 0 is none. */
typedef struct mc_links {
    struct mc_link {
        uint32_t tag, next;
    } *entry;
    uint32_t *head;
    unsigned shift;
} mc_links;

/* Who first spent each prevout. */
typedef struct mc_spends {
    mc_links links;
    uint32_t *first;  /* of each input: the first one of the block with its prevout */
    uint32_t *latest; /* of a first one: the first with its prevout in the latest transaction that has it; in
                         mc_bitcoin_links whether there is no coin */
    uint64_t *hash;   /* of each prevout's txid, under the salt */
} mc_spends;
void mc_spends_open(mc_spends *spends, const mc_bitcoin_block *block, uint8_t **room);
void mc_spends_add(const mc_bitcoin *chain, mc_spends *spends, const mc_bitcoin_block *block, uint32_t tx,
                   mc_faults *faults);

/* duplicate_txids, links */
void mc_bitcoin_links(const mc_bitcoin *chain, const mc_bitcoin_block *block, const uint8_t *txids, mc_spends *spends,
                      uint8_t *room, mc_faults *faults);

/* The room that the tables of a block take together. */
size_t mc_links_room(const mc_bitcoin_block *block);

#endif
