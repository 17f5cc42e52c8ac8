/* SHA-256 on the SHA extensions: blocks of several messages at a time, because sha256rnds2 takes four cycles to
 * finish. Two fill it where one can start every second or third cycle; four where one can start every cycle
 * (MC_FAST_SHA).
 *
 * The instruction wants the state as (A B E F) and (C D G H). Each function is written for `ways` independent
 * messages, a constant wherever it is called, so that the loops over `ways` unroll and interleave. */
#ifndef MC_ISA_SHA256_NI_H
#define MC_ISA_SHA256_NI_H

#include "isa.h"

#if MC_X86_64

#include "../hash/sha256.h"
#include "../merklecore.h"

#include <immintrin.h>
#include <string.h>

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

/* Four rounds of all messages, with the same K + W. */
MC_INLINE void known_rounds4(int ways, ni_state s[], __m128i kw) {
    const __m128i high = _mm_shuffle_epi32(kw, 0x0e);
    for (int i = 0; i < ways; i++)
        s[i].cdgh = _mm_sha256rnds2_epu32(s[i].cdgh, s[i].abef, kw);
    for (int i = 0; i < ways; i++)
        s[i].abef = _mm_sha256rnds2_epu32(s[i].abef, s[i].cdgh, high);
}

/* What the schedule does beside group t of four rounds, of which m[t % 4] has the words; the rest of m has those
 * before and what is to become of them. Bit t of `idle`: the words in groups t - 1 and t are such that s0 adds
 * nothing. */
MC_INLINE void schedule(__m128i m[4], int t, unsigned idle) {
    __m128i *now = &m[t % 4], *next = &m[(t + 1) % 4], *last = &m[(t + 3) % 4];
    if (t >= 3 && t < 15)
        *next = _mm_sha256msg2_epu32(_mm_add_epi32(*next, _mm_alignr_epi8(*now, *last, 4)), *now);
    if (t >= 1 && t < 13 && !(idle >> t & 1))
        *last = _mm_sha256msg1_epu32(*last, *now);
}

MC_INLINE void group(int ways, ni_state s[], __m128i m[][4], int t, unsigned idle) {
    const __m128i k = load16(sha256_k + 4 * t);
    for (int i = 0; i < ways; i++) {
        rounds4(&s[i], _mm_add_epi32(m[i][t % 4], k));
        schedule(m[i], t, idle);
    }
}

/* Groups [from, 16); the words of the groups before `from` that the schedule needs have been made. */
MC_INLINE void groups(int ways, ni_state s[], __m128i m[][4], int from, unsigned idle) {
#pragma GCC unroll 16
    for (int t = from; t < 16; t++)
        group(ways, s, m, t, idle);
}

/* One block, its words in m. */
MC_INLINE void block(int ways, ni_state s[], __m128i m[][4], unsigned idle) {
    ni_state before[MC_WAYS];
    for (int i = 0; i < ways; i++)
        before[i] = s[i];
    groups(ways, s, m, 0, idle);
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

#endif
#endif
