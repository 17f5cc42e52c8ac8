/* AVX-512 (F, BW, VL): sixteen 32-bit lanes, eight 64-bit lanes, rotates and three-operand logic in one instruction
 * each. */
#include "isa.h"

#if MC_X86_64

#include "../merklecore.h"

#include <immintrin.h>
#include <string.h>

#define MC_ISA_NAME avx512
/* the tuning orders instructions as 512-bit units want them: 10% less on a padding block than with the default */
#define MC_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,prefer-vector-width=512,tune=skylake-avx512")))

#define V32 __m512i
#define V32_LANES 16
#define V32_SET1(x) _mm512_set1_epi32((int)(x))
#define V32_SET1_AT(p) _mm512_set1_epi32((int)*(p))
#define V32_ADD(x, y) _mm512_add_epi32(x, y)
#define V32_ADD_LAST(x, y, last) V32_ADD(V32_ADD(x, y), last)
#define V32_ADD_AT(x, p) _mm512_add_epi32(x, _mm512_set1_epi32((int)*(p)))
#define V32_SUB(x, y) _mm512_sub_epi32(x, y)
#define V32_AND(x, y) _mm512_and_si512(x, y)
#define V32_OR(x, y) _mm512_or_si512(x, y)
#define V32_XOR(x, y) _mm512_xor_si512(x, y)
#define V32_XOR3(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0x96)
#define V32_CH(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xCA)
#define V32_MAJ(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xE8)
#define V32_ROR(x, n) _mm512_ror_epi32(x, n)
#define V32_SHR(x, n) _mm512_srli_epi32(x, n)
#define V32_MIN(x, y) _mm512_min_epu32(x, y)
#define V32_IF_ZERO(x, y) _mm512_maskz_mov_epi32(_mm512_testn_epi32_mask(x, x), y)
#define V32_LOAD(p) _mm512_load_si512(p)
#define V32_STORE(p, x) _mm512_store_si512(p, x)
#define V32_PARK(slot, x) ((slot) = (x))
#define V32_LOAD_BE16(w, lane) load32(w, lane, 16, 1)
#define V32_LOAD_BE8(w, lane) load32(w, lane, 8, 1)
#define V32_LOAD_LE16(w, lane) load32(w, lane, 16, 0)
#define V32_STORE_BE8(out, s) store32(out, s, 1)
#define V32_STORE_LE8(out, s) store32(out, s, 0)

#define V64 __m512i
#define V64_LANES 8
#define V64_SET1(x) _mm512_set1_epi64((long long)(x))
#define V64_SET1_AT(p) _mm512_set1_epi64((long long)*(p))
#define V64_ADD(x, y) _mm512_add_epi64(x, y)
#define V64_ADD_AT(x, p) _mm512_add_epi64(x, _mm512_set1_epi64((long long)*(p)))
#define V64_SUB(x, y) _mm512_sub_epi64(x, y)
#define V64_AND(x, y) _mm512_and_si512(x, y)
#define V64_OR(x, y) _mm512_or_si512(x, y)
#define V64_XOR(x, y) _mm512_xor_si512(x, y)
#define V64_XOR3(x, y, z) _mm512_ternarylogic_epi64(x, y, z, 0x96)
#define V64_XOR3_IS_ONE 1
#define V64_CH(x, y, z) _mm512_ternarylogic_epi64(x, y, z, 0xCA)
#define V64_MAJ(x, y, z) _mm512_ternarylogic_epi64(x, y, z, 0xE8)
#define V64_CHI(x, y, z) _mm512_ternarylogic_epi64(x, y, z, 0xD2)
#define V64_ROR(x, n) _mm512_ror_epi64(x, n)
#define V64_SHR(x, n) _mm512_srli_epi64(x, n)
#define V64_MIN(x, y) _mm512_min_epu64(x, y)
#define V64_IF_ZERO(x, y) _mm512_maskz_mov_epi64(_mm512_testn_epi64_mask(x, x), y)
#define V64_LOAD(p) _mm512_load_si512(p)
#define V64_STORE(p, x) _mm512_store_si512(p, x)
#define V64_LOAD_BE8(w, lane) load64(w, lane, 1)
#define V64_LOAD_LE8(w, lane) load64(w, lane, 0)
#define V64_STORE_BE8(out, s) store_be64(out, s)
#define V64_STORE_LE4(out, s) store_le64(out, s)

MC_INLINE __m512i swap32(__m512i x) {
    const __m512i order = _mm512_broadcast_i32x4(_mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3));
    return _mm512_shuffle_epi8(x, order);
}

MC_INLINE __m512i swap64(__m512i x) {
    const __m512i order = _mm512_broadcast_i32x4(_mm_set_epi8(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
    return _mm512_shuffle_epi8(x, order);
}

/* Four rows of words become, in each 128-bit quarter, four columns: u[c] quarter q = word 4q + c of the rows. */
MC_INLINE void transpose4(__m512i u[4], __m512i r0, __m512i r1, __m512i r2, __m512i r3) {
    __m512i t0 = _mm512_unpacklo_epi32(r0, r1), t1 = _mm512_unpackhi_epi32(r0, r1);
    __m512i t2 = _mm512_unpacklo_epi32(r2, r3), t3 = _mm512_unpackhi_epi32(r2, r3);
    u[0] = _mm512_unpacklo_epi64(t0, t2);
    u[1] = _mm512_unpackhi_epi64(t0, t2);
    u[2] = _mm512_unpacklo_epi64(t1, t3);
    u[3] = _mm512_unpackhi_epi64(t1, t3);
}

/* 128 bits from each of four lanes. Insertions from memory go where any addition goes; a transposition of whole rows
 * would crowd the one port that shuffles, with nothing to do for the other. */
MC_INLINE __m512i four_lanes(const uint8_t *a, const uint8_t *b, const uint8_t *c, const uint8_t *d) {
    __m512i r = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(const void *)a));
    r = _mm512_inserti32x4(r, _mm_loadu_si128((const __m128i *)(const void *)b), 1);
    r = _mm512_inserti32x4(r, _mm_loadu_si128((const __m128i *)(const void *)c), 2);
    return _mm512_inserti32x4(r, _mm_loadu_si128((const __m128i *)(const void *)d), 3);
}

/* Four words of all lanes at a time: the first rounds begin before the last words are there. */
MC_INLINE void load32(__m512i w[16], const uint8_t *const lane[16], int words, int big_endian) {
    for (int i = 0; i < words; i += 4) {
        __m512i r[4];
        for (int j = 0; j < 4; j++) {
            r[j] = four_lanes(lane[j] + 4 * i, lane[4 + j] + 4 * i, lane[8 + j] + 4 * i, lane[12 + j] + 4 * i);
            r[j] = big_endian ? swap32(r[j]) : r[j];
        }
        transpose4(w + i, r[0], r[1], r[2], r[3]);
    }
}

MC_INLINE void store32(uint8_t *out, const __m512i s[8], int big_endian) {
    const __m512i first_two = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0);
    const __m512i last_two = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
    __m512i u[4], v[4], r[8];
    for (int i = 0; i < 8; i++)
        r[i] = big_endian ? swap32(s[i]) : s[i];
    transpose4(u, r[0], r[1], r[2], r[3]);
    transpose4(v, r[4], r[5], r[6], r[7]);
    for (int c = 0; c < 4; c++) { /* lane 4q + c is quarter q of u[c], then of v[c] */
        __m512i low = _mm512_permutex2var_epi64(u[c], first_two, v[c]);
        __m512i high = _mm512_permutex2var_epi64(u[c], last_two, v[c]);
        _mm256_storeu_si256((__m256i *)(void *)(out + 32 * c), _mm512_castsi512_si256(low));
        _mm256_storeu_si256((__m256i *)(void *)(out + 32 * (4 + c)), _mm512_extracti64x4_epi64(low, 1));
        _mm256_storeu_si256((__m256i *)(void *)(out + 32 * (8 + c)), _mm512_castsi512_si256(high));
        _mm256_storeu_si256((__m256i *)(void *)(out + 32 * (12 + c)), _mm512_extracti64x4_epi64(high, 1));
    }
}

/* The quarters (128 bits) of four vectors, transposed: out[q] = quarter q of t0, t1, t2, t3. */
MC_INLINE void quarters4(__m512i out[4], __m512i t0, __m512i t1, __m512i t2, __m512i t3) {
    __m512i even01 = _mm512_shuffle_i64x2(t0, t1, 0x88), odd01 = _mm512_shuffle_i64x2(t0, t1, 0xdd);
    __m512i even23 = _mm512_shuffle_i64x2(t2, t3, 0x88), odd23 = _mm512_shuffle_i64x2(t2, t3, 0xdd);
    out[0] = _mm512_shuffle_i64x2(even01, even23, 0x88);
    out[1] = _mm512_shuffle_i64x2(odd01, odd23, 0x88);
    out[2] = _mm512_shuffle_i64x2(even01, even23, 0xdd);
    out[3] = _mm512_shuffle_i64x2(odd01, odd23, 0xdd);
}

/* rows r[0..7] of eight 64-bit words become columns */
MC_INLINE void transpose8(__m512i r[8]) {
    __m512i low[4], high[4], even[4], odd[4];
    for (int i = 0; i < 4; i++) {
        low[i] = _mm512_unpacklo_epi64(r[2 * i], r[2 * i + 1]);
        high[i] = _mm512_unpackhi_epi64(r[2 * i], r[2 * i + 1]);
    }
    quarters4(even, low[0], low[1], low[2], low[3]);
    quarters4(odd, high[0], high[1], high[2], high[3]);
    for (int q = 0; q < 4; q++) {
        r[2 * q] = even[q];
        r[2 * q + 1] = odd[q];
    }
}

MC_INLINE void load64(__m512i w[8], const uint8_t *const lane[8], int big_endian) {
    for (int i = 0; i < 8; i += 2) {
        __m512i even = four_lanes(lane[0] + 8 * i, lane[2] + 8 * i, lane[4] + 8 * i, lane[6] + 8 * i);
        __m512i odd = four_lanes(lane[1] + 8 * i, lane[3] + 8 * i, lane[5] + 8 * i, lane[7] + 8 * i);
        even = big_endian ? swap64(even) : even;
        odd = big_endian ? swap64(odd) : odd;
        w[i] = _mm512_unpacklo_epi64(even, odd);
        w[i + 1] = _mm512_unpackhi_epi64(even, odd);
    }
}

MC_INLINE void store_be64(uint8_t *out, const __m512i s[8]) {
    __m512i r[8];
    for (int i = 0; i < 8; i++)
        r[i] = swap64(s[i]);
    transpose8(r);
    for (int j = 0; j < 8; j++)
        _mm512_storeu_si512(out + 64 * j, r[j]);
}

MC_INLINE void store_le64(uint8_t *out, const __m512i s[4]) {
    __m512i two_lanes[4]; /* 2q and 2q + 1 */
    quarters4(two_lanes, _mm512_unpacklo_epi64(s[0], s[1]), _mm512_unpacklo_epi64(s[2], s[3]),
              _mm512_unpackhi_epi64(s[0], s[1]), _mm512_unpackhi_epi64(s[2], s[3]));
    for (int q = 0; q < 4; q++)
        _mm512_storeu_si512(out + 64 * q, two_lanes[q]);
}

#include "hashes.h"

#else
typedef int mc_no_avx512; /* an empty translation unit is not ISO C */
#endif
