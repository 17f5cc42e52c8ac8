/* BLAKE3, 32 bytes of output, no key (the BLAKE3 paper, section 2).
 *
 * A message is cut into chunks of 1,024 bytes, each a chain of at most 16 blocks; pairs of chunks and of what stands
 * over them are joined by parent nodes, themselves one block each (chunks.c). One compression serves all: what it is
 * for stands in the flags of its last words. So the state of a lane is h[0..7] and five words more: the bytes still to
 * come, the chunk's number (two words), the flags of the next block for being the first, and those of the last block
 * for being the last. Lanes of any length, chunks and parents run side by side.
 *
 *     v = h, IV[0..3], number, bytes of the block, flags;  7 rounds of G on columns and diagonals, the words of the
 *     message permuted between them;  h = v[0..7] ^ v[8..15]
 *     G: a += b + x, d = rot(d ^ a, 16), c += d, b = rot(b ^ c, 12), a += b + y, d = rot(d ^ a, 8), c += d,
 *        b = rot(b ^ c, 7)      (rotations to the right) */
#ifndef MC_HASH_BLAKE3_H
#define MC_HASH_BLAKE3_H

#include "../merklecore.h"

#include <string.h>

enum { BLAKE3_BLOCK = 64, BLAKE3_CHUNK = 1024, BLAKE3_DIGEST = 32, BLAKE3_NODE = 64 };
enum { BLAKE3_LEFT = 8, BLAKE3_NUMBER, BLAKE3_NUMBER_HIGH, BLAKE3_FIRST, BLAKE3_LAST, BLAKE3_WORDS };
enum { BLAKE3_CHUNK_START = 1, BLAKE3_CHUNK_END = 2, BLAKE3_PARENT = 4, BLAKE3_ROOT = 8 };

/* The IV, and the flags of a message that is one chunk. */
static const uint32_t blake3_initial[BLAKE3_WORDS] = {
    0x6a09e667,
    0xbb67ae85,
    0x3c6ef372,
    0xa54ff53a,
    0x510e527f,
    0x9b05688c,
    0x1f83d9ab,
    0x5be0cd19, //
    [BLAKE3_FIRST] = BLAKE3_CHUNK_START,
    [BLAKE3_LAST] = BLAKE3_CHUNK_END | BLAKE3_ROOT,
};

__attribute__((unused)) static void blake3_expect(void *words, uint64_t bytes) {
    ((uint32_t *)words)[BLAKE3_LEFT] = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
}

__attribute__((unused)) static size_t blake3_pad(uint8_t *tail, size_t used, uint64_t total) {
    (void)total;
    memset(tail + used, 0, BLAKE3_BLOCK - used);
    return 1;
}

__attribute__((unused)) static void blake3_digest(const void *words, uint8_t *out) {
    const uint32_t *word = words;
    for (int i = 0; i < BLAKE3_DIGEST; i++)
        out[i] = (uint8_t)(word[i / 4] >> (8 * (i % 4)));
}

#endif /* MC_HASH_BLAKE3_H */

#ifdef V32

#define TURN(x, y, n) V32_ROR(V32_XOR(x, y), n)

/* Two G at once, step by step; the word of the message first, as it is there first. */
#define TWO_G(a0, b0, c0, d0, x0, y0, a1, b1, c1, d1, x1, y1)                                                         \
    do {                                                                                                              \
        v[a0] = V32_ADD_LAST(v[a0], w[x0], v[b0]);                                                                    \
        v[a1] = V32_ADD_LAST(v[a1], w[x1], v[b1]);                                                                    \
        v[d0] = TURN(v[d0], v[a0], 16);                                                                               \
        v[d1] = TURN(v[d1], v[a1], 16);                                                                               \
        v[c0] = V32_ADD(v[c0], v[d0]);                                                                                \
        v[c1] = V32_ADD(v[c1], v[d1]);                                                                                \
        v[b0] = TURN(v[b0], v[c0], 12);                                                                               \
        v[b1] = TURN(v[b1], v[c1], 12);                                                                               \
        v[a0] = V32_ADD_LAST(v[a0], w[y0], v[b0]);                                                                    \
        v[a1] = V32_ADD_LAST(v[a1], w[y1], v[b1]);                                                                    \
        v[d0] = TURN(v[d0], v[a0], 8);                                                                                \
        v[d1] = TURN(v[d1], v[a1], 8);                                                                                \
        v[c0] = V32_ADD(v[c0], v[d0]);                                                                                \
        v[c1] = V32_ADD(v[c1], v[d1]);                                                                                \
        v[b0] = TURN(v[b0], v[c0], 7);                                                                                \
        v[b1] = TURN(v[b1], v[c1], 7);                                                                                \
    } while (0)

/* v and what a rotation needs are more than the 16 registers of AVX2: of v[8..11], which a G needs least often, two
 * wait in memory while the other two are at work. Compilers choose worse, and read back at once what they put away. */
#define CHANGE(i, j)                                                                                                  \
    do {                                                                                                              \
        V32_PARK(parked[(i) - 8], v[i]);                                                                              \
        V32_PARK(parked[(i) - 7], v[(i) + 1]);                                                                        \
        v[j] = parked[(j) - 8];                                                                                       \
        v[(j) + 1] = parked[(j) - 7];                                                                                 \
    } while (0)

/* A round with the words of the message in its order; v[10] and v[11] are parked before and after. */
#define ROUND(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15)                                   \
    TWO_G(0, 4, 8, 12, s0, s1, 1, 5, 9, 13, s2, s3);                                                                  \
    CHANGE(8, 10);                                                                                                    \
    TWO_G(2, 6, 10, 14, s4, s5, 3, 7, 11, 15, s6, s7);                                                                \
    TWO_G(0, 5, 10, 15, s8, s9, 1, 6, 11, 12, s10, s11);                                                              \
    CHANGE(10, 8);                                                                                                    \
    TWO_G(2, 7, 8, 13, s12, s13, 3, 4, 9, 14, s14, s15)

/* One block in w[0..15]: v[12..15] are the number, the bytes of the block and the flags. */
MC_INLINE void MC_NAME(blake3_block)(V32 h[8], const V32 w[16], V32 number, V32 number_high, V32 bytes, V32 flags) {
    V32 v[16], parked[4];
    for (int i = 0; i < 8; i++)
        v[i] = h[i];
    for (int i = 0; i < 4; i++)
        v[8 + i] = V32_SET1(blake3_initial[i]);
    v[12] = number;
    v[13] = number_high;
    v[14] = bytes;
    v[15] = flags;
    V32_PARK(parked[2], v[10]);
    V32_PARK(parked[3], v[11]);
    ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    ROUND(2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8);
    ROUND(3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1);
    ROUND(10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6);
    ROUND(12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4);
    ROUND(9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7);
    ROUND(11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13);
    for (int i = 0; i < 8; i++)
        h[i] = V32_XOR(v[i], i == 2 || i == 3 ? parked[i] : v[8 + i]);
}

MC_INLINE void MC_NAME(blake3_init)(V32 h[8]) {
    for (int i = 0; i < 8; i++)
        h[i] = V32_SET1(blake3_initial[i]);
}

#define BLAKE3_PASS(in, n, out) FOR_EACH_PASS (in, n, out, V32_LANES, BLAKE3_NODE, BLAKE3_DIGEST)
#define BLAKE3_STORE(out, h, n) STORE_PASS(V32_STORE_LE8, out, h, n, V32_LANES, BLAKE3_DIGEST)

MC_TARGET void MC_NAME(blake3_node)(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    const V32 zero = V32_SET1(0), flags = V32_SET1(BLAKE3_CHUNK_START | BLAKE3_CHUNK_END | BLAKE3_ROOT);
    (void)prefix;
    BLAKE3_PASS (in, n, out) {
        V32 w[16], h[8];
        V32_LOAD_LE16(w, lane);
        MC_NAME(blake3_init)(h);
        MC_NAME(blake3_block)(h, w, zero, zero, V32_SET1(BLAKE3_NODE), flags);
        BLAKE3_STORE(out, h, n);
    }
}

MC_TARGET void MC_NAME(blake3_prefixed_node)(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    const V32 zero = V32_SET1(0);
    COPY_FIRST(first, in, n, BLAKE3_NODE, prefix);
    const uint8_t *begin = in;
    BLAKE3_PASS (in, n, out) {
        V32 w[16], h[8];
        uint32_t last[V32_LANES] __attribute__((aligned(64)));
        for (size_t j = 0; j < V32_LANES; j++)
            PUT_SCALAR(last[j], lane[j][BLAKE3_NODE - 1]);
        MC_NAME(point_before)(lane, V32_LANES, begin, first);
        V32_LOAD_LE16(w, lane);
        w[0] = V32_OR(V32_AND(w[0], V32_SET1(0xffffff00u)), V32_SET1(prefix));
        MC_NAME(blake3_init)(h);
        MC_NAME(blake3_block)(h, w, zero, zero, V32_SET1(BLAKE3_BLOCK), V32_SET1(BLAKE3_CHUNK_START));
        w[0] = V32_LOAD(last);
        for (int i = 1; i < 16; i++)
            w[i] = zero;
        MC_NAME(blake3_block)(h, w, zero, zero, V32_SET1(1), V32_SET1(BLAKE3_CHUNK_END | BLAKE3_ROOT));
        BLAKE3_STORE(out, h, n);
    }
}

MC_TARGET static void MC_NAME(blake3_compress)(void *state, const uint8_t *const *blocks, size_t n) {
    uint32_t (*words)[V32_LANES] = state;
    const uint8_t *lane[V32_LANES];
    V32 h[8], left = V32_LOAD(words[BLAKE3_LEFT]), flags = V32_LOAD(words[BLAKE3_FIRST]);
    const V32 number = V32_LOAD(words[BLAKE3_NUMBER]), number_high = V32_LOAD(words[BLAKE3_NUMBER_HIGH]);
    const V32 last = V32_LOAD(words[BLAKE3_LAST]);
    for (int i = 0; i < 8; i++)
        h[i] = V32_LOAD(words[i]);
    for (size_t j = 0; j < V32_LANES; j++)
        lane[j] = blocks[j];
    for (; n > 0; n--) {
        V32 w[16];
        V32_LOAD_LE16(w, lane);
        for (size_t j = 0; j < V32_LANES; j++)
            lane[j] += BLAKE3_BLOCK;
        const V32 now = V32_MIN(left, V32_SET1(BLAKE3_BLOCK));
        left = V32_SUB(left, now);
        flags = V32_OR(flags, V32_IF_ZERO(left, last));
        MC_NAME(blake3_block)(h, w, number, number_high, now, flags);
        flags = V32_SET1(0);
    }
    for (int i = 0; i < 8; i++)
        V32_STORE(words[i], h[i]);
    V32_STORE(words[BLAKE3_LEFT], left);
    V32_STORE(words[BLAKE3_FIRST], flags);
}

MC_TARGET static void MC_NAME(blake3_digests)(const void *state, uint8_t *out) {
    const uint32_t (*words)[V32_LANES] = state;
    V32 h[8];
    for (int i = 0; i < 8; i++)
        h[i] = V32_LOAD(words[i]);
    V32_STORE_LE8(out, h);
}

const mc_lanes MC_NAME(blake3_messages) = {
    .word_stride = sizeof(uint32_t[V32_LANES]),
    .lane_stride = sizeof(uint32_t),
    .compress = MC_NAME(blake3_compress),
    .digests = MC_NAME(blake3_digests),
};

#undef TURN
#undef TWO_G
#undef CHANGE
#undef ROUND
#undef BLAKE3_PASS
#undef BLAKE3_STORE

#endif /* V32 */
