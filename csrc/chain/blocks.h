/* merklecore: the C API of floor 0, of blocks. Part of merklecore.h, which includes it. */
#ifndef MC_BLOCKS_H
#define MC_BLOCKS_H

#include "../merklecore.h"

/* What is wrong with a block, and where: offsets count from its first byte. */
typedef struct mc_fault {
    uint32_t code;
    int32_t tx; /* index of the transaction; -1: none is meant */
    uint64_t offset;
    int64_t a, b; /* what was found and what was wanted; sizes are unsigned */
} mc_fault;

enum { MC_KEPT_FAULTS = 100 };
typedef struct mc_faults { /* the first ones in order, and the number of all */
    mc_fault *at, last;    /* of a scan: what ended it */
    size_t room;
    uint64_t count;
    int lost; /* there was no memory for one of them */
} mc_faults;
void mc_add_fault(mc_faults *faults, mc_fault fault);

typedef struct mc_u256 {
    uint64_t word[4]; /* the least significant first */
} mc_u256;

enum { /* codes of faults: merklecore.blocks.Code says what they mean */
       MC_TRUNCATED = 1,
       MC_TRAILING_BYTES,
       MC_NON_CANONICAL_SIZE,
       MC_SIZE_TOO_LARGE,
       MC_LENGTH_BEYOND_END,
       MC_COUNT_BEYOND_END,
       MC_BAD_MAGIC, /* of block files, which are read above */
       MC_SUPERFLUOUS_WITNESS,
       MC_UNKNOWN_WITNESS_FLAG,
       MC_MERKLE_ROOT = 20,
       MC_MERKLE_MUTATED,
       MC_VERSION = 40,
       MC_PREV_HASH,
       MC_TARGET_NEGATIVE,
       MC_TARGET_OVERFLOW,
       MC_TARGET_ZERO,
       MC_TARGET_ABOVE_LIMIT,
       MC_HASH_ABOVE_TARGET,
       MC_BITS,
       MC_TIME_TOO_OLD,
       MC_TIMEWARP,
       MC_TIME_TOO_NEW,
       MC_GENESIS,
       MC_NO_TRANSACTIONS = 60,
       MC_TOO_MANY_TRANSACTIONS,
       MC_BLOCK_SIZE,
       MC_BLOCK_WEIGHT,
       MC_COINBASE_MISSING,
       MC_COINBASE_EXTRA,
       MC_COINBASE_HEIGHT,
       MC_SIGOPS,
       MC_TX_NO_INPUTS = 70,
       MC_TX_NO_OUTPUTS,
       MC_TX_SIZE,
       MC_VALUE_NEGATIVE,
       MC_VALUE_TOO_LARGE,
       MC_VALUE_SUM,
       MC_DUPLICATE_INPUT,
       MC_COINBASE_SCRIPT,
       MC_NULL_PREVOUT,
       MC_NOT_FINAL,
       MC_WITNESS_UNEXPECTED = 80,
       MC_WITNESS_RESERVED,
       MC_WITNESS_COMMITMENT,
       MC_SIGNET_SOLUTION,
       MC_DUPLICATE_TXID,
       MC_FORWARD_REFERENCE,
       MC_SPENDS_COINBASE,
       MC_MISSING_OUTPUT,
       MC_DOUBLE_SPEND,
       MC_COINBASE_VALUE,
       MC_TX_64_BYTES = 100,
};

enum { /* rules, as bits of what was not checked */
       MC_RULE_VERSION = 1 << 0,
       MC_RULE_LINKAGE = 1 << 1,
       MC_RULE_TARGET = 1 << 2,
       MC_RULE_PROOF_OF_WORK = 1 << 3,
       MC_RULE_DIFFICULTY = 1 << 4,
       MC_RULE_MEDIAN_TIME = 1 << 5,
       MC_RULE_TIMEWARP = 1 << 6,
       MC_RULE_FUTURE_TIME = 1 << 7,
       MC_RULE_MERKLE = 1 << 8,
       MC_RULE_TRANSACTIONS = 1 << 9,
       MC_RULE_SIZE = 1 << 10,
       MC_RULE_WEIGHT = 1 << 11,
       MC_RULE_COINBASE = 1 << 12,
       MC_RULE_TRANSACTION = 1 << 13,
       MC_RULE_COINBASE_HEIGHT = 1 << 14,
       MC_RULE_SIGOPS = 1 << 15,
       MC_RULE_FINALITY = 1 << 16,
       MC_RULE_WITNESS = 1 << 17,
       MC_RULE_SIGNET = 1 << 18,
       MC_RULE_DUPLICATE_TXIDS = 1 << 19,
       MC_RULE_LINKS = 1 << 20,
       MC_RULE_SUBSIDY = 1 << 21,
       MC_RULES_OF_STATE = 0x7f << 22, /* previous_outputs bip30 bip68 maturity fees p2sh_witness_sigops scripts */
       MC_RULE_SIGNET_SCRIPT = 1 << 29,
       /* those that need all of a block: merkle, transactions ... finality, witness, duplicate_txids, links, subsidy
        */
       MC_RULES_OF_BLOCK = 0x3fff << 8 & ~MC_RULE_SIGNET,
};

typedef struct mc_bitcoin { /* a network */
    mc_u256 pow_limit;
    uint64_t bip34_height, bip65_height, bip66_height, csv_height, segwit_height;
    uint64_t halving; /* not 0 */
    int twenty_minutes, no_retarget, bip94;
    int knows_genesis;
    uint8_t genesis[32];           /* the hash of the first block */
    int signet, trivial_challenge; /* has a challenge; it is OP_TRUE, which needs no solution */
    uint64_t salt[10]; /* secret and random: whoever writes a block cannot foresee where its ids fall in a table */
} mc_bitcoin;

enum {
    MC_KNOWS_HEIGHT = 1,
    MC_KNOWS_PREV_HASH = 2,
    MC_KNOWS_PERIOD_START = 4,
    MC_KNOWS_BITS = 8,
    MC_KNOWS_CHAINWORK = 16,
    MC_KNOWS_PERIOD_BITS = 32,
    MC_KNOWS_REAL_BITS = 64,
};
enum { MC_TIMES = 11 };
typedef struct mc_bitcoin_context { /* the chain as it stands after a block: blocks.Context */
    uint32_t known;
    uint32_t n_times;
    int64_t height; /* from -1, before the first block, to 2^31 - 1 */
    uint32_t times[MC_TIMES], period_start, bits, period_bits, real_bits;
    uint8_t prev_hash[32];
    mc_u256 chainwork;
} mc_bitcoin_context;

enum { MC_NEVER_MIND = -1 }; /* for `now`: nobody knows what time it is */

typedef struct mc_bitcoin_report {
    mc_faults faults, warnings;
    uint32_t unchecked;
    int has_header, has_root;
    uint8_t block_hash[32], root[32];
    uint64_t size; /* where the last transaction ends; all there is where the scan broke off */
    uint64_t tx_count;
    mc_bitcoin_context next;
} mc_bitcoin_report;
void mc_bitcoin_release(mc_bitcoin_report *report);

/* Checks a block of less than 2^32 bytes. `report` is written whatever the status, and to be released. */
mc_status mc_bitcoin_check(const mc_bitcoin *chain, const uint8_t *data, size_t size,
                           const mc_bitcoin_context *context, int64_t now, mc_bitcoin_report *report, uint32_t isas);
/* The same of n blocks; `reports` are zero before. */
mc_status mc_bitcoin_check_many(const mc_bitcoin *chain, const mc_span *blocks, const mc_bitcoin_context *contexts,
                                int64_t now, size_t n, mc_bitcoin_report *reports, uint32_t isas, unsigned threads);

/* Headers, rows of 80 bytes that follow one another. codes[i]: the first fault of row i, or 0; hashes, works: n rows
 * of 32 bytes, the work big-endian and cumulative. `next` is the context before them and becomes the one behind;
 * it and `unchecked` are written only when all are checked. */
mc_status mc_bitcoin_headers(const mc_bitcoin *chain, const mc_messages *rows, int64_t now, uint32_t *codes,
                             uint8_t *hashes, uint8_t *works, uint32_t *unchecked, mc_bitcoin_context *next,
                             uint32_t isas);

typedef struct mc_bitcoin_tx { /* of less than 2^32 bytes */
    int64_t value;             /* of all outputs, clamped */
    uint32_t offset, size, stripped;
    uint32_t inputs, outputs;
    uint32_t first;      /* its first input among those of the block */
    uint32_t outputs_at; /* where its first output stands */
    uint16_t head;       /* bytes before the number of its inputs: version, and marker and flag */
    uint16_t flags;
} mc_bitcoin_tx;
enum { MC_TX_WITNESS = 1, MC_TX_COINBASE = 2 }; /* flags that a table shows; others are internal */

typedef struct mc_bitcoin_block { /* what one pass over the bytes finds */
    const uint8_t *data;
    size_t size, end;   /* bytes given, and where the last transaction ends */
    int whole;          /* no fault ended the scan */
    uint32_t count;     /* of transactions, as promised */
    uint32_t txs;       /* those read */
    uint32_t coinbases; /* of those, in the form of one */
    mc_bitcoin_tx *tx;
    uint32_t *prevouts; /* where each input stands */
    uint32_t inputs;
    uint32_t witnessed;        /* transactions with a witness */
    uint64_t stripped, sigops; /* bytes without witnesses; legacy signature operations */
    uint32_t flags;            /* of all transactions together */
    void *room;                /* of both tables */
} mc_bitcoin_block;
mc_status mc_bitcoin_scan(mc_bitcoin_block *block, const uint8_t *data, size_t size, mc_faults *faults);
void mc_bitcoin_close(mc_bitcoin_block *block);
mc_status mc_bitcoin_txids(const mc_bitcoin_block *block, uint8_t *txids, uint32_t isas);
enum { MC_BITCOIN_ROW = 41 };
void mc_bitcoin_table(const mc_bitcoin_block *block, uint8_t *rows); /* MC_BITCOIN_ROW bytes a transaction */

#endif
