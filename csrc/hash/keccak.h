/* Keccak-f[1600] with a rate of 136 bytes: SHA3-256 (FIPS 202, section 6.1) and Keccak-256 as Ethereum has it, which
 * is the submission of 2011: the same sponge, another first byte of padding.
 *
 * The state is 25 words, A[x, y] at a[x + 5 y] (section 3.1.2). A round is theta, rho, pi, chi, iota (section 3.2):
 *
 *     C[x] = A[x, 0] ^ ... ^ A[x, 4]      D[x] = C[x - 1] ^ rot(C[x + 1], 1)
 *     B[y, 2x + 3y] = rot(A[x, y] ^ D[x], r[x, y])
 *     A[x, y] = B[x, y] ^ (~B[x + 1, y] & B[x + 2, y])      A[0, 0] ^= RC
 *
 * One row of the new state takes one word of each old row; KECCAK_ROW lists which, with its rotation. Rows are
 * computed one after another, so that few words are alive beside the 25 and the registers of AVX-512 are enough.
 *
 * A message of 64 or 65 bytes is one block, nine or fewer of its seventeen words unlike zero. */
#ifndef MC_HASH_KECCAK_H
#define MC_HASH_KECCAK_H

#include "../merklecore.h"

#include <string.h>

enum { KECCAK_RATE = 136, KECCAK_DIGEST = 32, KECCAK_NODE = 64, KECCAK_WORDS = 25 };

static const uint64_t keccak_initial[KECCAK_WORDS] = {0};

__attribute__((unused)) static const uint64_t keccak_rounds[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, //
    0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009, //
    0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a, //
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003, //
    0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a, //
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008, //
};

/* The bits behind the message: "01" and the first of the padding for SHA-3, the latter alone for Keccak. */
enum { KECCAK_PAD = 0x01, SHA3_PAD = 0x06 };

static inline size_t keccak_pad_with(uint8_t first, uint8_t *tail, size_t used) {
    memset(tail + used, 0, KECCAK_RATE - used);
    tail[used] = first;
    tail[KECCAK_RATE - 1] |= 0x80;
    return 1;
}

__attribute__((unused)) static size_t keccak256_pad(uint8_t *tail, size_t used, uint64_t total) {
    (void)total;
    return keccak_pad_with(KECCAK_PAD, tail, used);
}

__attribute__((unused)) static size_t sha3_256_pad(uint8_t *tail, size_t used, uint64_t total) {
    (void)total;
    return keccak_pad_with(SHA3_PAD, tail, used);
}

__attribute__((unused)) static void keccak_digest(const void *words, uint8_t *out) {
    const uint64_t *word = words;
    for (int i = 0; i < KECCAK_DIGEST; i++)
        out[i] = (uint8_t)(word[i / 8] >> (8 * (i % 8)));
}

#endif /* MC_HASH_KECCAK_H */

#ifdef V64

#define ROL(x, n) V64_ROR(x, 64 - (n))
#define COLUMN(a, x) V64_XOR3(V64_XOR3((a)[x], (a)[(x) + 5], (a)[(x) + 10]), (a)[(x) + 15], (a)[(x) + 20])

/* Theta of word i, from the sums of two columns or, where three words take more than one instruction, their sum D. */
#if V64_XOR3_IS_ONE
#define THETA(a, i) V64_XOR3((a)[i], c[((i) + 4) % 5], r[((i) + 1) % 5])
#else
#define THETA(a, i) V64_XOR((a)[i], d[(i) % 5])
#endif
#define MOVED(a, i, n) ROL(THETA(a, i), n)

/* Row y of the new state, e[5y] to e[5y + 4]; b0 is the first of its words after rho and pi. */
#define KECCAK_ROW(e, y, b0_, i1, r1, i2, r2, i3, r3, i4, r4)                                                         \
    do {                                                                                                              \
        const V64 b0 = b0_, b1 = MOVED(a, i1, r1), b2 = MOVED(a, i2, r2);                                             \
        const V64 b3 = MOVED(a, i3, r3), b4 = MOVED(a, i4, r4);                                                       \
        (e)[5 * (y)] = V64_CHI(b0, b1, b2);                                                                           \
        (e)[5 * (y) + 1] = V64_CHI(b1, b2, b3);                                                                       \
        (e)[5 * (y) + 2] = V64_CHI(b2, b3, b4);                                                                       \
        (e)[5 * (y) + 3] = V64_CHI(b3, b4, b0);                                                                       \
        (e)[5 * (y) + 4] = V64_CHI(b4, b0, b1);                                                                       \
    } while (0)

MC_INLINE void MC_NAME(keccak_round)(V64 e[KECCAK_WORDS], const V64 a[KECCAK_WORDS], V64 rc) {
    const V64 c[5] = {COLUMN(a, 0), COLUMN(a, 1), COLUMN(a, 2), COLUMN(a, 3), COLUMN(a, 4)};
    const V64 r[5] = {ROL(c[0], 1), ROL(c[1], 1), ROL(c[2], 1), ROL(c[3], 1), ROL(c[4], 1)};
#if !V64_XOR3_IS_ONE
    const V64 d[5] = {V64_XOR(c[4], r[1]), V64_XOR(c[0], r[2]), V64_XOR(c[1], r[3]), V64_XOR(c[2], r[4]),
                      V64_XOR(c[3], r[0])};
#endif
    KECCAK_ROW(e, 0, THETA(a, 0), 6, 44, 12, 43, 18, 21, 24, 14);
    e[0] = V64_XOR(e[0], rc);
    KECCAK_ROW(e, 1, MOVED(a, 3, 28), 9, 20, 10, 3, 16, 45, 22, 61);
    KECCAK_ROW(e, 2, MOVED(a, 1, 1), 7, 6, 13, 25, 19, 8, 20, 18);
    KECCAK_ROW(e, 3, MOVED(a, 4, 27), 5, 36, 11, 10, 17, 15, 23, 56);
    KECCAK_ROW(e, 4, MOVED(a, 2, 62), 8, 55, 14, 39, 15, 41, 21, 2);
}

/* The last two rounds stand outside the loop: where a[0..3] alone count afterwards, nothing else is made of them. */
MC_INLINE void MC_NAME(keccak_f)(V64 a[KECCAK_WORDS]) {
    const uint64_t *rc = keccak_rounds;
    V64 e[KECCAK_WORDS];
    MC_HIDE(rc);
    for (int i = 0; i < 22; i += 2, rc += 2) {
        MC_NAME(keccak_round)(e, a, V64_SET1_AT(rc));
        MC_NAME(keccak_round)(a, e, V64_SET1_AT(rc + 1));
    }
    MC_NAME(keccak_round)(e, a, V64_SET1_AT(rc));
    MC_NAME(keccak_round)(a, e, V64_SET1_AT(rc + 1));
}

#define KECCAK_PASS(in, n, out) FOR_EACH_PASS (in, n, out, V64_LANES, KECCAK_NODE, KECCAK_DIGEST)
#define KECCAK_STORE(out, a, n) STORE_PASS(V64_STORE_LE4, out, a, n, V64_LANES, KECCAK_DIGEST)

MC_INLINE void MC_NAME(keccak_node)(const uint8_t *in, size_t n, uint8_t *out, uint8_t pad) {
    KECCAK_PASS (in, n, out) {
        V64 a[KECCAK_WORDS];
        V64_LOAD_LE8(a, lane);
        for (int i = 8; i < KECCAK_WORDS; i++)
            a[i] = V64_SET1(0);
        a[8] = V64_SET1(pad);
        a[16] = V64_SET1(0x8000000000000000u);
        MC_NAME(keccak_f)(a);
        KECCAK_STORE(out, a, n);
    }
}

MC_INLINE void MC_NAME(keccak_prefixed_node)(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix, uint8_t pad) {
    COPY_FIRST(first, in, n, KECCAK_NODE, prefix);
    const uint8_t *begin = in;
    KECCAK_PASS (in, n, out) {
        V64 a[KECCAK_WORDS];
        uint64_t last[V64_LANES] __attribute__((aligned(64)));
        for (size_t j = 0; j < V64_LANES; j++)
            PUT_SCALAR(last[j], lane[j][KECCAK_NODE - 1] | (uint64_t)pad << 8);
        MC_NAME(point_before)(lane, V64_LANES, begin, first);
        V64_LOAD_LE8(a, lane);
        a[0] = V64_OR(V64_AND(a[0], V64_SET1(~(uint64_t)0xff)), V64_SET1(prefix));
        for (int i = 9; i < KECCAK_WORDS; i++)
            a[i] = V64_SET1(0);
        a[8] = V64_LOAD(last);
        a[16] = V64_SET1(0x8000000000000000u);
        MC_NAME(keccak_f)(a);
        KECCAK_STORE(out, a, n);
    }
}

#define KECCAK_NODES(stem, pad)                                                                                       \
    MC_TARGET void MC_NAME(stem##_node)(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {                  \
        (void)prefix;                                                                                                 \
        MC_NAME(keccak_node)(in, n, out, pad);                                                                        \
    }                                                                                                                 \
    MC_TARGET void MC_NAME(stem##_prefixed_node)(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {         \
        MC_NAME(keccak_prefixed_node)(in, n, out, prefix, pad);                                                       \
    }
KECCAK_NODES(keccak256, KECCAK_PAD)
KECCAK_NODES(sha3_256, SHA3_PAD)

MC_TARGET static void MC_NAME(keccak_compress)(void *state, const uint8_t *const *blocks, size_t n) {
    uint64_t (*words)[V64_LANES] = state;
    const uint8_t *lane[V64_LANES];
    V64 a[KECCAK_WORDS];
    for (int i = 0; i < KECCAK_WORDS; i++)
        a[i] = V64_LOAD(words[i]);
    for (size_t j = 0; j < V64_LANES; j++)
        lane[j] = blocks[j];
    for (; n > 0; n--) {
        V64 w[8];
        uint64_t last[V64_LANES] __attribute__((aligned(64)));
        for (int half = 0; half < 16; half += 8) {
            V64_LOAD_LE8(w, lane);
            for (size_t j = 0; j < V64_LANES; j++)
                lane[j] += 64;
            for (int i = 0; i < 8; i++)
                a[half + i] = V64_XOR(a[half + i], w[i]);
        }
        for (size_t j = 0; j < V64_LANES; j++) {
            PUT_SCALAR(last[j], mc_le64(lane[j]));
            lane[j] += 8;
        }
        a[16] = V64_XOR(a[16], V64_LOAD(last));
        MC_NAME(keccak_f)(a);
    }
    for (int i = 0; i < KECCAK_WORDS; i++)
        V64_STORE(words[i], a[i]);
}

MC_TARGET static void MC_NAME(keccak_digests)(const void *state, uint8_t *out) {
    const uint64_t (*words)[V64_LANES] = state;
    V64 a[4];
    for (int i = 0; i < 4; i++)
        a[i] = V64_LOAD(words[i]);
    V64_STORE_LE4(out, a);
}

const mc_lanes MC_NAME(keccak_messages) = {
    .word_stride = sizeof(uint64_t[V64_LANES]),
    .lane_stride = sizeof(uint64_t),
    .compress = MC_NAME(keccak_compress),
    .digests = MC_NAME(keccak_digests),
};

#undef ROL
#undef COLUMN
#undef THETA
#undef MOVED
#undef KECCAK_ROW
#undef KECCAK_PASS
#undef KECCAK_STORE
#undef KECCAK_NODES

#endif /* V64 */
