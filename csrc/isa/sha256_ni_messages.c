/* SHA-256 on the SHA extensions: messages, and what is short enough for a way of its own. */
#include "sha256_ni.h"

#if MC_X86_64

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

/* ---- double hashes of messages whose last block is nearly empty ------------------------------------------------- */

/* A block of which W[4 * varying ..] are the same in all messages or nothing: the bit that ends a message, zeros in
 * W[9..14], the length. `second` is W[4..7] where only the first four vary, `bits` W[12..15]. What these add to the
 * rounds and to the schedule is not computed for each message, and where they add nothing not at all. */
MC_INLINE void block_ending(int ways, ni_state s[], __m128i m[][4], int varying, __m128i second,
                            const __m128i bits[]) {
    const __m128i end = _mm_cvtsi32_si128((int)0x80000000u);
    ni_state before[MC_WAYS];
    for (int i = 0; i < ways; i++) {
        before[i] = s[i];
        rounds4(&s[i], _mm_add_epi32(m[i][0], load16(sha256_k)));
    }
    if (varying == 2) {
        for (int i = 0; i < ways; i++) {
            rounds4(&s[i], _mm_add_epi32(m[i][1], load16(sha256_k + 4)));
            m[i][0] = _mm_sha256msg1_epu32(m[i][0], m[i][1]);
            m[i][1] = _mm_sha256msg1_epu32(m[i][1], end);
        }
        known_rounds4(ways, s, _mm_add_epi32(load16(sha256_k + 8), end));
    } else {
        known_rounds4(ways, s, _mm_add_epi32(load16(sha256_k + 4), second));
        for (int i = 0; i < ways; i++) {
            m[i][0] = _mm_sha256msg1_epu32(m[i][0], second);
            m[i][1] = second;
        }
        known_rounds4(ways, s, load16(sha256_k + 8));
    }
    for (int i = 0; i < ways; i++) {
        rounds4(&s[i], _mm_add_epi32(bits[i], load16(sha256_k + 12)));
        m[i][0] = _mm_sha256msg2_epu32(m[i][0], bits[i]);
    }
    for (int i = 0; i < ways; i++) {
        rounds4(&s[i], _mm_add_epi32(m[i][0], load16(sha256_k + 16)));
        m[i][1] = _mm_sha256msg2_epu32(_mm_add_epi32(m[i][1], _mm_alignr_epi8(m[i][0], bits[i], 4)), m[i][0]);
        m[i][3] = _mm_sha256msg1_epu32(bits[i], m[i][0]);
    }
    for (int i = 0; i < ways; i++) {
        const __m128i shifted = _mm_alignr_epi8(m[i][1], m[i][0], 4);
        rounds4(&s[i], _mm_add_epi32(m[i][1], load16(sha256_k + 20)));
        m[i][2] = _mm_sha256msg2_epu32(varying == 2 ? _mm_add_epi32(end, shifted) : shifted, m[i][1]);
        m[i][0] = _mm_sha256msg1_epu32(m[i][0], m[i][1]);
    }
    groups(ways, s, m, 6, 0);
    for (int i = 0; i < ways; i++) {
        s[i].abef = _mm_add_epi32(s[i].abef, before[i].abef);
        s[i].cdgh = _mm_add_epi32(s[i].cdgh, before[i].cdgh);
    }
}

MC_INLINE void store_digests_of(int ways, ni_state s[], uint8_t *out) {
    const ni_state start = from_words(sha256_initial);
    const __m128i length = _mm_set_epi32(SHA256_DIGEST * 8, 0, 0, 0), bits[MC_WAYS] = {length, length, length, length};
    __m128i m[MC_WAYS][4];
    for (int i = 0; i < ways; i++) {
        in_order(s[i], &m[i][0], &m[i][1]);
        s[i] = start;
    }
    block_ending(ways, s, m, 2, length, bits);
    for (int i = 0; i < ways; i++)
        store_digest(out + SHA256_DIGEST * i, s[i]);
}

/* 80 bytes: headers of blocks. */
MC_INLINE void headers_twice(int ways, const uint8_t *const *messages, uint8_t *out) {
    const ni_state start = from_words(sha256_initial);
    const __m128i end = _mm_cvtsi32_si128((int)0x80000000u), length = _mm_set_epi32(80 * 8, 0, 0, 0);
    const __m128i bits[MC_WAYS] = {length, length, length, length};
    ni_state s[MC_WAYS] = {start, start, start, start};
    __m128i m[MC_WAYS][4];
    for (int i = 0; i < ways; i++)
        for (int j = 0; j < 4; j++)
            m[i][j] = swap32(load16(messages[i] + 16 * j));
    block(ways, s, m, 0);
    for (int i = 0; i < ways; i++)
        m[i][0] = swap32(load16(messages[i] + SHA256_BLOCK));
    block_ending(ways, s, m, 1, end, bits);
    store_digests_of(ways, s, out);
}

/* 8 to 15 bytes each, as two words of which the second overlaps the first: the least transactions. */
MC_INLINE void tiny_twice(int ways, const mc_span *messages, uint8_t *out) {
    const ni_state start = from_words(sha256_initial);
    ni_state s[MC_WAYS] = {start, start, start, start};
    __m128i m[MC_WAYS][4], bits[MC_WAYS];
    for (int i = 0; i < ways; i++) {
        const unsigned more = 8 * (unsigned)(messages[i].size - 8); /* bits behind the first word: at most 56 */
        const uint64_t first = mc_le64(messages[i].data), last = mc_le64(messages[i].data + more / 8);
        const uint64_t second = (uint64_t)0x80 << more | (more > 0 ? last >> (64 - more) : 0);
        m[i][0] = swap32(_mm_set_epi64x((int64_t)second, (int64_t)first));
        bits[i] = _mm_slli_si128(_mm_cvtsi32_si128((int)(64 + more)), 12);
    }
    block_ending(ways, s, m, 1, _mm_setzero_si128(), bits);
    store_digests_of(ways, s, out);
}

/* Rows of one digest behind a prefix of a byte, the leaves of most trees: a single block, made in registers, of which
 * W[9..14] are zero. */
MC_INLINE void rows(int ways, const uint8_t *in, uint8_t *out, uint8_t prefix) {
    const ni_state start = from_words(sha256_initial);
    const __m128i first = _mm_slli_si128(_mm_cvtsi32_si128(prefix), 15);
    ni_state s[MC_WAYS] = {start, start, start, start};
    __m128i m[MC_WAYS][4];
    for (int i = 0; i < ways; i++) {
        const uint8_t *row = in + SHA256_DIGEST * i;
        const __m128i half = load16(row);
        m[i][0] = swap32(_mm_alignr_epi8(half, first, 15));
        m[i][1] = swap32(_mm_alignr_epi8(load16(row + 16), half, 15));
        m[i][2] = _mm_cvtsi32_si128((int)((uint32_t)row[31] << 24 | 0x00800000u));
        m[i][3] = _mm_set_epi32((1 + SHA256_DIGEST) * 8, 0, 0, 0);
    }
    block(ways, s, m, 1 << 3);
    for (int i = 0; i < ways; i++)
        store_digest(out + SHA256_DIGEST * i, s[i]);
}

MC_INLINE void bare_rows(int ways, const uint8_t *in, uint8_t *out) {
    __m128i m[MC_WAYS][4];
    for (int i = 0; i < ways; i++)
        for (int j = 0; j < 2; j++)
            m[i][j] = swap32(load16(in + SHA256_DIGEST * i + 16 * j));
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
    target static void name##_headers_twice(const uint8_t *const *messages, uint8_t *out) {                           \
        headers_twice(ways, messages, out);                                                                           \
    }                                                                                                                 \
    target static void name##_tiny_twice(const mc_span *messages, uint8_t *out) { tiny_twice(ways, messages, out); }  \
    target static void name##_rows(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {                       \
        for (; n > 0; n -= ways, in += ways * SHA256_DIGEST, out += ways * SHA256_DIGEST)                             \
            rows(ways, in, out, prefix);                                                                              \
    }                                                                                                                 \
    target static void name##_bare_rows(const uint8_t *in, size_t n, uint8_t *out) {                                  \
        for (; n > 0; n -= ways, in += ways * SHA256_DIGEST, out += ways * SHA256_DIGEST)                             \
            bare_rows(ways, in, out);                                                                                 \
    }                                                                                                                 \
    const mc_lanes name = {                                                                                           \
        .word_stride = sizeof(uint32_t),                                                                              \
        .lane_stride = sizeof(uint32_t[8]),                                                                           \
        .compress = name##_compress,                                                                                  \
        .digests = name##_digests,                                                                                    \
        .digests_twice = name##_digests_twice,                                                                        \
        .compress_end = name##_compress_end,                                                                          \
        .headers_twice = name##_headers_twice,                                                                        \
        .tiny_twice = name##_tiny_twice,                                                                              \
        .rows = name##_rows,                                                                                          \
        .bare_rows = name##_bare_rows,                                                                                \
    };

/* Four messages are no slower than two where registers are spilled, and a sixth faster on Zen 3. */
MESSAGE_KERNEL(sha256_messages_one_shani, 1, MC_TARGET)
MESSAGE_KERNEL(sha256_messages_two_shani, 2, MC_TARGET)
MESSAGE_KERNEL(sha256_messages_four_shani, 4, MC_TARGET)
MESSAGE_KERNEL(sha256_messages_fast_shani, 4, MC_TARGET_FAST)

#else
typedef int mc_no_shani_messages; /* an empty translation unit is not ISO C */
#endif
