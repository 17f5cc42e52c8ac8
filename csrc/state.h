/* Inside the core: how the state of one message moves into a lane and out of it. */
#ifndef MC_STATE_H
#define MC_STATE_H

#include "merklecore.h"

#include <string.h>

enum {
    MC_STATE_BYTES = 25 * 8, /* of one message; Keccak's is the largest */
    MC_LANES_BYTES = MC_STATE_BYTES * MC_MAX_LANES,
};

#define MC_ALWAYS_INLINE static inline __attribute__((always_inline))

/* memcpy, inlined: most copies are shorter than a block, and a call costs more than they do. */
MC_ALWAYS_INLINE void mc_copy(uint8_t *to, const uint8_t *from, size_t n) {
    if (n >= 32) {
        for (size_t i = 0; i + 32 < n; i += 32)
            memcpy(to + i, from + i, 32);
        memcpy(to + n - 32, from + n - 32, 32);
    } else if (n >= 16) {
        memcpy(to, from, 16);
        memcpy(to + n - 16, from + n - 16, 16);
    } else if (n >= 8) {
        memcpy(to, from, 8);
        memcpy(to + n - 8, from + n - 8, 8);
    } else if (n >= 4) {
        memcpy(to, from, 4);
        memcpy(to + n - 4, from + n - 4, 4);
    } else {
        for (size_t i = 0; i < n; i++)
            to[i] = from[i];
    }
}

MC_ALWAYS_INLINE size_t mc_state_bytes(const mc_hash *hash) { return (size_t)hash->word_bytes * hash->state_words; }

MC_ALWAYS_INLINE void mc_put_words(const mc_hash *hash, const mc_lanes *run, uint8_t *state, size_t lane,
                                   const uint8_t *words) {
    uint8_t *at = state + lane * run->lane_stride;
    if (run->word_stride == hash->word_bytes)
        mc_copy(at, words, mc_state_bytes(hash));
    else if (hash->word_bytes == 4)
        for (size_t w = 0; w < hash->state_words; w++)
            memcpy(at + w * run->word_stride, words + 4 * w, 4);
    else
        for (size_t w = 0; w < hash->state_words; w++)
            memcpy(at + w * run->word_stride, words + 8 * w, 8);
}

MC_ALWAYS_INLINE void mc_get_words(const mc_hash *hash, const mc_lanes *run, const uint8_t *state, size_t lane,
                                   uint8_t *words) {
    const uint8_t *at = state + lane * run->lane_stride;
    if (run->word_stride == hash->word_bytes)
        mc_copy(words, at, mc_state_bytes(hash));
    else if (hash->word_bytes == 4)
        for (size_t w = 0; w < hash->state_words; w++)
            memcpy(words + 4 * w, at + w * run->word_stride, 4);
    else
        for (size_t w = 0; w < hash->state_words; w++)
            memcpy(words + 8 * w, at + w * run->word_stride, 8);
}

/* The whole blocks that may be taken of n bytes before what follows them is known: where the last block of a message
 * is marked as such, the last byte stays behind. */
MC_ALWAYS_INLINE size_t mc_whole_blocks(const mc_hash *hash, size_t n) {
    return hash->expect == NULL ? n / hash->block_bytes : n > 0 ? (n - 1) / hash->block_bytes : 0;
}

/* twice.c: double hashes of n headers. 0: the kernel has no way of its own for them, or they are no headers. */
int mc_hash_headers(const mc_kernel *row, const mc_messages *messages, size_t first, size_t n, uint8_t *out);

#endif
