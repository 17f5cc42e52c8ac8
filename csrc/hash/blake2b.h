/* BLAKE2b with digests of 32 bytes and no key (RFC 7693, sections 2 and 3).
 *
 * The state of a lane is h[0..7] and two words more: the bytes taken so far (t) and the bytes still to come. A block
 * knows from the latter how much of it is message, and whether it is the last (f), so lanes may end at different times
 * like those of any other hash. The last block is the one that holds the last byte, full or not; behind it are zeros.
 *
 *     v = h, IV;  v[12] ^= t, v[14] ^= f;  12 rounds of G on columns and diagonals;  h ^= v[0..7] ^ v[8..15]
 *     G: a += b + x, d = rot(d ^ a, 32), c += d, b = rot(b ^ c, 24), a += b + y, d = rot(d ^ a, 16), c += d,
 *        b = rot(b ^ c, 63)      (rotations to the right) */
#ifndef MC_HASH_BLAKE2B_H
#define MC_HASH_BLAKE2B_H

#include "../merklecore.h"

#include <string.h>

enum { BLAKE2B_BLOCK = 128, BLAKE2B_DIGEST = 32, BLAKE2B_NODE = 64 };
enum { BLAKE2B_TAKEN = 8, BLAKE2B_LEFT = 9, BLAKE2B_WORDS = 10 };

__attribute__((unused)) static const uint64_t blake2b_iv[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1, //
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179, //
};

/* The IV and the parameter block: digest length 32, key length 0, fanout 1, depth 1. */
static const uint64_t blake2b_initial[BLAKE2B_WORDS] = {
    0x6a09e667f3bcc908 ^ 0x01010020,
    0xbb67ae8584caa73b,
    0x3c6ef372fe94f82b,
    0xa54ff53a5f1d36f1, //
    0x510e527fade682d1,
    0x9b05688c2b3e6c1f,
    0x1f83d9abfb41bd6b,
    0x5be0cd19137e2179, //
};

__attribute__((unused)) static void blake2b_expect(void *words, uint64_t bytes) {
    ((uint64_t *)words)[BLAKE2B_LEFT] = bytes;
}

__attribute__((unused)) static size_t blake2b_pad(uint8_t *tail, size_t used, uint64_t total) {
    (void)total;
    memset(tail + used, 0, BLAKE2B_BLOCK - used);
    return 1;
}

__attribute__((unused)) static void blake2b_digest(const void *words, uint8_t *out) {
    const uint64_t *word = words;
    for (int i = 0; i < BLAKE2B_DIGEST; i++)
        out[i] = (uint8_t)(word[i / 8] >> (8 * (i % 8)));
}

#endif /* MC_HASH_BLAKE2B_H */

#ifdef V64

#define G(a, b, c, d, x, y)                                                                                           \
    do {                                                                                                              \
        v[a] = V64_ADD(V64_ADD(v[a], v[b]), w[x]);                                                                    \
        v[d] = V64_ROR(V64_XOR(v[d], v[a]), 32);                                                                      \
        v[c] = V64_ADD(v[c], v[d]);                                                                                   \
        v[b] = V64_ROR(V64_XOR(v[b], v[c]), 24);                                                                      \
        v[a] = V64_ADD(V64_ADD(v[a], v[b]), w[y]);                                                                    \
        v[d] = V64_ROR(V64_XOR(v[d], v[a]), 16);                                                                      \
        v[c] = V64_ADD(v[c], v[d]);                                                                                   \
        v[b] = V64_ROR(V64_XOR(v[b], v[c]), 63);                                                                      \
    } while (0)

/* A round with its row of SIGMA (section 2.7). */
#define ROUND(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15)                                   \
    G(0, 4, 8, 12, s0, s1);                                                                                           \
    G(1, 5, 9, 13, s2, s3);                                                                                           \
    G(2, 6, 10, 14, s4, s5);                                                                                          \
    G(3, 7, 11, 15, s6, s7);                                                                                          \
    G(0, 5, 10, 15, s8, s9);                                                                                          \
    G(1, 6, 11, 12, s10, s11);                                                                                        \
    G(2, 7, 8, 13, s12, s13);                                                                                         \
    G(3, 4, 9, 14, s14, s15)

/* One block in w[0..15]; `taken` bytes up to its end, `last` all ones in lanes where it is the last. */
MC_INLINE void MC_NAME(blake2b_block)(V64 h[8], const V64 w[16], V64 taken, V64 last) {
    V64 v[16];
    for (int i = 0; i < 8; i++) {
        v[i] = h[i];
        v[8 + i] = V64_SET1(blake2b_iv[i]);
    }
    v[12] = V64_XOR(v[12], taken);
    v[14] = V64_XOR(v[14], last);
    ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3);
    ROUND(11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4);
    ROUND(7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8);
    ROUND(9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13);
    ROUND(2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9);
    ROUND(12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11);
    ROUND(13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10);
    ROUND(6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5);
    ROUND(10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0);
    ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3);
    for (int i = 0; i < 8; i++)
        h[i] = V64_XOR3(h[i], v[i], v[8 + i]);
}

MC_INLINE void MC_NAME(blake2b_init)(V64 h[8]) {
    for (int i = 0; i < 8; i++)
        h[i] = V64_SET1(blake2b_initial[i]);
}

#define BLAKE2B_PASS(in, n, out) FOR_EACH_PASS (in, n, out, V64_LANES, BLAKE2B_NODE, BLAKE2B_DIGEST)
#define BLAKE2B_STORE(out, h, n) STORE_PASS(V64_STORE_LE4, out, h, n, V64_LANES, BLAKE2B_DIGEST)

MC_TARGET void MC_NAME(blake2b_256_node)(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    (void)prefix;
    BLAKE2B_PASS (in, n, out) {
        V64 w[16], h[8];
        V64_LOAD_LE8(w, lane);
        for (int i = 8; i < 16; i++)
            w[i] = V64_SET1(0);
        MC_NAME(blake2b_init)(h);
        MC_NAME(blake2b_block)(h, w, V64_SET1(BLAKE2B_NODE), V64_SET1(~(uint64_t)0));
        BLAKE2B_STORE(out, h, n);
    }
}

MC_TARGET void MC_NAME(blake2b_256_prefixed_node)(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    COPY_FIRST(first, in, n, BLAKE2B_NODE, prefix);
    const uint8_t *begin = in;
    BLAKE2B_PASS (in, n, out) {
        V64 w[16], h[8];
        uint64_t last[V64_LANES] __attribute__((aligned(64)));
        for (size_t j = 0; j < V64_LANES; j++)
            PUT_SCALAR(last[j], lane[j][BLAKE2B_NODE - 1]);
        MC_NAME(point_before)(lane, V64_LANES, begin, first);
        V64_LOAD_LE8(w, lane);
        w[0] = V64_OR(V64_AND(w[0], V64_SET1(~(uint64_t)0xff)), V64_SET1(prefix));
        w[8] = V64_LOAD(last);
        for (int i = 9; i < 16; i++)
            w[i] = V64_SET1(0);
        MC_NAME(blake2b_init)(h);
        MC_NAME(blake2b_block)(h, w, V64_SET1(1 + BLAKE2B_NODE), V64_SET1(~(uint64_t)0));
        BLAKE2B_STORE(out, h, n);
    }
}

MC_TARGET static void MC_NAME(blake2b_compress)(void *state, const uint8_t *const *blocks, size_t n) {
    uint64_t (*words)[V64_LANES] = state;
    const uint8_t *lane[V64_LANES];
    V64 h[8], taken = V64_LOAD(words[BLAKE2B_TAKEN]), left = V64_LOAD(words[BLAKE2B_LEFT]);
    for (int i = 0; i < 8; i++)
        h[i] = V64_LOAD(words[i]);
    for (size_t j = 0; j < V64_LANES; j++)
        lane[j] = blocks[j];
    for (; n > 0; n--) {
        V64 w[16];
        for (int half = 0; half < 16; half += 8) {
            V64_LOAD_LE8(w + half, lane);
            for (size_t j = 0; j < V64_LANES; j++)
                lane[j] += 64;
        }
        const V64 now = V64_MIN(left, V64_SET1(BLAKE2B_BLOCK));
        taken = V64_ADD(taken, now);
        left = V64_SUB(left, now);
        MC_NAME(blake2b_block)(h, w, taken, V64_IF_ZERO(left, V64_SET1(~(uint64_t)0)));
    }
    for (int i = 0; i < 8; i++)
        V64_STORE(words[i], h[i]);
    V64_STORE(words[BLAKE2B_TAKEN], taken);
    V64_STORE(words[BLAKE2B_LEFT], left);
}

MC_TARGET static void MC_NAME(blake2b_digests)(const void *state, uint8_t *out) {
    const uint64_t (*words)[V64_LANES] = state;
    V64 h[4];
    for (int i = 0; i < 4; i++)
        h[i] = V64_LOAD(words[i]);
    V64_STORE_LE4(out, h);
}

const mc_lanes MC_NAME(blake2b_256_messages) = {
    .word_stride = sizeof(uint64_t[V64_LANES]),
    .lane_stride = sizeof(uint64_t),
    .compress = MC_NAME(blake2b_compress),
    .digests = MC_NAME(blake2b_digests),
};

#undef G
#undef ROUND
#undef BLAKE2B_PASS
#undef BLAKE2B_STORE

#endif /* V64 */
