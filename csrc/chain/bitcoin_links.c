/* Bitcoin: what the transactions of one block have to do with each other.
 *
 * Ids and prevouts are looked up in tables whose buckets are chains. Which bucket is a multilinear hash under secret
 * keys (Lemire and Kaser, "Strongly universal string hashing is fast"): two different keys share one with the
 * probability that chance would give, whatever a block's author chose, so no block makes the chains long. What is
 * found never depends on the keys. */
#include "bitcoin.h"

enum { LOOK_AHEAD = 16 };                   /* inputs, or ids */
static const uint32_t NO_COIN = UINT32_MAX; /* in place of the latest input that spends an output */

/* Buckets, as a power of two: most that are looked up are not there, and their buckets are empty. */
static unsigned bits_for(size_t n) {
    unsigned bits = 4;
    while (bits < 31 && (size_t)1 << bits < 2 * n)
        bits++;
    return bits;
}

static size_t table_bytes(size_t n) {
    const mc_links *links = NULL;
    return ((size_t)1 << bits_for(n)) * sizeof *links->head + (n + 1) * sizeof *links->entry;
}

static void open_table(mc_links *links, size_t n, uint8_t **room) {
    const unsigned bits = bits_for(n);
    links->shift = 32 - bits;
    links->head = mc_cut(room, ((size_t)1 << bits) * sizeof *links->head);
    links->entry = mc_cut(room, (n + 1) * sizeof *links->entry);
    memset(links->head, 0, ((size_t)1 << bits) * sizeof *links->head);
}

size_t mc_links_room(const mc_bitcoin_block *block) {
    const mc_spends *spends = NULL;
    const size_t n = (size_t)block->inputs + 1; /* even, so that all that follows is aligned */
    return table_bytes(block->txs) + table_bytes(block->inputs) +
           (n + n % 2) * (sizeof *spends->hash + sizeof *spends->first + sizeof *spends->latest);
}

/* Two words a multiplication ("multilinear-HM"); the upper half is as good as random. */
static inline uint64_t hash_txid(const mc_bitcoin *chain, const uint8_t *txid) {
    const uint64_t *key = chain->salt;
    uint64_t sum = 0;
    for (int i = 0; i < 8; i += 2)
        sum += (key[i] + mc_le32(txid + 4 * i)) * (key[i + 1] + mc_le32(txid + 4 * i + 4));
    return sum;
}

static inline uint64_t hash_prevout(const mc_bitcoin *chain, uint64_t of_txid, const uint8_t *prevout) {
    return of_txid + (chain->salt[8] + mc_le32(prevout + 32)) * chain->salt[9];
}

static inline uint32_t tag_of(uint64_t hash) { return (uint32_t)(hash >> 32); }

/* A table is larger than the nearest caches, and what is looked up next is known. */
static inline void fetch(const mc_links *links, uint32_t tag) {
    __builtin_prefetch(&links->head[tag >> links->shift]);
}

/* A bucket that is not empty is one fetch more, which by then has its first entry at hand. */
static inline void fetch_entry(const mc_links *links, uint32_t tag) {
    __builtin_prefetch(&links->entry[links->head[tag >> links->shift]]);
}

/* The entry of a key: of entry e the key stands at at(context, e). 0: there is none. */
static inline __attribute__((always_inline)) uint32_t find(const mc_links *links, uint32_t tag, const uint8_t *key,
                                                           size_t bytes, const uint8_t *(*at)(const void *, uint32_t),
                                                           const void *context) {
    uint32_t e = links->head[tag >> links->shift];
    while (e != 0 && (links->entry[e].tag != tag || memcmp(at(context, e), key, bytes) != 0))
        e = links->entry[e].next;
    return e;
}

static inline void insert(mc_links *links, uint32_t tag, uint32_t e) {
    uint32_t *head = &links->head[tag >> links->shift];
    links->entry[e].tag = tag;
    links->entry[e].next = *head;
    *head = e;
}

/* ---- prevouts -------------------------------------------------------------------------------------------------- */

void mc_spends_open(mc_spends *spends, const mc_bitcoin_block *block, uint8_t **room) {
    const size_t n = (size_t)block->inputs + 1, even = n + n % 2;
    spends->hash = mc_cut(room, even * sizeof *spends->hash);
    spends->first = mc_cut(room, even * sizeof *spends->first);
    spends->latest = mc_cut(room, even * sizeof *spends->latest);
    open_table(&spends->links, block->inputs, room);
}

static inline const uint8_t *prevout_of(const void *context, uint32_t e) {
    const mc_bitcoin_block *block = context;
    return block->data + block->prevouts[e - 1];
}

void mc_spends_add(const mc_bitcoin *chain, mc_spends *spends, const mc_bitcoin_block *block, uint32_t index,
                   mc_faults *faults) {
    const mc_bitcoin_tx *tx = &block->tx[index];
    for (uint32_t i = tx->first; i < tx->first + tx->inputs; i++) {
        const uint8_t *prevout = block->data + block->prevouts[i];
        if (i + LOOK_AHEAD < block->inputs) /* a block is larger than the nearest cache */
            __builtin_prefetch(block->data + block->prevouts[i + LOOK_AHEAD]);
        const uint64_t of_txid = hash_txid(chain, prevout);
        const uint32_t tag = tag_of(hash_prevout(chain, of_txid, prevout));
        const uint32_t e = find(&spends->links, tag, prevout, MC_PREVOUT_BYTES, prevout_of, block);
        spends->hash[i] = of_txid;
        if (e == 0) {
            insert(&spends->links, tag, i + 1);
            spends->first[i] = spends->latest[i] = i;
            continue;
        }
        spends->first[i] = e - 1;
        if (spends->latest[e - 1] < tx->first)
            spends->latest[e - 1] = i;
        else
            mc_found(faults, (mc_fault){.code = MC_DUPLICATE_INPUT,
                                        .tx = (int32_t)index,
                                        .offset = block->prevouts[i],
                                        .a = i - tx->first,
                                        .b = spends->latest[e - 1] - tx->first});
    }
}

/* The transaction that input i of the block belongs to. */
static uint32_t spender(const mc_bitcoin_block *block, uint32_t i) {
    uint32_t low = 0, high = block->txs; /* low begins at or before i, high behind it */
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (block->tx[middle].first <= i)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* ---- ids ------------------------------------------------------------------------------------------------------- */

static inline const uint8_t *txid_of(const void *context, uint32_t e) {
    return (const uint8_t *)context + 32 * (size_t)(e - 1);
}

static void duplicates(const mc_bitcoin *chain, const mc_bitcoin_block *block, const uint8_t *txids, mc_links *links,
                       mc_faults *faults) {
    struct mc_link *const entry = links->entry;
    for (uint32_t i = 0; i < block->txs; i++)
        entry[i + 1].tag = tag_of(hash_txid(chain, txids + 32 * (size_t)i));
    for (uint32_t i = 0; i < block->txs; i++) {
        if (i + LOOK_AHEAD < block->txs) {
            fetch(links, entry[i + 1 + LOOK_AHEAD].tag);
            fetch_entry(links, entry[i + 1 + LOOK_AHEAD / 2].tag);
        }
        const uint8_t *txid = txids + 32 * (size_t)i;
        const uint32_t tag = entry[i + 1].tag, e = find(links, tag, txid, 32, txid_of, txids);
        if (e == 0)
            insert(links, tag, i + 1);
        else
            mc_found(
                faults,
                (mc_fault){.code = MC_DUPLICATE_TXID, .tx = (int32_t)i, .offset = block->tx[i].offset, .a = e - 1});
    }
}

/* Marks what is spent of outputs of which no coin is made. */
static void mark_unspendables(const mc_bitcoin *chain, const mc_bitcoin_block *block, const uint8_t *txids,
                              mc_spends *spends) {
    uint8_t prevout[MC_PREVOUT_BYTES];
    for (uint32_t t = 0; t < block->txs; t++) {
        const mc_bitcoin_tx *tx = &block->tx[t];
        mc_cursor cursor = mc_reread(block, tx->outputs_at);
        mc_output output;
        if (!(tx->flags & MC_TX_UNSPENDABLE))
            continue;
        memcpy(prevout, txids + 32 * (size_t)t, 32);
        const uint64_t of_txid = hash_txid(chain, prevout);
        for (uint32_t k = 0; k < tx->outputs && mc_next_output(&cursor, &output); k++) {
            if (!mc_is_unspendable(&output))
                continue;
            for (int i = 0; i < 4; i++)
                prevout[32 + i] = (uint8_t)(k >> 8 * i);
            const uint32_t tag = tag_of(hash_prevout(chain, of_txid, prevout));
            const uint32_t e = find(&spends->links, tag, prevout, MC_PREVOUT_BYTES, prevout_of, block);
            if (e != 0)
                spends->latest[e - 1] = NO_COIN;
        }
    }
}

/* Input i of the block, the k-th of transaction `index`. */
static inline void check_input(const mc_bitcoin_block *block, const mc_spends *spends, uint32_t index, uint32_t i,
                               uint32_t creator, mc_faults *faults) {
    const mc_bitcoin_tx *tx = &block->tx[index];
    const uint8_t *prevout = block->data + block->prevouts[i];
    mc_fault fault = {.tx = (int32_t)index, .offset = block->prevouts[i], .a = i - tx->first};
    if (creator != 0) {
        const uint32_t j = creator - 1;
        fault.code = j > index                                       ? MC_FORWARD_REFERENCE
                     : j == 0                                        ? MC_SPENDS_COINBASE
                     : mc_le32(prevout + 32) >= block->tx[j].outputs ? MC_MISSING_OUTPUT
                     : spends->latest[spends->first[i]] == NO_COIN   ? MC_MISSING_OUTPUT
                                                                     : 0;
        fault.b = j;
    }
    if (fault.code == 0 && spends->first[i] < tx->first && !mc_is_null(prevout)) {
        fault.code = MC_DOUBLE_SPEND;
        fault.b = faults->count < MC_KEPT_FAULTS ? spender(block, spends->first[i]) : 0; /* nobody would see it */
    }
    if (fault.code != 0)
        mc_found(faults, fault);
}

void mc_bitcoin_links(const mc_bitcoin *chain, const mc_bitcoin_block *block, const uint8_t *txids, mc_spends *spends,
                      uint8_t *room, mc_faults *faults) {
    mc_links links;
    int marked = 0;
    open_table(&links, block->txs, &room);
    duplicates(chain, block, txids, &links, faults);
    for (uint32_t t = 0; t < block->txs && block->inputs > block->coinbases; t++) {
        const mc_bitcoin_tx *tx = &block->tx[t];
        if (tx->flags & MC_TX_COINBASE)
            continue;
        for (uint32_t i = tx->first; i < tx->first + tx->inputs; i++) {
            const uint8_t *prevout = block->data + block->prevouts[i];
            const uint32_t creator = find(&links, tag_of(spends->hash[i]), prevout, 32, txid_of, txids);
            /* few blocks spend from a transaction that has one of them */
            if (creator != 0 && !marked && block->tx[creator - 1].flags & MC_TX_UNSPENDABLE) {
                mark_unspendables(chain, block, txids, spends);
                marked = 1;
            }
            check_input(block, spends, t, i, creator, faults);
        }
    }
}
