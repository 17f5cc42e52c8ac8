/* Bitcoin: one pass over the bytes of a block.
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
        if (mc_is_unspendable(&output))
            tx->flags |= MC_TX_UNSPENDABLE;
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
    block->witnessed += (tx->flags & MC_TX_WITNESS) != 0;
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
