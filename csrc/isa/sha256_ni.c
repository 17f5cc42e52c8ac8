/* SHA-256 on the SHA extensions: two messages at a time, because sha256rnds2 takes four cycles and one can start
 * every second; one message where only one is left.
 *
 * The instruction wants the state as (A B E F) and (C D G H). Each function below is written for `ways` independent
 * messages, a constant wherever it is called, so that the loops over `ways` unroll and interleave. */
#include "isa.h"

#if MC_X86_64

#include "../hash/sha256.h"
#include "../merklecore.h"

#include <immintrin.h>
#include <string.h>

#define MC_ISA_NAME shani
#define MC_TARGET __attribute__((target("sha,sse4.1,ssse3")))

typedef struct ni_state {
    __m128i abef, cdgh;
} ni_state;

MC_INLINE __m128i load16(const void *p) { return _mm_loadu_si128((const __m128i *)p); }

MC_INLINE __m128i swap32(__m128i x) {
    return _mm_shuffle_epi8(x, _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3));
}

MC_INLINE ni_state from_words(const uint32_t words[8]) {
    __m128i dcba = _mm_shuffle_epi32(load16(words), 0xb1), hgfe = _mm_shuffle_epi32(load16(words + 4), 0x1b);
    return (ni_state){_mm_alignr_epi8(dcba, hgfe, 8), _mm_blend_epi16(hgfe, dcba, 0xf0)};
}

/* The words in order: A B C D, E F G H. */
MC_INLINE void in_order(ni_state s, __m128i *abcd, __m128i *efgh) {
    __m128i feba = _mm_shuffle_epi32(s.abef, 0x1b), dchg = _mm_shuffle_epi32(s.cdgh, 0xb1);
    *abcd = _mm_blend_epi16(feba, dchg, 0xf0);
    *efgh = _mm_alignr_epi8(dchg, feba, 8);
}

/* Four rounds with K + W given. */
MC_INLINE void rounds4(ni_state *s, __m128i kw) {
    s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, kw);
    s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, _mm_shuffle_epi32(kw, 0x0e));
}

MC_INLINE void block(int ways, ni_state s[], __m128i m[][4]) {
    ni_state before[2];
    for (int i = 0; i < ways; i++)
        before[i] = s[i];
#pragma GCC unroll 16
    for (int t = 0; t < 16; t++) { /* rounds 4t to 4t + 3; m[i][t % 4] holds their words */
        const __m128i k = load16(sha256_k + 4 * t);
        for (int i = 0; i < ways; i++) {
            __m128i *now = &m[i][t % 4], *next = &m[i][(t + 1) % 4], *last = &m[i][(t + 3) % 4];
            rounds4(&s[i], _mm_add_epi32(*now, k));
            if (t >= 3 && t < 15)
                *next = _mm_sha256msg2_epu32(_mm_add_epi32(*next, _mm_alignr_epi8(*now, *last, 4)), *now);
            if (t >= 1 && t < 13)
                *last = _mm_sha256msg1_epu32(*last, *now);
        }
    }
    for (int i = 0; i < ways; i++) {
        s[i].abef = _mm_add_epi32(s[i].abef, before[i].abef);
        s[i].cdgh = _mm_add_epi32(s[i].cdgh, before[i].cdgh);
    }
}

MC_INLINE void block_pad64(int ways, ni_state s[]) {
    ni_state before[2];
    for (int i = 0; i < ways; i++)
        before[i] = s[i];
#pragma GCC unroll 16
    for (int t = 0; t < 16; t++) {
        const __m128i kw = load16(sha256_pad64 + 4 * t);
        for (int i = 0; i < ways; i++)
            rounds4(&s[i], kw);
    }
    for (int i = 0; i < ways; i++) {
        s[i].abef = _mm_add_epi32(s[i].abef, before[i].abef);
        s[i].cdgh = _mm_add_epi32(s[i].cdgh, before[i].cdgh);
    }
}

MC_INLINE void store_digest(uint8_t *out, ni_state s) {
    __m128i abcd, efgh;
    in_order(s, &abcd, &efgh);
    _mm_storeu_si128((__m128i *)(void *)out, swap32(abcd));
    _mm_storeu_si128((__m128i *)(void *)(out + 16), swap32(efgh));
}

MC_INLINE void node(int ways, const uint8_t *in, uint8_t *out) {
    const ni_state start = from_words(sha256_initial);
    ni_state s[2] = {start, start};
    __m128i m[2][4];
    for (int i = 0; i < ways; i++)
        for (int j = 0; j < 4; j++)
            m[i][j] = swap32(load16(in + 64 * i + 16 * j));
    block(ways, s, m);
    block_pad64(ways, s);
    for (int i = 0; i < ways; i++)
        store_digest(out + 32 * i, s[i]);
}

MC_INLINE void prefixed_node(int ways, const uint8_t *in, uint8_t *out, uint8_t prefix) {
    const ni_state start = from_words(sha256_initial);
    const __m128i first = _mm_slli_si128(_mm_cvtsi32_si128(prefix), 15);
    ni_state s[2] = {start, start};
    __m128i m[2][4], tail[2];
    for (int i = 0; i < ways; i++) {
        __m128i before = first;
        for (int j = 0; j < 4; j++) { /* the node, one byte later */
            __m128i x = load16(in + 64 * i + 16 * j);
            m[i][j] = swap32(_mm_alignr_epi8(x, before, 15));
            before = x;
        }
        tail[i] = _mm_cvtsi32_si128((int)((uint32_t)in[64 * i + 63] << 24 | 0x00800000u));
    }
    block(ways, s, m);
    for (int i = 0; i < ways; i++) {
        m[i][0] = tail[i];
        m[i][1] = m[i][2] = _mm_setzero_si128();
        m[i][3] = _mm_set_epi32(65 * 8, 0, 0, 0);
    }
    block(ways, s, m);
    for (int i = 0; i < ways; i++)
        store_digest(out + 32 * i, s[i]);
}

MC_INLINE void double_node(int ways, const uint8_t *in, uint8_t *out) {
    const ni_state start = from_words(sha256_initial);
    ni_state s[2] = {start, start};
    __m128i m[2][4];
    for (int i = 0; i < ways; i++)
        for (int j = 0; j < 4; j++)
            m[i][j] = swap32(load16(in + 64 * i + 16 * j));
    block(ways, s, m);
    block_pad64(ways, s);
    for (int i = 0; i < ways; i++) {
        in_order(s[i], &m[i][0], &m[i][1]);
        m[i][2] = _mm_set_epi32(0, 0, 0, (int)0x80000000u);
        m[i][3] = _mm_set_epi32(32 * 8, 0, 0, 0);
        s[i] = start;
    }
    block(ways, s, m);
    for (int i = 0; i < ways; i++)
        store_digest(out + 32 * i, s[i]);
}

MC_TARGET void sha256_node_shani(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    (void)prefix;
    for (; n >= 2; n -= 2, in += 128, out += 64)
        node(2, in, out);
    if (n > 0)
        node(1, in, out);
}

MC_TARGET void sha256_prefixed_node_shani(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    for (; n >= 2; n -= 2, in += 128, out += 64)
        prefixed_node(2, in, out, prefix);
    if (n > 0)
        prefixed_node(1, in, out, prefix);
}

MC_TARGET void sha256d_node_shani(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    (void)prefix;
    for (; n >= 2; n -= 2, in += 128, out += 64)
        double_node(2, in, out);
    if (n > 0)
        double_node(1, in, out);
}

MC_INLINE void compress(int ways, void *state, const uint8_t *const *blocks, size_t n) {
    uint32_t(*words)[8] = state;
    const uint8_t *at[2];
    ni_state s[2];
    for (int i = 0; i < ways; i++) {
        s[i] = from_words(words[i]);
        at[i] = blocks[i];
    }
    for (; n > 0; n--) {
        __m128i m[2][4];
        for (int i = 0; i < ways; i++) {
            for (int j = 0; j < 4; j++)
                m[i][j] = swap32(load16(at[i] + 16 * j));
            at[i] += SHA256_BLOCK;
        }
        block(ways, s, m);
    }
    for (int i = 0; i < ways; i++) {
        __m128i abcd, efgh;
        in_order(s[i], &abcd, &efgh);
        _mm_storeu_si128((__m128i *)(void *)words[i], abcd);
        _mm_storeu_si128((__m128i *)(void *)(words[i] + 4), efgh);
    }
}

MC_INLINE void digests(int ways, const void *state, uint8_t *out) {
    const uint32_t(*words)[8] = state;
    for (int i = 0; i < ways; i++)
        for (int j = 0; j < 2; j++)
            _mm_storeu_si128((__m128i *)(void *)(out + 32 * i + 16 * j), swap32(load16(words[i] + 4 * j)));
}

MC_TARGET static void compress_one(void *state, const uint8_t *const *blocks, size_t n) {
    compress(1, state, blocks, n);
}
MC_TARGET static void compress_two(void *state, const uint8_t *const *blocks, size_t n) {
    compress(2, state, blocks, n);
}
MC_TARGET static void digests_one(const void *state, uint8_t *out) { digests(1, state, out); }
MC_TARGET static void digests_two(const void *state, uint8_t *out) { digests(2, state, out); }

const mc_lanes sha256_message_shani = {
    .word_stride = sizeof(uint32_t),
    .lane_stride = sizeof(uint32_t[8]),
    .compress = compress_one,
    .digests = digests_one,
};
const mc_lanes sha256_messages_shani = {
    .word_stride = sizeof(uint32_t),
    .lane_stride = sizeof(uint32_t[8]),
    .compress = compress_two,
    .digests = digests_two,
};

#else
typedef int mc_no_shani; /* an empty translation unit is not ISO C */
#endif
