/* What the hash bodies of a lane file share: lane pointers, and passes over nodes.
 *
 * A node with a one-byte prefix is read from one byte before it, where the prefix then takes the first byte's place;
 * the byte thus pushed out is fetched by itself. Only the first node of a call may not have a byte before it: it is
 * copied. */
#ifndef MC_ISA_LANES_H
#define MC_ISA_LANES_H

#include "../merklecore.h"
#include "isa.h"

#include <string.h>

/* Pointers to up to `lanes` nodes of `bytes`; lanes beyond n repeat the first. */
MC_INLINE void MC_NAME(point)(const uint8_t *lane[], size_t lanes, const uint8_t *in, size_t n, size_t bytes) {
    MC_HIDE(in); /* or the compiler makes lanes of its own of the passes of portable C, and worse ones */
    for (size_t j = 0; j < lanes; j++)
        lane[j] = in + (j < n ? j : 0) * bytes;
}

/* Moves the pointers to where prefixed nodes are read from; `first` is the copy of the call's first node, at `begin`.
 */
MC_INLINE void MC_NAME(point_before)(const uint8_t *lane[], size_t lanes, const uint8_t *begin, const uint8_t *first) {
    for (size_t j = 0; j < lanes; j++)
        lane[j] = lane[j] == begin ? first : lane[j] - 1;
}

/* Stores `word` of a lane as a scalar: of sixteen or eight the compiler would build a vector, one or two shuffles
 * each, where AVX-512 has one port for shuffles and others idle. */
#define PUT_SCALAR(at, word)                                                                                          \
    do {                                                                                                              \
        uint64_t word_ = word;                                                                                        \
        if (V32_LANES == 16)                                                                                          \
            MC_HIDE(word_);                                                                                           \
        at = (__typeof__(at))word_;                                                                                   \
    } while (0)

/* for (each pass over n nodes) { lane pointers } */
/* clang-format off */
#define FOR_EACH_PASS(in, n, out, lanes, node, digest)                                                                \
    const uint8_t *lane[lanes];                                                                                       \
    for (; (n) > 0 && (MC_NAME(point)(lane, lanes, in, n, node), 1);                                                  \
         (in) += (lanes) * (node), (out) += (lanes) * (digest), (n) -= (n) < (lanes) ? (n) : (lanes))
/* clang-format on */

/* Stores the digests of a pass, of which n count. */
#define STORE_PASS(store, out, s, n, lanes, digest)                                                                   \
    do {                                                                                                              \
        if ((n) >= (lanes)) {                                                                                         \
            store(out, s);                                                                                            \
        } else {                                                                                                      \
            uint8_t all_[(lanes) * (digest)];                                                                         \
            store(all_, s);                                                                                           \
            memcpy(out, all_, (n) * (digest));                                                                        \
        }                                                                                                             \
    } while (0)

/* The first node of a call behind its prefix. */
#define COPY_FIRST(first, in, n, node, prefix)                                                                        \
    uint8_t first[1 + (node)];                                                                                        \
    first[0] = prefix;                                                                                                \
    if ((n) > 0)                                                                                                      \
    memcpy(first + 1, in, node)

/* What stands at each lane's pointer, `size` bytes behind a prefix byte, as big-endian words in w; `last` becomes the
 * words behind: the byte thus pushed out, and the bit that ends a message. */
#define LOAD_BEHIND(prefix, LOAD, w, last, lane, size, begin, first)                                                  \
    uint32_t last[V32_LANES] __attribute__((aligned(64)));                                                            \
    for (size_t j = 0; j < V32_LANES; j++)                                                                            \
        PUT_SCALAR(last[j], (uint32_t)lane[j][(size) - 1] << 24 | 0x00800000u);                                       \
    MC_NAME(point_before)(lane, V32_LANES, begin, first);                                                             \
    LOAD(w, lane);                                                                                                    \
    w[0] = V32_OR(V32_AND(w[0], V32_SET1(0x00ffffffu)), V32_SET1((uint32_t)(prefix) << 24))

/* The next block of sixteen big-endian words from each lane's pointer, which moves on. */
MC_INLINE void MC_NAME(take16_32)(V32 w[16], const uint8_t *lane[V32_LANES]) {
    V32_LOAD_BE16(w, lane);
    for (size_t j = 0; j < V32_LANES; j++)
        lane[j] += 64;
}

#ifdef V64
MC_INLINE void MC_NAME(take16_64)(V64 w[16], const uint8_t *lane[V64_LANES]) {
    for (int half = 0; half < 16; half += 8) {
        V64_LOAD_BE8(w + half, lane);
        for (size_t j = 0; j < V64_LANES; j++)
            lane[j] += 64;
    }
}
#endif

/* Messages of a hash with a state of eight words and blocks of sixteen, big-endian both: SHA-2 and SM3. Behind `bits`
 * stand what functions it has for shorter ways. */
#define MESSAGES_OF_16(stem, bits, ...)                                                                               \
    MC_TARGET static void MC_NAME(stem##_compress)(void *state, const uint8_t *const *blocks, size_t n) {             \
        uint##bits##_t(*words)[V##bits##_LANES] = state;                                                              \
        const uint8_t *lane[V##bits##_LANES];                                                                         \
        V##bits s[8];                                                                                                 \
        for (int i = 0; i < 8; i++)                                                                                   \
            s[i] = V##bits##_LOAD(words[i]);                                                                          \
        for (size_t j = 0; j < V##bits##_LANES; j++)                                                                  \
            lane[j] = blocks[j];                                                                                      \
        for (; n > 0; n--) {                                                                                          \
            V##bits w[16];                                                                                            \
            MC_NAME(take16_##bits)(w, lane);                                                                          \
            MC_NAME(stem##_block)(s, w);                                                                              \
        }                                                                                                             \
        for (int i = 0; i < 8; i++)                                                                                   \
            V##bits##_STORE(words[i], s[i]);                                                                          \
    }                                                                                                                 \
    MC_TARGET static void MC_NAME(stem##_digests)(const void *state, uint8_t *out) {                                  \
        const uint##bits##_t(*words)[V##bits##_LANES] = state;                                                        \
        V##bits s[8];                                                                                                 \
        for (int i = 0; i < 8; i++)                                                                                   \
            s[i] = V##bits##_LOAD(words[i]);                                                                          \
        V##bits##_STORE_BE8(out, s);                                                                                  \
    }                                                                                                                 \
    const mc_lanes MC_NAME(stem##_messages) = {                                                                       \
        .word_stride = sizeof(uint##bits##_t[V##bits##_LANES]),                                                       \
        .lane_stride = sizeof(uint##bits##_t),                                                                        \
        .compress = MC_NAME(stem##_compress),                                                                         \
        .digests = MC_NAME(stem##_digests),                                                                           \
        __VA_ARGS__,                                                                                                  \
    };

/* Working variables a to h, and what a block adds to the state at its end. */
#define WORKING(V, s) V a = (s)[0], b = (s)[1], c = (s)[2], d = (s)[3], e = (s)[4], f = (s)[5], g = (s)[6], h = (s)[7]
#define FEED_FORWARD(JOIN, s)                                                                                         \
    do {                                                                                                              \
        (s)[0] = JOIN((s)[0], a), (s)[1] = JOIN((s)[1], b), (s)[2] = JOIN((s)[2], c), (s)[3] = JOIN((s)[3], d);       \
        (s)[4] = JOIN((s)[4], e), (s)[5] = JOIN((s)[5], f), (s)[6] = JOIN((s)[6], g), (s)[7] = JOIN((s)[7], h);       \
    } while (0)

/* Eight rounds of SHA-2 with ROUND: the variables change places instead of their values. */
#define SHA2_ROUNDS8(ROUND, KW, t)                                                                                    \
    ROUND(a, b, c, d, e, f, g, h, KW((t) + 0));                                                                       \
    ROUND(h, a, b, c, d, e, f, g, KW((t) + 1));                                                                       \
    ROUND(g, h, a, b, c, d, e, f, KW((t) + 2));                                                                       \
    ROUND(f, g, h, a, b, c, d, e, KW((t) + 3));                                                                       \
    ROUND(e, f, g, h, a, b, c, d, KW((t) + 4));                                                                       \
    ROUND(d, e, f, g, h, a, b, c, KW((t) + 5));                                                                       \
    ROUND(c, d, e, f, g, h, a, b, KW((t) + 6));                                                                       \
    ROUND(b, c, d, e, f, g, h, a, KW((t) + 7))

/* The first 32 rounds over the only block of a message that ends in w[8], `bits` bits in all: W[9..14] are zero, and
 * what would be computed of them is left out. `sigma0` is SIGMA0(w[8]). */
#define SHA2_SHORT(V, w, sigma0, bits)                                                                                \
    ROUNDS8(KW_GIVEN, 0);                                                                                             \
    ROUND(a, b, c, d, e, f, g, h, KW_GIVEN(8));                                                                       \
    ROUND(h, a, b, c, d, e, f, g, KW_CONSTANT(9));                                                                    \
    ROUND(g, h, a, b, c, d, e, f, KW_CONSTANT(10));                                                                   \
    ROUND(f, g, h, a, b, c, d, e, KW_CONSTANT(11));                                                                   \
    ROUND(e, f, g, h, a, b, c, d, KW_CONSTANT(12));                                                                   \
    ROUND(d, e, f, g, h, a, b, c, KW_CONSTANT(13));                                                                   \
    ROUND(c, d, e, f, g, h, a, b, KW_CONSTANT(14));                                                                   \
    w[15] = V##_SET1(bits);                                                                                           \
    ROUND(b, c, d, e, f, g, h, a, KW_GIVEN(15));                                                                      \
    w[0] = V##_ADD(w[0], SIGMA0(w[1]));                                                                               \
    w[1] = V##_ADD(V##_ADD(w[1], SIGMA0(w[2])), V##_SET1(SIGMA1_OF(bits)));                                           \
    w[2] = V##_ADD(V##_ADD(w[2], SIGMA0(w[3])), SIGMA1(w[0]));                                                        \
    w[3] = V##_ADD(V##_ADD(w[3], SIGMA0(w[4])), SIGMA1(w[1]));                                                        \
    w[4] = V##_ADD(V##_ADD(w[4], SIGMA0(w[5])), SIGMA1(w[2]));                                                        \
    w[5] = V##_ADD(V##_ADD(w[5], SIGMA0(w[6])), SIGMA1(w[3]));                                                        \
    w[6] = V##_ADD(V##_ADD(w[6], SIGMA0(w[7])), V##_ADD(SIGMA1(w[4]), w[15]));                                        \
    w[7] = V##_ADD(V##_ADD(w[7], sigma0), V##_ADD(SIGMA1(w[5]), w[0]));                                               \
    w[8] = V##_ADD(V##_ADD(w[8], w[1]), SIGMA1(w[6]));                                                                \
    w[9] = V##_ADD(w[2], SIGMA1(w[7]));                                                                               \
    w[10] = V##_ADD(w[3], SIGMA1(w[8]));                                                                              \
    w[11] = V##_ADD(w[4], SIGMA1(w[9]));                                                                              \
    w[12] = V##_ADD(w[5], SIGMA1(w[10]));                                                                             \
    w[13] = V##_ADD(w[6], SIGMA1(w[11]));                                                                             \
    w[14] = V##_ADD(V##_ADD(w[7], V##_SET1(SIGMA0_OF(bits))), SIGMA1(w[12]));                                         \
    w[15] = V##_ADD(V##_ADD(w[8], w[15]), V##_ADD(SIGMA0(w[0]), SIGMA1(w[13])));                                      \
    k += 16;                                                                                                          \
    ROUNDS8(KW_GIVEN, 0);                                                                                             \
    ROUNDS8(KW_GIVEN, 8)

#endif
