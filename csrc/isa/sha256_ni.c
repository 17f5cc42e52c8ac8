/* SHA-256 on the SHA extensions: several messages at a time, because sha256rnds2 takes four cycles to finish. Two
 * fill it where one can start every second or third cycle; four where one can start every cycle (MC_FAST_SHA).
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
/* Four messages want more than 16 registers and spill; instructions of three operands, which the CPUs concerned have,
 * save the copies that would come on top. */
#define MC_TARGET_FAST __attribute__((target("sha,avx2")))

enum { MC_WAYS = 4 };

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

/* One block, its words in m. Bit t of `idle`: the words in groups t - 1 and t are such that s0 adds nothing. */
MC_INLINE void block(int ways, ni_state s[], __m128i m[][4], unsigned idle) {
    ni_state before[MC_WAYS];
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
            if (t >= 1 && t < 13 && !(idle >> t & 1))
                *last = _mm_sha256msg1_epu32(*last, *now);
        }
    }
    for (int i = 0; i < ways; i++) {
        s[i].abef = _mm_add_epi32(s[i].abef, before[i].abef);
        s[i].cdgh = _mm_add_epi32(s[i].cdgh, before[i].cdgh);
    }
}

MC_INLINE void block_pad64(int ways, ni_state s[]) {
    ni_state before[MC_WAYS];
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

/* SHA-256 of digests, of which m has the words in its first half. */
MC_INLINE void hash_digests(int ways, __m128i m[][4], uint8_t *out) {
    const ni_state start = from_words(sha256_initial);
    ni_state s[MC_WAYS] = {start, start, start, start};
    for (int i = 0; i < ways; i++) {
        m[i][2] = _mm_set_epi32(0, 0, 0, (int)0x80000000u);
        m[i][3] = _mm_set_epi32(32 * 8, 0, 0, 0);
    }
    block(ways, s, m, 1 << 3);
    for (int i = 0; i < ways; i++)
        store_digest(out + 32 * i, s[i]);
}

MC_INLINE void node(int ways, const uint8_t *in, uint8_t *out, uint8_t prefix) {
    (void)prefix;
    const ni_state start = from_words(sha256_initial);
    ni_state s[MC_WAYS] = {start, start, start, start};
    __m128i m[MC_WAYS][4];
    for (int i = 0; i < ways; i++)
        for (int j = 0; j < 4; j++)
            m[i][j] = swap32(load16(in + 64 * i + 16 * j));
    block(ways, s, m, 0);
    block_pad64(ways, s);
    for (int i = 0; i < ways; i++)
        store_digest(out + 32 * i, s[i]);
}

MC_INLINE void prefixed_node(int ways, const uint8_t *in, uint8_t *out, uint8_t prefix) {
    const ni_state start = from_words(sha256_initial);
    const __m128i first = _mm_slli_si128(_mm_cvtsi32_si128(prefix), 15);
    ni_state s[MC_WAYS] = {start, start, start, start};
    __m128i m[MC_WAYS][4], tail[MC_WAYS];
    for (int i = 0; i < ways; i++) {
        __m128i before = first;
        for (int j = 0; j < 4; j++) { /* the node, one byte later */
            __m128i x = load16(in + 64 * i + 16 * j);
            m[i][j] = swap32(_mm_alignr_epi8(x, before, 15));
            before = x;
        }
        tail[i] = _mm_cvtsi32_si128((int)((uint32_t)in[64 * i + 63] << 24 | 0x00800000u));
    }
    block(ways, s, m, 0);
    for (int i = 0; i < ways; i++) {
        m[i][0] = tail[i];
        m[i][1] = m[i][2] = _mm_setzero_si128();
        m[i][3] = _mm_set_epi32(65 * 8, 0, 0, 0);
    }
    block(ways, s, m, 1 << 1 | 1 << 2 | 1 << 3);
    for (int i = 0; i < ways; i++)
        store_digest(out + 32 * i, s[i]);
}

MC_INLINE void double_node(int ways, const uint8_t *in, uint8_t *out, uint8_t prefix) {
    (void)prefix;
    const ni_state start = from_words(sha256_initial);
    ni_state s[MC_WAYS] = {start, start, start, start};
    __m128i m[MC_WAYS][4];
    for (int i = 0; i < ways; i++)
        for (int j = 0; j < 4; j++)
            m[i][j] = swap32(load16(in + 64 * i + 16 * j));
    block(ways, s, m, 0);
    block_pad64(ways, s);
    for (int i = 0; i < ways; i++)
        in_order(s[i], &m[i][0], &m[i][1]);
    hash_digests(ways, m, out);
}

typedef void (*few_nodes)(const uint8_t *in, uint8_t *out, uint8_t prefix);

/* Four nodes at a time, and three as four of which one counts for nothing. */
MC_INLINE void by_fours(few_nodes four, mc_node_fn rest, const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    for (; n >= 4; n -= 4, in += 4 * SHA256_NODE, out += 4 * SHA256_DIGEST)
        four(in, out, prefix);
    if (n == 3) {
        uint8_t nodes[4 * SHA256_NODE], digests[4 * SHA256_DIGEST];
        memcpy(nodes, in, 3 * SHA256_NODE);
        memcpy(nodes + 3 * SHA256_NODE, in, SHA256_NODE);
        four(nodes, digests, prefix);
        memcpy(out, digests, 3 * SHA256_DIGEST);
    } else if (n > 0) {
        rest(in, n, out, prefix);
    }
}

#define NODE_KERNELS(stem, body)                                                                                      \
    MC_TARGET void stem##_shani(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {                          \
        for (; n >= 2; n -= 2, in += 2 * SHA256_NODE, out += 2 * SHA256_DIGEST)                                       \
            body(2, in, out, prefix);                                                                                 \
        if (n > 0)                                                                                                    \
            body(1, in, out, prefix);                                                                                 \
    }                                                                                                                 \
    MC_TARGET_FAST static inline void stem##_four(const uint8_t *in, uint8_t *out, uint8_t prefix) {                  \
        body(4, in, out, prefix);                                                                                     \
    }                                                                                                                 \
    MC_TARGET_FAST void stem##_fast_shani(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {                \
        by_fours(stem##_four, stem##_shani, in, n, out, prefix);                                                      \
    }

NODE_KERNELS(sha256_node, node)
NODE_KERNELS(sha256_prefixed_node, prefixed_node)
NODE_KERNELS(sha256d_node, double_node)

MC_INLINE void store_words(uint32_t words[8], ni_state s) {
    __m128i abcd, efgh;
    in_order(s, &abcd, &efgh);
    _mm_storeu_si128((__m128i *)(void *)words, abcd);
    _mm_storeu_si128((__m128i *)(void *)(words + 4), efgh);
}

MC_INLINE void compress(int ways, void *state, const uint8_t *const *blocks, size_t n) {
    uint32_t (*words)[8] = state;
    const uint8_t *at[MC_WAYS];
    ni_state s[MC_WAYS];
    for (int i = 0; i < ways; i++) {
        s[i] = from_words(words[i]);
        at[i] = blocks[i];
    }
    for (; n > 0; n--) {
        __m128i m[MC_WAYS][4];
        for (int i = 0; i < ways; i++) {
            for (int j = 0; j < 4; j++)
                m[i][j] = swap32(load16(at[i] + 16 * j));
            at[i] += SHA256_BLOCK;
        }
        block(ways, s, m, 0);
    }
    for (int i = 0; i < ways; i++)
        store_words(words[i], s[i]);
}

/* What the messages share, they share in registers: three quarters of the words, and what K adds to them. */
MC_INLINE void compress_end(int ways, void *state, const uint8_t *const *blocks) {
    uint32_t (*words)[8] = state;
    __m128i m[MC_WAYS][4];
    ni_state s[MC_WAYS];
    for (int i = 0; i < ways; i++) {
        s[i] = from_words(words[i]);
        for (int j = 0; j < 4; j++)
            m[i][j] = swap32(load16(blocks[j == 0 ? i : 0] + 16 * j));
    }
    block(ways, s, m, 1 << 2 | 1 << 3);
    for (int i = 0; i < ways; i++)
        store_words(words[i], s[i]);
}

MC_INLINE void digests(int ways, const void *state, uint8_t *out) {
    const uint32_t (*words)[8] = state;
    for (int i = 0; i < ways; i++)
        for (int j = 0; j < 2; j++)
            _mm_storeu_si128((__m128i *)(void *)(out + 32 * i + 16 * j), swap32(load16(words[i] + 4 * j)));
}

/* Straight on from the last blocks, in registers, would take longer: there are not enough of them. */
MC_INLINE void digests_twice(int ways, const void *state, uint8_t *out) {
    const uint32_t (*words)[8] = state;
    __m128i m[MC_WAYS][4];
    for (int i = 0; i < ways; i++)
        for (int j = 0; j < 2; j++)
            m[i][j] = load16(words[i] + 4 * j);
    hash_digests(ways, m, out);
}

#define MESSAGE_KERNEL(name, ways, target)                                                                            \
    target static void name##_compress(void *state, const uint8_t *const *blocks, size_t n) {                         \
        compress(ways, state, blocks, n);                                                                             \
    }                                                                                                                 \
    target static void name##_compress_end(void *state, const uint8_t *const *blocks) {                               \
        compress_end(ways, state, blocks);                                                                            \
    }                                                                                                                 \
    target static void name##_digests(const void *state, uint8_t *out) { digests(ways, state, out); }                 \
    target static void name##_digests_twice(const void *state, uint8_t *out) { digests_twice(ways, state, out); }     \
    const mc_lanes name = {                                                                                           \
        .word_stride = sizeof(uint32_t),                                                                              \
        .lane_stride = sizeof(uint32_t[8]),                                                                           \
        .compress = name##_compress,                                                                                  \
        .digests = name##_digests,                                                                                    \
        .digests_twice = name##_digests_twice,                                                                        \
        .compress_end = name##_compress_end,                                                                          \
    };

/* Four messages are no slower than two where registers are spilled, and a sixth faster on Zen 3. */
MESSAGE_KERNEL(sha256_messages_one_shani, 1, MC_TARGET)
MESSAGE_KERNEL(sha256_messages_two_shani, 2, MC_TARGET)
MESSAGE_KERNEL(sha256_messages_four_shani, 4, MC_TARGET)
MESSAGE_KERNEL(sha256_messages_fast_shani, 4, MC_TARGET_FAST)

#else
typedef int mc_no_shani; /* an empty translation unit is not ISO C */
#endif
