/* SM3 (GB/T 32905-2016, sections 5.2 and 5.3), the hash of Chinese national standards.
 *
 * The frame is that of SHA-256: 64-byte blocks, big-endian words, the same padding, eight working variables:
 *
 *     SS1 = rot(rot(A, 12) + E + rot(T[j], j), 7)      SS2 = SS1 ^ rot(A, 12)
 *     TT1 = FF(A, B, C) + D + SS2 + W'[j]              TT2 = GG(E, F, G) + H + SS1 + W[j]
 *     D, C, B, A = C, rot(B, 9), A, TT1                H, G, F, E = G, rot(F, 19), E, P0(TT2)
 *     W[j] = P1(W[j-16] ^ W[j-9] ^ rot(W[j-3], 15)) ^ rot(W[j-13], 7) ^ W[j-6]      W'[j] = W[j] ^ W[j+4]
 *
 * FF and GG are the exclusive or in rounds 0 to 15, then the majority and the choice. The block that pads a 64-byte
 * message is constant, and so are all its W and W'. */
#ifndef MC_HASH_SM3_H
#define MC_HASH_SM3_H

#include "../merklecore.h"

#include <string.h>

enum { SM3_BLOCK = 64, SM3_DIGEST = 32, SM3_NODE = 64 };

static const uint32_t sm3_initial[8] = {
    0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
};

/* rot(T[j], j mod 32): T is 79cc4519 up to round 15, 7a879d8a from then on */
__attribute__((unused)) static const uint32_t sm3_t[64] __attribute__((aligned(64))) = {
    0x79cc4519, 0xf3988a32, 0xe7311465, 0xce6228cb, 0x9cc45197, 0x3988a32f, 0x7311465e, 0xe6228cbc, //
    0xcc451979, 0x988a32f3, 0x311465e7, 0x6228cbce, 0xc451979c, 0x88a32f39, 0x11465e73, 0x228cbce6, //
    0x9d8a7a87, 0x3b14f50f, 0x7629ea1e, 0xec53d43c, 0xd8a7a879, 0xb14f50f3, 0x629ea1e7, 0xc53d43ce, //
    0x8a7a879d, 0x14f50f3b, 0x29ea1e76, 0x53d43cec, 0xa7a879d8, 0x4f50f3b1, 0x9ea1e762, 0x3d43cec5, //
    0x7a879d8a, 0xf50f3b14, 0xea1e7629, 0xd43cec53, 0xa879d8a7, 0x50f3b14f, 0xa1e7629e, 0x43cec53d, //
    0x879d8a7a, 0x0f3b14f5, 0x1e7629ea, 0x3cec53d4, 0x79d8a7a8, 0xf3b14f50, 0xe7629ea1, 0xcec53d43, //
    0x9d8a7a87, 0x3b14f50f, 0x7629ea1e, 0xec53d43c, 0xd8a7a879, 0xb14f50f3, 0x629ea1e7, 0xc53d43ce, //
    0x8a7a879d, 0x14f50f3b, 0x29ea1e76, 0x53d43cec, 0xa7a879d8, 0x4f50f3b1, 0x9ea1e762, 0x3d43cec5, //
};

/* W[j] and W'[j] of the block that pads a 64-byte message: 0x80, zeros, the length 512. */
__attribute__((unused)) static const uint32_t sm3_pad64[64][2] __attribute__((aligned(64))) = {
    {0x80000000, 0x80000000}, {0x00000000, 0x00000000}, {0x00000000, 0x00000000}, {0x00000000, 0x00000000}, //
    {0x00000000, 0x00000000}, {0x00000000, 0x00000000}, {0x00000000, 0x00000000}, {0x00000000, 0x00000000}, //
    {0x00000000, 0x00000000}, {0x00000000, 0x00000000}, {0x00000000, 0x00000000}, {0x00000000, 0x00000200}, //
    {0x00000000, 0x80404000}, {0x00000000, 0x00000000}, {0x00000000, 0x01008080}, {0x00000200, 0x10005200}, //
    {0x80404000, 0x80404000}, {0x00000000, 0x002002a0}, {0x01008080, 0xad54dc84}, {0x10005000, 0x10005000}, //
    {0x00000000, 0x09582a39}, {0x002002a0, 0xa02032a0}, {0xac545c04, 0xac545c04}, {0x00000000, 0x00200280}, //
    {0x09582a39, 0xad09723d}, {0xa0003000, 0x80203040}, {0x00000000, 0x51609838}, {0x00200280, 0x30205581}, //
    {0xa4515804, 0x04517804}, {0x20200040, 0x20a200ea}, {0x51609838, 0x3bb5bde8}, {0x30005701, 0x3a0e5517}, //
    {0xa0002000, 0x10f50042}, {0x008200aa, 0xfaf2731a}, {0x6ad525d0, 0x4ad525d0}, {0x0a0e0216, 0x0a8c02be}, //
    {0xb0f52042, 0xcaa105d2}, {0xfa7073b0, 0xd8d273f4}, {0x20000000, 0xf5d6ebd2}, {0x008200a8, 0x828257d9}, //
    {0x7a542590, 0xf07407d0}, {0x22a20044, 0x968a26ee}, {0xd5d6ebd2, 0x3f2ea58b}, {0x82005771, 0xca98bd88}, //
    {0x8a202240, 0x08270a7d}, {0xb42826aa, 0x5a4f5350}, {0xeaf84e59, 0x4918aef9}, {0x4898eaf9, 0xc0b0a273}, //
    {0x8207283d, 0xa1b37260}, {0xee6775fa, 0x8ced573e}, {0xa3e0e0a0, 0x2e8de6b5}, {0x8828488a, 0xb01842f4}, //
    {0x23b45a5d, 0xcad63ab8}, {0x628a22c4, 0x49eae2e4}, {0x8d6d0615, 0xdd43d324}, {0x38300a7e, 0xa6b786c7}, //
    {0xe96260e5, 0xc8ee581d}, {0x2b60c020, 0xf7cefc97}, {0x502ed531, 0x7a10db3b}, {0x9e878cb9, 0x776748d8}, //
    {0x218c38f8, 0xadb200c9}, {0xdcae3cb7, 0x98049e9f}, {0x2a3e0e0a, 0xf65ead81}, {0xe9e0c461, 0xb863c496}, //
};

#endif /* MC_HASH_SM3_H */

#ifdef V32

#define ROL(x, n) V32_ROR(x, 32 - (n))
#define XOR_ALL(x, y, z) V32_XOR3(x, y, z)

/* One round; the variables change places from round to round instead of their values. */
#define ROUND(FF, GG, a, b, c, d, e, f, g, h, j, W, W1)                                                               \
    do {                                                                                                              \
        const V32 a12_ = ROL(a, 12);                                                                                  \
        const V32 ss1_ = ROL(V32_ADD(V32_ADD_AT(e, k + (j)), a12_), 7);                                               \
        d = V32_ADD(V32_ADD(d, W1), V32_ADD(FF(a, b, c), V32_XOR(ss1_, a12_)));                                       \
        h = V32_ADD(V32_ADD(h, W), V32_ADD(GG(e, f, g), ss1_));                                                       \
        h = V32_XOR3(h, ROL(h, 9), ROL(h, 17));                                                                       \
        b = ROL(b, 9);                                                                                                \
        f = ROL(f, 19);                                                                                               \
    } while (0)

/* Four rounds, after which the variables stand where they stood. */
#define ROUNDS4(FF, GG, j, W, W1)                                                                                     \
    ROUND(FF, GG, a, b, c, d, e, f, g, h, (j), W((j)), W1((j)));                                                      \
    ROUND(FF, GG, d, a, b, c, h, e, f, g, (j) + 1, W((j) + 1), W1((j) + 1));                                          \
    ROUND(FF, GG, c, d, a, b, g, h, e, f, (j) + 2, W((j) + 2), W1((j) + 2));                                          \
    ROUND(FF, GG, b, c, d, a, f, g, h, e, (j) + 3, W((j) + 3), W1((j) + 3))

/* W[j + 16] in the place of W[j], which no round needs any more. */
#define EXPAND(j)                                                                                                     \
    do {                                                                                                              \
        const V32 x_ = V32_XOR3(w[(j) & 15], w[((j) + 7) & 15], ROL(w[((j) + 13) & 15], 15));                         \
        const V32 p_ = V32_XOR3(x_, ROL(x_, 15), ROL(x_, 23));                                                        \
        w[(j) & 15] = V32_XOR3(p_, ROL(w[((j) + 3) & 15], 7), w[((j) + 10) & 15]);                                    \
    } while (0)
#define EXPAND4(j)                                                                                                    \
    EXPAND(j);                                                                                                        \
    EXPAND((j) + 1);                                                                                                  \
    EXPAND((j) + 2);                                                                                                  \
    EXPAND((j) + 3)
#define W_OF(j) w[(j) & 15]
#define W1_OF(j) V32_XOR(w[(j) & 15], w[((j) + 4) & 15])
#define PAD_W(j) V32_SET1_AT(&pad[j][0])
#define PAD_W1(j) V32_SET1_AT(&pad[j][1])

MC_INLINE void MC_NAME(sm3_init)(V32 s[8]) {
    for (int i = 0; i < 8; i++)
        s[i] = V32_SET1(sm3_initial[i]);
}

/* One block in w[0..15], any content. Rounds j to j + 3 need W up to j + 7. */
MC_INLINE void MC_NAME(sm3_block)(V32 s[8], V32 w[16]) {
    const uint32_t *k = sm3_t;
    MC_HIDE(k);
    WORKING(V32, s);
    ROUNDS4(XOR_ALL, XOR_ALL, 0, W_OF, W1_OF);
    ROUNDS4(XOR_ALL, XOR_ALL, 4, W_OF, W1_OF);
    ROUNDS4(XOR_ALL, XOR_ALL, 8, W_OF, W1_OF);
    EXPAND4(0);
    ROUNDS4(XOR_ALL, XOR_ALL, 12, W_OF, W1_OF);
    k += 16;
    for (int round = 16; round < 64; round += 16, k += 16) {
        EXPAND4(4);
        ROUNDS4(V32_MAJ, V32_CH, 0, W_OF, W1_OF);
        EXPAND4(8);
        ROUNDS4(V32_MAJ, V32_CH, 4, W_OF, W1_OF);
        EXPAND4(12);
        ROUNDS4(V32_MAJ, V32_CH, 8, W_OF, W1_OF);
        EXPAND4(0);
        ROUNDS4(V32_MAJ, V32_CH, 12, W_OF, W1_OF);
    }
    FEED_FORWARD(V32_XOR, s);
}

/* The padding block of a 64-byte message. */
MC_INLINE void MC_NAME(sm3_block_pad64)(V32 s[8]) {
    const uint32_t *k = sm3_t;
    const uint32_t (*pad)[2] = sm3_pad64;
    MC_HIDE(k);
    MC_HIDE(pad);
    WORKING(V32, s);
    ROUNDS4(XOR_ALL, XOR_ALL, 0, PAD_W, PAD_W1);
    ROUNDS4(XOR_ALL, XOR_ALL, 4, PAD_W, PAD_W1);
    ROUNDS4(XOR_ALL, XOR_ALL, 8, PAD_W, PAD_W1);
    ROUNDS4(XOR_ALL, XOR_ALL, 12, PAD_W, PAD_W1);
    k += 16;
    pad += 16;
    for (int round = 16; round < 64; round += 16, k += 16, pad += 16) {
        ROUNDS4(V32_MAJ, V32_CH, 0, PAD_W, PAD_W1);
        ROUNDS4(V32_MAJ, V32_CH, 4, PAD_W, PAD_W1);
        ROUNDS4(V32_MAJ, V32_CH, 8, PAD_W, PAD_W1);
        ROUNDS4(V32_MAJ, V32_CH, 12, PAD_W, PAD_W1);
    }
    FEED_FORWARD(V32_XOR, s);
}

#define SM3_PASS(in, n, out) FOR_EACH_PASS (in, n, out, V32_LANES, SM3_NODE, SM3_DIGEST)
#define SM3_STORE(out, s, n) STORE_PASS(V32_STORE_BE8, out, s, n, V32_LANES, SM3_DIGEST)

MC_TARGET void MC_NAME(sm3_node)(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    (void)prefix;
    SM3_PASS (in, n, out) {
        V32 w[16], s[8];
        V32_LOAD_BE16(w, lane);
        MC_NAME(sm3_init)(s);
        MC_NAME(sm3_block)(s, w);
        MC_NAME(sm3_block_pad64)(s);
        SM3_STORE(out, s, n);
    }
}

MC_TARGET void MC_NAME(sm3_prefixed_node)(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    COPY_FIRST(first, in, n, SM3_NODE, prefix);
    const uint8_t *begin = in;
    SM3_PASS (in, n, out) {
        V32 w[16], s[8];
        LOAD_BEHIND(prefix, V32_LOAD_BE16, w, last, lane, SM3_NODE, begin, first);
        MC_NAME(sm3_init)(s);
        MC_NAME(sm3_block)(s, w);
        w[0] = V32_LOAD(last);
        for (int i = 1; i < 15; i++)
            w[i] = V32_SET1(0);
        w[15] = V32_SET1((1 + SM3_NODE) * 8);
        MC_NAME(sm3_block)(s, w);
        SM3_STORE(out, s, n);
    }
}

MESSAGES_OF_16(sm3, 32, .rows = NULL)

#undef ROL
#undef XOR_ALL
#undef ROUND
#undef ROUNDS4
#undef EXPAND
#undef EXPAND4
#undef W_OF
#undef W1_OF
#undef PAD_W
#undef PAD_W1
#undef SM3_PASS
#undef SM3_STORE

#endif /* V32 */
