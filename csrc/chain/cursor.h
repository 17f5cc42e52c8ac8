/* Inside the core: reading untrusted bytes. The only place where the bounds of a block are checked.
 *
 * Every reader either returns what it read and moves on, or adds a fault that says what did not fit and where, stays
 * where it is and returns NULL or 0: whoever called it gives up. Nothing is allocated here, and no count is believed
 * that the bytes behind it could not hold. */
#ifndef MC_CURSOR_H
#define MC_CURSOR_H

#include "../merklecore.h"

#include <string.h>

static inline uint32_t mc_le16(const uint8_t *at) { return (uint32_t)at[0] | (uint32_t)at[1] << 8; }
static inline uint32_t mc_le32(const uint8_t *at) { return mc_le16(at) | mc_le16(at + 2) << 16; }
static inline uint64_t mc_le64(const uint8_t *at) { return mc_le32(at) | (uint64_t)mc_le32(at + 4) << 32; }

/* Whether two ids are the same: a call of memcmp would cost more. */
static inline int mc_same_id(const uint8_t *a, const uint8_t *b) {
    uint64_t x[4], y[4];
    memcpy(x, a, 32);
    memcpy(y, b, 32);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3])) == 0;
}

typedef struct mc_cursor {
    const uint8_t *begin, *at, *end;
    mc_faults *faults; /* NULL: nobody asks what was wrong */
    int32_t tx;        /* the transaction under way, for the faults; -1 outside */
} mc_cursor;

enum { MC_MAX_COMPACT = 0x02000000 }; /* the largest compact size that is read at all */

static inline size_t mc_left(const mc_cursor *cursor) { return (size_t)(cursor->end - cursor->at); }
static inline uint64_t mc_place(const mc_cursor *cursor) { return (uint64_t)(cursor->at - cursor->begin); }

/* At most MC_KEPT_FAULTS are kept, all are counted. */
static inline void mc_fault_at(const mc_cursor *cursor, uint32_t code, const uint8_t *at, uint64_t a, uint64_t b) {
    if (cursor->faults != NULL)
        mc_add_fault(cursor->faults, (mc_fault){.code = code,
                                                .tx = cursor->tx,
                                                .offset = (uint64_t)(at - cursor->begin),
                                                .a = (int64_t)a,
                                                .b = (int64_t)b});
}

/* The next n bytes. */
static inline const uint8_t *mc_take(mc_cursor *cursor, size_t n) {
    const uint8_t *at = cursor->at;
    if (n > mc_left(cursor)) {
        mc_fault_at(cursor, MC_TRUNCATED, at, n, mc_left(cursor));
        return NULL;
    }
    cursor->at += n;
    return at;
}

/* A compact size of more than one byte. */
static inline int mc_long_compact(mc_cursor *cursor, uint64_t *value) {
    const uint8_t *at = cursor->at;
    const size_t bytes = mc_left(cursor) == 0 ? 1 : (size_t)1 + ((size_t)2 << (at[0] - 253));
    if (mc_take(cursor, bytes) == NULL)
        return 0;
    *value = bytes == 3 ? mc_le16(at + 1) : bytes == 5 ? mc_le32(at + 1) : mc_le64(at + 1);
    const uint64_t least = bytes == 3 ? 253 : bytes == 5 ? 1u << 16 : (uint64_t)1 << 32;
    if (*value < least)
        mc_fault_at(cursor, MC_NON_CANONICAL_SIZE, at, *value, 0);
    if (*value > MC_MAX_COMPACT) {
        mc_fault_at(cursor, MC_SIZE_TOO_LARGE, at, *value, 0);
        return 0;
    }
    return 1;
}

static inline int mc_compact(mc_cursor *cursor, uint64_t *value) {
    if (mc_left(cursor) == 0 || *cursor->at >= 253)
        return mc_long_compact(cursor, value);
    *value = *cursor->at++;
    return 1;
}

/* How many things follow, of which each takes at least `least` bytes. */
static inline int mc_count(mc_cursor *cursor, size_t least, uint32_t *count) {
    const uint8_t *at = cursor->at;
    uint64_t value;
    if (!mc_compact(cursor, &value))
        return 0;
    if (value > mc_left(cursor) / least) {
        mc_fault_at(cursor, MC_COUNT_BEYOND_END, at, value, mc_left(cursor));
        return 0;
    }
    *count = (uint32_t)value;
    return 1;
}

/* Bytes that stand behind their length: a script, an item of a witness. */
static inline const uint8_t *mc_piece(mc_cursor *cursor, size_t *size) {
    const uint8_t *at = cursor->at;
    uint64_t value;
    if (!mc_compact(cursor, &value))
        return NULL;
    if (value > mc_left(cursor)) {
        mc_fault_at(cursor, MC_LENGTH_BEYOND_END, at, value, mc_left(cursor));
        return NULL;
    }
    *size = (size_t)value;
    at = cursor->at;
    cursor->at += value;
    return at;
}

/* The next operation of a script, with the bytes that it pushes; 0 at the end, and where a push runs over it. */
static inline int mc_operation(mc_cursor *cursor, unsigned *code, const uint8_t **push, size_t *pushed) {
    enum { PUSHDATA1 = 0x4c, PUSHDATA4 = 0x4e };
    const uint8_t *at = cursor->at;
    size_t left = mc_left(cursor), size = 0;
    if (left == 0)
        return 0;
    left--;
    *code = *at++;
    if (*code <= PUSHDATA4) {
        size = *code;
        if (*code >= PUSHDATA1) {
            const size_t bytes = (size_t)1 << (*code - PUSHDATA1);
            if (bytes > left)
                return 0;
            size = bytes == 1 ? at[0] : bytes == 2 ? mc_le16(at) : mc_le32(at);
            at += bytes;
            left -= bytes;
        }
        if (size > left)
            return 0;
    }
    *push = at;
    *pushed = size;
    cursor->at = at + size;
    return 1;
}

#endif
