/* SHA-512 (FIPS 180-4, sections 4.1.3, 5.1.2, 6.4): the rounds of SHA-256 on 64-bit words, eighty of them.
 *
 *     T1 = h + S1(e) + Ch(e, f, g) + K[t] + W[t]      T2 = S0(a) + Maj(a, b, c)      d += T1, h = T1 + T2
 *     W[t] = s1(W[t-2]) + W[t-7] + s0(W[t-15]) + W[t-16]
 *
 * A node is two digests of 64 bytes, one block; the block that pads it is constant: K[t] + W[t] is a table. */
#ifndef MC_HASH_SHA512_H
#define MC_HASH_SHA512_H

#include "../merklecore.h"

#include <string.h>

enum { SHA512_BLOCK = 128, SHA512_DIGEST = 64, SHA512_NODE = 128 };

static const uint64_t sha512_initial[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1, //
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179, //
};

__attribute__((unused)) static const uint64_t sha512_k[80] __attribute__((aligned(64))) = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc, //
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118, //
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2, //
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694, //
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65, //
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5, //
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4, //
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70, //
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df, //
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b, //
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30, //
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8, //
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8, //
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3, //
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec, //
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b, //
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, //
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b, //
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c, //
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817, //
};

/* K[t] + W[t] of the block that pads a 128-byte message: 0x80, zeros, the length 1024. */
__attribute__((unused)) static const uint64_t sha512_pad128[80] __attribute__((aligned(64))) = {
    0xc28a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc, //
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118, //
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2, //
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692a94, //
    0x649b69c19ef14ad2, 0xf03e4786384f45f3, 0x11c1adc68b8cd5b9, 0x240ca1dc77ad9c65, //
    0x3df12c6f5b2b0295, 0x6a74852aaeb0e883, 0xdcb4cbddcd4a0114, 0x36f988da845153c5, //
    0x9b4761d2eea727cb, 0xad33ee6d37b932c2, 0xc143c7fbb90f6167, 0x577487c7d5ef1fd6, //
    0xe9250da555d6c804, 0x1652326c7c6f319c, 0x9c73c1308a6abe80, 0xedcb859d96f4174f, //
    0x05992bbc5302ea46, 0xc0515d8c72d32b21, 0xe27760859b58b01c, 0xbd776eecd97e28bf, //
    0xfec461e497d05dfb, 0x8c65848a09b42f15, 0x1d93677302646f8d, 0x71d7625be0029f9b, //
    0xed8c8b143b918647, 0x5813345c6ddd5e95, 0x44837edc639f1da6, 0x65309e51db9245d4, //
    0xa4de07e39af7c84c, 0xea208293cb3b3d17, 0x33abda924feb6a30, 0x8965f30d8a442337, //
    0x90808dcdb29ea41b, 0xe2d6d8dad96f92ca, 0xfd690c3258486648, 0xddb95f897e662ce2, //
    0x6b2b08dcc03f02bc, 0x261c68ddf66cc62c, 0xa4f0eddd57c1364d, 0xe35537ec1f29acd2, //
    0x27e70659eef7b721, 0xdabbb3bf5db9f4c8, 0x34436c1241ad0e37, 0x0302752801d6306b, //
    0xbf77d7d65bedd8cd, 0xa9871d46c85cd973, 0x5fdbae1fae40e068, 0x468af1bb676f47b0, //
    0x809520bd379dac58, 0x2766590af071ca9c, 0xff96fca3577ecade, 0x1c490d6456b3b489, //
    0xe85734c184192ce6, 0x2ba01930bbb71001, 0xabe1acaf661e43eb, 0x120f3b5f15bf003d, //
    0xfd7d4cd1515c8209, 0x9cfa18c629a0c327, 0x7e39ff2d2a3f2fae, 0x2ff0a5398e575356, //
    0xc9117833006d097e, 0x09d40c7849733ff8, 0x774d7c8f5f3aa6bd, 0xe04b4161aa09de75, //
};

__attribute__((unused)) static size_t sha512_pad(uint8_t *tail, size_t used, uint64_t total) {
    const size_t blocks = used + 17 <= SHA512_BLOCK ? 1 : 2;
    const size_t end = blocks * SHA512_BLOCK;
    const uint64_t bits = total * 8;
    tail[used] = 0x80;
    memset(tail + used + 1, 0, end - used - 1);
    tail[end - 9] = (uint8_t)(total >> 61); /* the upper half of a 128-bit length */
    for (int i = 0; i < 8; i++)
        tail[end - 8 + (size_t)i] = (uint8_t)(bits >> (56 - 8 * i));
    return blocks;
}

__attribute__((unused)) static void sha512_digest(const void *words, uint8_t *out) {
    const uint64_t *word = words;
    for (int i = 0; i < SHA512_DIGEST; i++)
        out[i] = (uint8_t)(word[i / 8] >> (56 - 8 * (i % 8)));
}

#endif /* MC_HASH_SHA512_H */

#ifdef V64

#define ROUND(a, b, c, d, e, f, g, h, kw)                                                                             \
    do {                                                                                                              \
        V64 t1_ = V64_ADD(V64_ADD(h, kw), V64_CH(e, f, g));                                                           \
        t1_ = V64_ADD(t1_, V64_XOR3(V64_ROR(e, 14), V64_ROR(e, 18), V64_ROR(e, 41)));                                 \
        d = V64_ADD(d, t1_);                                                                                          \
        t1_ = V64_ADD(t1_, V64_MAJ(a, b, c));                                                                         \
        h = V64_ADD(t1_, V64_XOR3(V64_ROR(a, 28), V64_ROR(a, 34), V64_ROR(a, 39)));                                   \
    } while (0)

#define ROUNDS8(KW, t) SHA2_ROUNDS8(ROUND, KW, t)

#define SIGMA0(x) V64_XOR3(V64_ROR(x, 1), V64_ROR(x, 8), V64_SHR(x, 7))
#define SIGMA1(x) V64_XOR3(V64_ROR(x, 19), V64_ROR(x, 61), V64_SHR(x, 6))
#define ROR1(x, n) ((uint64_t)(x) >> (n) | (uint64_t)(x) << (64 - (n)))
#define SIGMA0_OF(c) (ROR1(c, 1) ^ ROR1(c, 8) ^ (uint64_t)(c) >> 7) /* of constants */
#define SIGMA1_OF(c) (ROR1(c, 19) ^ ROR1(c, 61) ^ (uint64_t)(c) >> 6)
#define KW_GIVEN(t) V64_ADD_AT(w[(t) & 15], k + (t))
#define KW_CONSTANT(t) V64_SET1_AT(k + (t))
#define KW_SCHEDULED(t)                                                                                               \
    (w[(t) & 15] = V64_ADD(V64_ADD(w[(t) & 15], SIGMA0(w[((t) + 1) & 15])),                                           \
                           V64_ADD(w[((t) + 9) & 15], SIGMA1(w[((t) + 14) & 15]))),                                   \
     KW_GIVEN(t))

MC_INLINE void MC_NAME(sha512_init)(V64 s[8]) {
    for (int i = 0; i < 8; i++)
        s[i] = V64_SET1(sha512_initial[i]);
}

/* One block in w[0..15], any content. */
MC_INLINE void MC_NAME(sha512_block)(V64 s[8], V64 w[16]) {
    const uint64_t *k = sha512_k;
    MC_HIDE(k);
    WORKING(V64, s);
    ROUNDS8(KW_GIVEN, 0);
    ROUNDS8(KW_GIVEN, 8);
    k += 16;
    for (int t = 16; t < 80; t += 16, k += 16) {
        ROUNDS8(KW_SCHEDULED, 0);
        ROUNDS8(KW_SCHEDULED, 8);
    }
    FEED_FORWARD(V64_ADD, s);
}

/* The padding block of a 128-byte message. */
MC_INLINE void MC_NAME(sha512_block_pad128)(V64 s[8]) {
    const uint64_t *k = sha512_pad128;
    MC_HIDE(k);
    WORKING(V64, s);
    for (int t = 0; t < 80; t += 16, k += 16) {
        ROUNDS8(KW_CONSTANT, 0);
        ROUNDS8(KW_CONSTANT, 8);
    }
    FEED_FORWARD(V64_ADD, s);
}

/* The only block of a 64-byte message, the eight words in w[0..7]: W[9..14] are zero. */
MC_INLINE void MC_NAME(sha512_block_of_digest)(V64 s[8], V64 w[16]) {
    const uint64_t bit = (uint64_t)1 << 63, bits = SHA512_DIGEST * 8;
    const uint64_t *k = sha512_k;
    MC_HIDE(k);
    WORKING(V64, s);
    w[8] = V64_SET1(bit);
    SHA2_SHORT(V64, w, V64_SET1(SIGMA0_OF(bit)), bits);
    k += 16;
    for (int t = 32; t < 80; t += 16, k += 16) {
        ROUNDS8(KW_SCHEDULED, 0);
        ROUNDS8(KW_SCHEDULED, 8);
    }
    FEED_FORWARD(V64_ADD, s);
}

#define SHA512_PASS(in, n, out) FOR_EACH_PASS (in, n, out, V64_LANES, SHA512_NODE, SHA512_DIGEST)
#define SHA512_STORE(out, s, n) STORE_PASS(V64_STORE_BE8, out, s, n, V64_LANES, SHA512_DIGEST)

MC_TARGET void MC_NAME(sha512_node)(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    (void)prefix;
    SHA512_PASS (in, n, out) {
        V64 w[16], s[8];
        MC_NAME(take16_64)(w, lane);
        MC_NAME(sha512_init)(s);
        MC_NAME(sha512_block)(s, w);
        MC_NAME(sha512_block_pad128)(s);
        SHA512_STORE(out, s, n);
    }
}

MC_TARGET void MC_NAME(sha512_prefixed_node)(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    COPY_FIRST(first, in, n, SHA512_NODE, prefix);
    const uint8_t *begin = in;
    SHA512_PASS (in, n, out) {
        V64 w[16], s[8];
        uint64_t last[V64_LANES] __attribute__((aligned(64)));
        for (size_t j = 0; j < V64_LANES; j++)
            PUT_SCALAR(last[j], (uint64_t)lane[j][SHA512_NODE - 1] << 56 | (uint64_t)0x80 << 48);
        MC_NAME(point_before)(lane, V64_LANES, begin, first);
        MC_NAME(take16_64)(w, lane);
        w[0] = V64_OR(V64_AND(w[0], V64_SET1(~(uint64_t)0 >> 8)), V64_SET1((uint64_t)prefix << 56));
        MC_NAME(sha512_init)(s);
        MC_NAME(sha512_block)(s, w);
        w[0] = V64_LOAD(last);
        for (int i = 1; i < 15; i++)
            w[i] = V64_SET1(0);
        w[15] = V64_SET1((1 + SHA512_NODE) * 8);
        MC_NAME(sha512_block)(s, w);
        SHA512_STORE(out, s, n);
    }
}

/* Rows of one digest, which is 64 bytes. */
MC_TARGET static void MC_NAME(sha512_bare_rows)(const uint8_t *in, size_t n, uint8_t *out) {
    FOR_EACH_PASS (in, n, out, V64_LANES, SHA512_DIGEST, SHA512_DIGEST) {
        V64 w[16], s[8];
        V64_LOAD_BE8(w, lane);
        MC_NAME(sha512_init)(s);
        MC_NAME(sha512_block_of_digest)(s, w);
        V64_STORE_BE8(out, s);
    }
}

MESSAGES_OF_16(sha512, 64, .bare_rows = MC_NAME(sha512_bare_rows))

#undef ROUND
#undef ROUNDS8
#undef SIGMA0
#undef SIGMA1
#undef ROR1
#undef SIGMA0_OF
#undef SIGMA1_OF
#undef KW_GIVEN
#undef KW_CONSTANT
#undef KW_SCHEDULED
#undef SHA512_PASS
#undef SHA512_STORE

#endif /* V64 */
