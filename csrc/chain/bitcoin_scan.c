/* Bitcoin: one pass over the bytes of a block, and the hashes of what it finds.
 *
 * A transaction is read as Bitcoin Core's SERIALIZE_TRANSACTION reads it. What later rules ask of every input and
 * output is answered on the way (sums, signature operations, flags), so that they look again at those transactions
 * only in which there is something to find. */
#include "bitcoin.h"
#include "uint256.h"

#include <stdlib.h>

enum { OP_CHECKSIG = 0xac, OP_CHECKSIGVERIFY, OP_CHECKMULTISIG, OP_CHECKMULTISIGVERIFY };

void mc_add_fault(mc_faults *faults, mc_fault fault) {
    faults->last = fault;
    if (faults->count++ >= MC_KEPT_FAULTS)
        return;
    if (faults->count > faults->room) {
        const size_t room = faults->room == 0 ? 4 : MC_KEPT_FAULTS;
        mc_fault *at = realloc(faults->at, room * sizeof *at);
        if (at == NULL) {
            faults->lost = 1;
            faults->count--;
            return;
        }
        faults->at = at;
        faults->room = room;
    }
    faults->at[faults->count - 1] = fault;
}

/* GetSigOpCount(false): every multi-signature counts as the most keys that there may be. */
static inline uint64_t count_sigops(const uint8_t *script, size_t bytes) {
    /* the two commonest forms of an output at a glance: to the hash of a key, to the hash of a script */
    if (bytes == 25 && (mc_le32(script) & 0xffffff) == 0x14a976 && mc_le16(script + 23) == 0xac88)
        return 1;
    if (bytes == 23 && mc_le16(script) == 0x14a9 && script[22] == 0x87)
        return 0;
    mc_cursor cursor = {.begin = script, .at = script, .end = script + bytes};
    const uint8_t *push;
    size_t pushed;
    uint64_t count = 0;
    for (unsigned code; mc_operation(&cursor, &code, &push, &pushed);)
        if (code >= OP_CHECKSIG && code <= OP_CHECKMULTISIGVERIFY)
            count += code <= OP_CHECKSIGVERIFY ? 1 : 20;
    return count;
}

static int scan_inputs(mc_bitcoin_block *block, mc_cursor *cursor, mc_bitcoin_tx *tx) {
    unsigned flags = 0;
    tx->first = block->inputs;
    for (uint32_t i = 0; i < tx->inputs; i++) {
        mc_input input;
        if (!mc_next_input(cursor, &input))
            return 0;
        block->prevouts[block->inputs++] = (uint32_t)(input.prevout - block->data);
        block->sigops += count_sigops(input.script, input.script_bytes);
        if (input.sequence != 0xffffffff)
            flags |= MC_TX_OPEN;
        if (mc_is_null(input.prevout))
            flags |= MC_TX_NULL_PREVOUT;
    }
    if (tx->inputs == 1 && flags & MC_TX_NULL_PREVOUT)
        flags |= MC_TX_COINBASE;
    tx->flags |= (uint16_t)flags;
    return 1;
}

static int scan_outputs(mc_bitcoin_block *block, mc_cursor *cursor, mc_bitcoin_tx *tx) {
    mc_i128 total = 0;
    int64_t in_range = 0; /* their sum until it is out of range itself */
    if (!mc_count(cursor, MC_LEAST_OUTPUT, &tx->outputs))
        return 0;
    tx->outputs_at = (uint32_t)mc_place(cursor);
    for (uint32_t i = 0; i < tx->outputs; i++) {
        mc_output output;
        if (!mc_next_output(cursor, &output))
            return 0;
        block->sigops += count_sigops(output.script, output.script_bytes);
        total += output.value;
        if (output.value < 0 || output.value > MC_MAX_MONEY)
            tx->flags |= MC_TX_VALUES;
        else if (in_range <= MC_MAX_MONEY)
            in_range += output.value;
    }
    if (in_range > MC_MAX_MONEY)
        tx->flags |= MC_TX_VALUES;
    tx->value = total > INT64_MAX ? INT64_MAX : total < INT64_MIN ? INT64_MIN : (int64_t)total;
    return 1;
}

static int scan_witness(mc_cursor *cursor, mc_bitcoin_tx *tx) {
    for (uint32_t i = 0; i < tx->inputs; i++) {
        uint32_t items;
        size_t bytes;
        if (!mc_count(cursor, 1, &items))
            return 0;
        if (items > 0)
            tx->flags |= MC_TX_WITNESS;
        for (uint32_t k = 0; k < items; k++)
            if (mc_piece(cursor, &bytes) == NULL)
                return 0;
    }
    return 1;
}

static int scan_transaction(mc_bitcoin_block *block, mc_cursor *cursor, mc_bitcoin_tx *tx) {
    const uint8_t *from = cursor->at, *marker, *flag = NULL, *locktime;
    *tx = (mc_bitcoin_tx){.offset = (uint32_t)mc_place(cursor), .first = block->inputs};
    if (mc_take(cursor, 4) == NULL)
        return 0;
    marker = cursor->at;
    tx->head = 4;
    if (!mc_count(cursor, MC_LEAST_INPUT, &tx->inputs))
        return 0;
    const int marked = tx->inputs == 0;
    if (marked) {
        if ((flag = mc_take(cursor, 1)) == NULL)
            return 0;
        if (*flag > 1) {
            mc_fault_at(cursor, MC_UNKNOWN_WITNESS_FLAG, flag, *flag, 0);
            return 0;
        }
    }
    const int extended = marked && *flag == 1;
    if (extended) {
        tx->head = (uint16_t)(cursor->at - from); /* the marker may be written in up to nine bytes */
        if (!mc_count(cursor, MC_LEAST_INPUT, &tx->inputs))
            return 0;
    }
    tx->outputs_at = (uint32_t)mc_place(cursor);
    if (!marked || extended) /* flag 0 is the number of outputs: there are none */
        if (!scan_inputs(block, cursor, tx) || !scan_outputs(block, cursor, tx))
            return 0;
    const uint32_t body = (uint32_t)(cursor->at - from) - tx->head;
    if (extended) {
        if (!scan_witness(cursor, tx))
            return 0;
        if (!(tx->flags & MC_TX_WITNESS))
            mc_fault_at(cursor, MC_SUPERFLUOUS_WITNESS, marker, 0, 0);
    }
    if ((locktime = mc_take(cursor, 4)) == NULL)
        return 0;
    if (mc_le32(locktime) != 0)
        tx->flags |= MC_TX_LOCKED;
    tx->size = (uint32_t)(cursor->at - from);
    tx->stripped = extended ? 4 + body + 4 : tx->size;
    block->stripped += tx->stripped;
    block->flags |= tx->flags;
    block->coinbases += (tx->flags & MC_TX_COINBASE) != 0;
    return 1;
}

mc_status mc_bitcoin_scan(mc_bitcoin_block *block, const uint8_t *data, size_t size, mc_faults *faults) {
    *block = (mc_bitcoin_block){.data = data, .size = size, .end = size};
    mc_cursor cursor = {.begin = data, .at = data, .end = data + size, .faults = faults, .tx = -1};
    if (mc_take(&cursor, MC_HEADER_BYTES) == NULL || !mc_count(&cursor, MC_LEAST_TX, &block->count))
        return MC_OK;
    block->stripped = mc_place(&cursor);
    /* what the bytes can hold, and one that breaks off */
    const size_t tx_bytes = ((size_t)block->count + 1) * sizeof *block->tx;
    const size_t bytes = tx_bytes + (size / MC_LEAST_INPUT + 1) * sizeof *block->prevouts;
    block->room = malloc(bytes); /* which keeps its pages from one block to the next, as a mapping would not */
    if (block->room == NULL)
        return MC_NO_MEMORY;
    block->tx = block->room;
    block->prevouts = (uint32_t *)((uint8_t *)block->room + tx_bytes);
    for (; block->txs < block->count; block->txs++) {
        cursor.tx = (int32_t)block->txs;
        if (!scan_transaction(block, &cursor, &block->tx[block->txs]))
            return MC_OK;
    }
    cursor.tx = -1;
    block->end = (size_t)mc_place(&cursor);
    block->whole = 1;
    if (mc_left(&cursor) > 0)
        mc_fault_at(&cursor, MC_TRAILING_BYTES, cursor.at, mc_left(&cursor), 0);
    return MC_OK;
}

void mc_bitcoin_close(mc_bitcoin_block *block) {
    free(block->room);
    block->room = NULL;
    block->tx = NULL;
    block->prevouts = NULL;
}

static uint8_t *put(uint8_t *row, uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++, value >>= 8)
        *row++ = (uint8_t)value;
    return row;
}

void mc_bitcoin_table(const mc_bitcoin_block *block, uint8_t *rows) {
    for (uint32_t i = 0; i < block->txs; i++) {
        const mc_bitcoin_tx *tx = &block->tx[i];
        const uint8_t *at = block->data + tx->offset;
        rows = put(rows, tx->offset, 8);
        rows = put(rows, tx->size, 4);
        rows = put(rows, tx->stripped, 4);
        rows = put(rows, tx->inputs, 4);
        rows = put(rows, tx->outputs, 4);
        rows = put(rows, mc_le32(at), 4);
        rows = put(rows, mc_le32(at + tx->size - 4), 4);
        rows = put(rows, (uint64_t)tx->value, 8);
        rows = put(rows, tx->flags & (MC_TX_WITNESS | MC_TX_COINBASE), 1);
    }
}

/* ---- ids ------------------------------------------------------------------------------------------------------- */

static mc_status hash_some(const mc_span *spans, size_t width, size_t n, uint8_t *out, uint32_t isas) {
    const mc_messages messages = {.spans = spans, .width = width, .n = n};
    return n == 0 ? MC_OK : mc_hash_messages(MC_SHA256D, NULL, 0, &messages, 0, n, out, isas);
}

/* Long runs of one length are hashed as such: what a block of tiny transactions costs is mostly the change of lanes.
 */
static mc_status hash_spans(const mc_span *spans, size_t n, uint8_t *out, uint32_t isas) {
    enum { LONG_RUN = 64 };
    size_t mixed = 0; /* those from here on wait */
    mc_status status = MC_OK;
    for (size_t i = 0, end; i < n && status == MC_OK; i = end) {
        for (end = i + 1; end < n && spans[end].size == spans[i].size;)
            end++;
        if (end - i < LONG_RUN)
            continue;
        status = hash_some(spans + mixed, MC_MIXED, i - mixed, out + 32 * mixed, isas);
        if (status == MC_OK)
            status = hash_some(spans + i, spans[i].size, end - i, out + 32 * i, isas);
        mixed = end;
    }
    return status != MC_OK ? status : hash_some(spans + mixed, MC_MIXED, n - mixed, out + 32 * mixed, isas);
}

/* Bytes without marker, flag and witness of those transactions of [first, end) that have them. */
static size_t bytes_to_copy(const mc_bitcoin_block *block, uint32_t first, uint32_t end) {
    size_t bytes = 0;
    if (block->stripped == block->end)
        return 0;
    for (uint32_t i = first; i < end; i++)
        bytes += block->tx[i].stripped != block->tx[i].size ? block->tx[i].stripped : 0;
    return bytes;
}

/* Double SHA-256 of each transaction without marker, flag and witness: those that have them are copied. */
mc_status mc_bitcoin_txids(const mc_bitcoin_block *block, uint8_t *txids, uint32_t isas) {
    enum { WINDOW = 2048 }; /* transactions whose places stay in the nearest cache, and so do those of most blocks */
    const size_t spans_bytes = (block->txs < WINDOW ? block->txs : WINDOW) * sizeof(mc_span);
    mc_block room = {0};
    mc_status status = MC_OK;
    for (uint32_t first = 0, end; first < block->txs && status == MC_OK; first = end) {
        end = block->txs - first < WINDOW ? block->txs : first + WINDOW;
        status = mc_reserve(&room, 0, spans_bytes + bytes_to_copy(block, first, end));
        if (status != MC_OK)
            break;
        mc_span *spans = (mc_span *)room.at;
        uint8_t *to = room.at + spans_bytes;
        for (uint32_t i = first; i < end; i++) {
            const mc_bitcoin_tx *tx = &block->tx[i];
            const uint8_t *at = block->data + tx->offset;
            if (tx->stripped == tx->size) {
                spans[i - first] = (mc_span){at, tx->size};
                continue;
            }
            spans[i - first] = (mc_span){to, tx->stripped};
            memcpy(to, at, 4);
            memcpy(to + 4, at + tx->head, tx->stripped - 8);
            memcpy(to + tx->stripped - 4, at + tx->size - 4, 4);
            to += tx->stripped;
        }
        status = hash_spans(spans, end - first, txids + 32 * (size_t)first, isas);
    }
    mc_release(&room);
    return status;
}

/* BIP 141: of all bytes, where there is a witness; zero for the coinbase. */
mc_status mc_bitcoin_wtxids(const mc_bitcoin_block *block, const uint8_t *txids, uint8_t *wtxids, uint32_t isas) {
    size_t n = 0;
    mc_span *spans = malloc(((size_t)block->txs + 1) * sizeof *spans);
    if (spans == NULL)
        return MC_NO_MEMORY;
    for (uint32_t i = 1; i < block->txs; i++)
        if (block->tx[i].flags & MC_TX_WITNESS)
            spans[n++] = (mc_span){block->data + block->tx[i].offset, block->tx[i].size};
    mc_status status = hash_spans(spans, n, wtxids, isas);
    free(spans);
    /* the digests stand at the front; from behind, each moves to its place */
    for (uint32_t i = block->txs; i-- > 1;)
        if (block->tx[i].flags & MC_TX_WITNESS)
            memmove(wtxids + 32 * (size_t)i, wtxids + 32 * --n, 32);
        else
            memcpy(wtxids + 32 * (size_t)i, txids + 32 * (size_t)i, 32);
    memset(wtxids, 0, 32);
    return status;
}

mc_status mc_bitcoin_root(const uint8_t *ids, size_t n, uint8_t *root, int *mutated, uint32_t isas) {
    const mc_rule rule = {.hash = MC_SHA256D, .leaf = MC_LEAF_AS_IS, .odd = MC_ODD_DUPLICATE, .depth = -1};
    const mc_messages leaves = {.rows = ids, .width = 32, .n = n};
    const uint8_t *peak[MC_MAX_DEPTH];
    mc_peaks peaks;
    mc_edge edge;
    mc_status status = mc_reduce(&rule, &leaves, 1, &peaks, isas, 1);
    if (status != MC_OK)
        return status;
    for (int k = 0; k < MC_MAX_DEPTH; k++)
        peak[k] = peaks.node[k];
    status = mc_close(&rule, n, peak, &edge, isas);
    memcpy(root, edge.root, 32);
    *mutated = peaks.equal_pairs + edge.equal_pairs > 0;
    return status;
}
