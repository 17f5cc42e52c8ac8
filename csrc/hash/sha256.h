/* SHA-256 (FIPS 180-4, sections 4.1.2, 5.1.1, 6.2), and SHA-256 of a SHA-256.
 *
 * A lane is one message; every vector holds the same word of all lanes. With a..h the working variables,
 *
 *     T1 = h + S1(e) + Ch(e, f, g) + K[t] + W[t]      T2 = S0(a) + Maj(a, b, c)      d += T1, h = T1 + T2
 *     W[t] = s1(W[t-2]) + W[t-7] + s0(W[t-15]) + W[t-16]
 *
 * Three blocks are known beforehand but for a few words, and are not computed as if they were not:
 *
 *   - the padding block of a 64-byte message is constant: K[t] + W[t] is a table, no schedule at all;
 *   - the second block of a 65-byte message (prefix, two digests) is one byte, a bit and a length: of W[1..14] nothing
 *     is left, and of W[16..31] few terms;
 *   - in the block of a 32-byte message (the outer of two hashes) or a 33-byte one (a leaf behind its prefix) are
 *     zeros, W[9..14]. */
#ifndef MC_HASH_SHA256_H
#define MC_HASH_SHA256_H

#include "../merklecore.h"

#include <string.h>

enum { SHA256_BLOCK = 64, SHA256_DIGEST = 32, SHA256_NODE = 64 };

static const uint32_t sha256_initial[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

__attribute__((unused)) static const uint32_t sha256_k[64] __attribute__((aligned(64))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, //
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, //
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, //
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, //
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, //
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, //
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, //
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2, //
};

/* K[t] + W[t] of the block that pads a 64-byte message: 0x80, zeros, the length 512. */
__attribute__((unused)) static const uint32_t sha256_pad64[64] __attribute__((aligned(64))) = {
    0xc28a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, //
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf374, //
    0x649b69c1, 0xf0fe4786, 0x0fe1edc6, 0x240cf254, 0x4fe9346f, 0x6cc984be, 0x61b9411e, 0x16f988fa, //
    0xf2c65152, 0xa88e5a6d, 0xb019fc65, 0xb9d99ec7, 0x9a1231c3, 0xe70eeaa0, 0xfdb1232b, 0xc7353eb0, //
    0x3069bad5, 0xcb976d5f, 0x5a0f118f, 0xdc1eeefd, 0x0a35b689, 0xde0b7a04, 0x58f4ca9d, 0xe15d5b16, //
    0x007f3e86, 0x37088980, 0xa507ea32, 0x6fab9537, 0x17406110, 0x0d8cd6f1, 0xcdaa3b6d, 0xc0bbbe37, //
    0x83613bda, 0xdb48a363, 0x0b02e931, 0x6fd15ca7, 0x521afaca, 0x31338431, 0x6ed41a95, 0x6d437890, //
    0xc39c91f2, 0x9eccabbd, 0xb5c9a0e6, 0x532fb63c, 0xd2c741c6, 0x07237ea3, 0xa4954b68, 0x4c191d76, //
};

__attribute__((unused)) static size_t sha256_pad(uint8_t *tail, size_t used, uint64_t total) {
    size_t blocks = used + 9 <= SHA256_BLOCK ? 1 : 2;
    size_t end = blocks * SHA256_BLOCK;
    const uint64_t bits = total * 8;
    tail[used] = 0x80;
    memset(tail + used + 1, 0, SHA256_BLOCK); /* up to the length and beyond, but of a size known beforehand */
    for (int i = 0; i < 8; i++)
        tail[end - 8 + (size_t)i] = (uint8_t)(bits >> (56 - 8 * i));
    return blocks;
}

__attribute__((unused)) static void sha256_digest(const void *words, uint8_t *out) {
    const uint32_t *word = words;
    for (int i = 0; i < 8; i++, out += 4) {
        out[0] = (uint8_t)(word[i] >> 24);
        out[1] = (uint8_t)(word[i] >> 16);
        out[2] = (uint8_t)(word[i] >> 8);
        out[3] = (uint8_t)word[i];
    }
}

#endif /* MC_HASH_SHA256_H */

#ifdef V32

#define ROR1(x, n) ((uint32_t)(x) >> (n) | (uint32_t)(x) << (32 - (n)))
#define SIGMA0(x) V32_XOR3(V32_ROR(x, 7), V32_ROR(x, 18), V32_SHR(x, 3))
#define SIGMA1(x) V32_XOR3(V32_ROR(x, 17), V32_ROR(x, 19), V32_SHR(x, 10))
#define SIGMA0_OF(c) (ROR1(c, 7) ^ ROR1(c, 18) ^ (uint32_t)(c) >> 3) /* of constants */
#define SIGMA1_OF(c) (ROR1(c, 17) ^ ROR1(c, 19) ^ (uint32_t)(c) >> 10)

#define ROUND(a, b, c, d, e, f, g, h, kw)                                                                             \
    do {                                                                                                              \
        V32 t1_ = V32_ADD(V32_ADD(h, kw), V32_CH(e, f, g));                                                           \
        t1_ = V32_ADD(t1_, V32_XOR3(V32_ROR(e, 6), V32_ROR(e, 11), V32_ROR(e, 25)));                                  \
        d = V32_ADD(d, t1_);                                                                                          \
        t1_ = V32_ADD(t1_, V32_MAJ(a, b, c));                                                                         \
        h = V32_ADD(t1_, V32_XOR3(V32_ROR(a, 2), V32_ROR(a, 13), V32_ROR(a, 22)));                                    \
    } while (0)

#define ROUNDS8(KW, t) SHA2_ROUNDS8(ROUND, KW, t)

#define KW_GIVEN(t) V32_ADD_AT(w[(t) & 15], k + (t))
#define KW_CONSTANT(t) V32_SET1_AT(k + (t))
#define KW_SCHEDULED(t)                                                                                               \
    (w[(t) & 15] = V32_ADD(V32_ADD(w[(t) & 15], SIGMA0(w[((t) + 1) & 15])),                                           \
                           V32_ADD(w[((t) + 9) & 15], SIGMA1(w[((t) + 14) & 15]))),                                   \
     KW_GIVEN(t))

/* Rounds [from, 64) with a full schedule; `from` is 16 or 32. */
#define SCHEDULED_ROUNDS(from)                                                                                        \
    k += (from);                                                                                                      \
    for (int round_ = (from); round_ < 64; round_ += 16, k += 16) {                                                   \
        ROUNDS8(KW_SCHEDULED, 0);                                                                                     \
        ROUNDS8(KW_SCHEDULED, 8);                                                                                     \
    }

MC_INLINE void MC_NAME(sha256_init)(V32 s[8]) {
    for (int i = 0; i < 8; i++)
        s[i] = V32_SET1(sha256_initial[i]);
}

/* One block in w[0..15], any content. */
MC_INLINE void MC_NAME(sha256_block)(V32 s[8], V32 w[16]) {
    const uint32_t *k = sha256_k;
    MC_HIDE(k);
    WORKING(V32, s);
    ROUNDS8(KW_GIVEN, 0);
    ROUNDS8(KW_GIVEN, 8);
    SCHEDULED_ROUNDS(16);
    FEED_FORWARD(V32_ADD, s);
}

/* The padding block of a 64-byte message. */
MC_INLINE void MC_NAME(sha256_block_pad64)(V32 s[8]) {
    const uint32_t *k = sha256_pad64;
    MC_HIDE(k);
    WORKING(V32, s);
    for (int t = 0; t < 64; t += 16, k += 16) {
        ROUNDS8(KW_CONSTANT, 0);
        ROUNDS8(KW_CONSTANT, 8);
    }
    FEED_FORWARD(V32_ADD, s);
}

/* The second block of a 65-byte message: `last` holds the 65th byte and the bit behind it. */
MC_INLINE void MC_NAME(sha256_block_pad65)(V32 s[8], V32 last) {
    enum { BITS = 65 * 8 };
    const uint32_t *k = sha256_k;
    MC_HIDE(k);
    V32 w[16];
    WORKING(V32, s);
    /* W[1..14] = 0, so that up to round 15 only K and the two outer words count */
    w[0] = last;
    ROUND(a, b, c, d, e, f, g, h, KW_GIVEN(0));
    ROUND(h, a, b, c, d, e, f, g, KW_CONSTANT(1));
    ROUND(g, h, a, b, c, d, e, f, KW_CONSTANT(2));
    ROUND(f, g, h, a, b, c, d, e, KW_CONSTANT(3));
    ROUND(e, f, g, h, a, b, c, d, KW_CONSTANT(4));
    ROUND(d, e, f, g, h, a, b, c, KW_CONSTANT(5));
    ROUND(c, d, e, f, g, h, a, b, KW_CONSTANT(6));
    ROUND(b, c, d, e, f, g, h, a, KW_CONSTANT(7));
    ROUND(a, b, c, d, e, f, g, h, KW_CONSTANT(8));
    ROUND(h, a, b, c, d, e, f, g, KW_CONSTANT(9));
    ROUND(g, h, a, b, c, d, e, f, KW_CONSTANT(10));
    ROUND(f, g, h, a, b, c, d, e, KW_CONSTANT(11));
    ROUND(e, f, g, h, a, b, c, d, KW_CONSTANT(12));
    ROUND(d, e, f, g, h, a, b, c, KW_CONSTANT(13));
    ROUND(c, d, e, f, g, h, a, b, KW_CONSTANT(14));
    w[15] = V32_SET1(BITS);
    ROUND(b, c, d, e, f, g, h, a, KW_GIVEN(15));
    /* W[16..31], where most terms of the sum are zero and every second early word is constant */
    const V32 w17 = V32_SET1(SIGMA1_OF(BITS)), w19 = V32_SET1(SIGMA1_OF(SIGMA1_OF(BITS)));
    const V32 w21 = V32_SET1(SIGMA1_OF(SIGMA1_OF(SIGMA1_OF(BITS))));
    const V32 w23 = V32_SET1(SIGMA1_OF(SIGMA1_OF(SIGMA1_OF(SIGMA1_OF(BITS)))));
    w[1] = w17;
    w[2] = SIGMA1(w[0]);
    w[3] = w19;
    w[4] = SIGMA1(w[2]);
    w[5] = w21;
    w[6] = V32_ADD(SIGMA1(w[4]), w[15]);
    w[7] = V32_ADD(w[0], w23);
    w[8] = V32_ADD(SIGMA1(w[6]), w17);
    w[9] = V32_ADD(SIGMA1(w[7]), w[2]);
    w[10] = V32_ADD(SIGMA1(w[8]), w19);
    w[11] = V32_ADD(SIGMA1(w[9]), w[4]);
    w[12] = V32_ADD(SIGMA1(w[10]), w21);
    w[13] = V32_ADD(SIGMA1(w[11]), w[6]);
    w[14] = V32_ADD(V32_ADD(SIGMA1(w[12]), w[7]), V32_SET1(SIGMA0_OF(BITS)));
    w[15] = V32_ADD(V32_ADD(SIGMA1(w[13]), w[8]), V32_ADD(SIGMA0(w[0]), w[15]));
    k += 16;
    ROUNDS8(KW_GIVEN, 0);
    ROUNDS8(KW_GIVEN, 8);
    k -= 16;
    SCHEDULED_ROUNDS(32);
    FEED_FORWARD(V32_ADD, s);
}

/* The only block of a message of `bits` bits that ends in w[8]; `sigma0` is SIGMA0(w[8]). */
MC_INLINE void MC_NAME(sha256_block_short)(V32 s[8], V32 w[16], V32 sigma0, uint32_t bits) {
    const uint32_t *k = sha256_k;
    MC_HIDE(k);
    WORKING(V32, s);
    SHA2_SHORT(V32, w, sigma0, bits);
    k -= 16;
    SCHEDULED_ROUNDS(32);
    FEED_FORWARD(V32_ADD, s);
}

/* A message of 32 bytes, the eight words in w[0..7]. */
MC_INLINE void MC_NAME(sha256_block_of_digest)(V32 s[8], V32 w[16]) {
    const uint32_t bit = 0x80000000u;
    w[8] = V32_SET1(bit);
    MC_NAME(sha256_block_short)(s, w, V32_SET1(SIGMA0_OF(bit)), SHA256_DIGEST * 8);
}

#define SHA256_PASS(in, n, out) FOR_EACH_PASS (in, n, out, V32_LANES, SHA256_NODE, SHA256_DIGEST)
#define SHA256_STORE(out, s, n) STORE_PASS(V32_STORE_BE8, out, s, n, V32_LANES, SHA256_DIGEST)

MC_TARGET void MC_NAME(sha256_node)(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    (void)prefix;
    SHA256_PASS (in, n, out) {
        V32 w[16], s[8];
        V32_LOAD_BE16(w, lane);
        MC_NAME(sha256_init)(s);
        MC_NAME(sha256_block)(s, w);
        MC_NAME(sha256_block_pad64)(s);
        SHA256_STORE(out, s, n);
    }
}

MC_TARGET void MC_NAME(sha256_prefixed_node)(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    COPY_FIRST(first, in, n, SHA256_NODE, prefix);
    const uint8_t *begin = in;
    SHA256_PASS (in, n, out) {
        V32 w[16], s[8];
        LOAD_BEHIND(prefix, V32_LOAD_BE16, w, last, lane, SHA256_NODE, begin, first);
        MC_NAME(sha256_init)(s);
        MC_NAME(sha256_block)(s, w);
        MC_NAME(sha256_block_pad65)(s, V32_LOAD(last));
        SHA256_STORE(out, s, n);
    }
}

MC_TARGET void MC_NAME(sha256d_node)(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    (void)prefix;
    SHA256_PASS (in, n, out) {
        V32 w[16], s[8];
        V32_LOAD_BE16(w, lane);
        MC_NAME(sha256_init)(s);
        MC_NAME(sha256_block)(s, w);
        MC_NAME(sha256_block_pad64)(s);
        for (int i = 0; i < 8; i++)
            w[i] = s[i];
        MC_NAME(sha256_init)(s);
        MC_NAME(sha256_block_of_digest)(s, w);
        SHA256_STORE(out, s, n);
    }
}

/* SHA-256 of the digests that the states amount to. */
MC_TARGET static void MC_NAME(sha256_digests_twice)(const void *state, uint8_t *out) {
    const uint32_t (*words)[V32_LANES] = state;
    V32 w[16], s[8];
    for (int i = 0; i < 8; i++)
        w[i] = V32_LOAD(words[i]);
    MC_NAME(sha256_init)(s);
    MC_NAME(sha256_block_of_digest)(s, w);
    V32_STORE_BE8(out, s);
}

/* Rows of one digest, alone and behind a prefix: the leaves of most trees. */
MC_TARGET static void MC_NAME(sha256_bare_rows)(const uint8_t *in, size_t n, uint8_t *out) {
    FOR_EACH_PASS (in, n, out, V32_LANES, SHA256_DIGEST, SHA256_DIGEST) {
        V32 w[16], s[8];
        V32_LOAD_BE8(w, lane);
        MC_NAME(sha256_init)(s);
        MC_NAME(sha256_block_of_digest)(s, w);
        V32_STORE_BE8(out, s);
    }
}

MC_TARGET static void MC_NAME(sha256_rows)(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    COPY_FIRST(first, in, n, SHA256_DIGEST, prefix);
    const uint8_t *begin = in;
    FOR_EACH_PASS (in, n, out, V32_LANES, SHA256_DIGEST, SHA256_DIGEST) {
        V32 w[16], s[8];
        LOAD_BEHIND(prefix, V32_LOAD_BE8, w, last, lane, SHA256_DIGEST, begin, first);
        w[8] = V32_LOAD(last);
        MC_NAME(sha256_init)(s);
        MC_NAME(sha256_block_short)(s, w, SIGMA0(w[8]), (1 + SHA256_DIGEST) * 8);
        V32_STORE_BE8(out, s);
    }
}

MESSAGES_OF_16(sha256, 32, .digests_twice = MC_NAME(sha256_digests_twice), .rows = MC_NAME(sha256_rows),
               .bare_rows = MC_NAME(sha256_bare_rows))

#undef ROR1
#undef SIGMA0
#undef SIGMA1
#undef SIGMA0_OF
#undef SIGMA1_OF
#undef ROUND
#undef ROUNDS8
#undef KW_GIVEN
#undef KW_CONSTANT
#undef KW_SCHEDULED
#undef SCHEDULED_ROUNDS
#undef SHA256_PASS
#undef SHA256_STORE

#endif /* V32 */
