/* AVX2: eight 32-bit lanes, four 64-bit lanes. */
#include "isa.h"

#if MC_X86_64

#include "../merklecore.h"

#include <immintrin.h>
#include <string.h>

#define MC_ISA_NAME avx2
#define MC_TARGET __attribute__((target("avx2")))

#define V32 __m256i
#define V32_LANES 8
#define V32_SET1(x) _mm256_set1_epi32((int)(x))
#define V32_SET1_AT(p) _mm256_set1_epi32((int)*(p))
#define V32_ADD(x, y) _mm256_add_epi32(x, y)
#define V32_ADD_LAST(x, y, last) add_last(x, y, last)
#define V32_ADD_AT(x, p) _mm256_add_epi32(x, _mm256_set1_epi32((int)*(p)))
#define V32_SUB(x, y) _mm256_sub_epi32(x, y)
#define V32_AND(x, y) _mm256_and_si256(x, y)
#define V32_OR(x, y) _mm256_or_si256(x, y)
#define V32_XOR(x, y) _mm256_xor_si256(x, y)
#define V32_XOR3(x, y, z) V32_XOR(V32_XOR(x, y), z)
#define V32_CH(x, y, z) V32_XOR(z, V32_AND(x, V32_XOR(y, z)))
#define V32_MAJ(x, y, z) V32_OR(V32_AND(x, y), V32_AND(z, V32_OR(x, y)))
#define V32_ROR(x, n) ror32(x, n)
#define V32_SHR(x, n) _mm256_srli_epi32(x, n)
#define V32_MIN(x, y) _mm256_min_epu32(x, y)
#define V32_IF_ZERO(x, y) _mm256_and_si256(_mm256_cmpeq_epi32(x, _mm256_setzero_si256()), y)
#define V32_LOAD(p) _mm256_load_si256((const __m256i *)(const void *)(p))
#define V32_STORE(p, x) _mm256_store_si256((__m256i *)(void *)(p), x)
#define V32_PARK(slot, x) park(&(slot), x)
#define V32_LOAD_BE16(w, lane) load32(w, lane, 16, 1)
#define V32_LOAD_BE8(w, lane) load32(w, lane, 8, 1)
#define V32_LOAD_LE16(w, lane) load32(w, lane, 16, 0)
#define V32_STORE_BE8(out, s) store32(out, s, 1)
#define V32_STORE_LE8(out, s) store32(out, s, 0)

#define V64 __m256i
#define V64_LANES 4
#define V64_SET1(x) _mm256_set1_epi64x((long long)(x))
#define V64_SET1_AT(p) _mm256_set1_epi64x((long long)*(p))
#define V64_ADD(x, y) _mm256_add_epi64(x, y)
#define V64_ADD_AT(x, p) _mm256_add_epi64(x, _mm256_set1_epi64x((long long)*(p)))
#define V64_SUB(x, y) _mm256_sub_epi64(x, y)
#define V64_AND(x, y) _mm256_and_si256(x, y)
#define V64_OR(x, y) _mm256_or_si256(x, y)
#define V64_XOR(x, y) _mm256_xor_si256(x, y)
#define V64_XOR3(x, y, z) V64_XOR(V64_XOR(x, y), z)
#define V64_XOR3_IS_ONE 0
#define V64_CH(x, y, z) V32_CH(x, y, z)
#define V64_MAJ(x, y, z) V32_MAJ(x, y, z)
#define V64_CHI(x, y, z) V64_XOR(x, _mm256_andnot_si256(y, z))
#define V64_ROR(x, n) ror64(x, n)
#define V64_SHR(x, n) _mm256_srli_epi64(x, n)
#define V64_MIN(x, y) min64(x, y)
#define V64_IF_ZERO(x, y) _mm256_and_si256(_mm256_cmpeq_epi64(x, _mm256_setzero_si256()), y)
#define V64_LOAD(p) V32_LOAD(p)
#define V64_STORE(p, x) V32_STORE(p, x)
#define V64_LOAD_BE8(w, lane) load64(w, lane, 1)
#define V64_LOAD_LE8(w, lane) load64(w, lane, 0)
#define V64_STORE_BE8(out, s) store_be64(out, s)
#define V64_STORE_LE4(out, s) store_le64(out, s)

/* x + y first, and nothing moved from before to behind it: compilers would begin with any two. */
MC_INLINE __m256i add_last(__m256i x, __m256i y, __m256i last) {
    __m256i sum = _mm256_add_epi32(x, y);
    __asm__ volatile("" : "+x"(sum));
    return _mm256_add_epi32(sum, last);
}

/* x in memory, to be read from there. */
MC_INLINE void park(__m256i *slot, __m256i x) {
    *slot = x;
    __asm__("" : "+m"(*slot));
}

/* the same order of bytes in both halves of every 128 bits */
MC_INLINE __m256i shuffled(__m256i x, __m128i order) {
    return _mm256_shuffle_epi8(x, _mm256_broadcastsi128_si256(order));
}

MC_INLINE __m256i swap32(__m256i x) {
    return shuffled(x, _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3));
}

MC_INLINE __m256i swap64(__m256i x) {
    return shuffled(x, _mm_set_epi8(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
}

/* x with the bytes in this order, which is read from memory: compilers keep it in one of too few registers. */
MC_INLINE __m256i turned(__m256i x, const int8_t order[32]) {
    __m256i y;
    __asm__("vpshufb %2, %1, %0" : "=x"(y) : "x"(x), "m"(*(const __m256i *)(const void *)order));
    return y;
}

#define BOTH_HALVES(...) {__VA_ARGS__, __VA_ARGS__}
static const int8_t order32_8[32] __attribute__((aligned(32))) =
    BOTH_HALVES(1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12);
static const int8_t order32_16[32] __attribute__((aligned(32))) =
    BOTH_HALVES(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
static const int8_t order32_24[32] __attribute__((aligned(32))) =
    BOTH_HALVES(3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14);

/* Rotations by whole bytes are one shuffle, others two shifts and an or; n is a constant. */
MC_INLINE __m256i ror32(__m256i x, int n) {
    if (n == 16)
        return turned(x, order32_16);
    if (n == 8)
        return turned(x, order32_8);
    if (n == 24)
        return turned(x, order32_24);
    return _mm256_or_si256(_mm256_srli_epi32(x, n), _mm256_slli_epi32(x, 32 - n));
}

MC_INLINE __m256i ror64(__m256i x, int n) {
    if (n == 32)
        return _mm256_shuffle_epi32(x, 0xb1);
    if (n == 8)
        return shuffled(x, _mm_set_epi8(8, 15, 14, 13, 12, 11, 10, 9, 0, 7, 6, 5, 4, 3, 2, 1));
    if (n == 16)
        return shuffled(x, _mm_set_epi8(9, 8, 15, 14, 13, 12, 11, 10, 1, 0, 7, 6, 5, 4, 3, 2));
    if (n == 24)
        return shuffled(x, _mm_set_epi8(10, 9, 8, 15, 14, 13, 12, 11, 2, 1, 0, 7, 6, 5, 4, 3));
    if (n == 56)
        return shuffled(x, _mm_set_epi8(14, 13, 12, 11, 10, 9, 8, 15, 6, 5, 4, 3, 2, 1, 0, 7));
    if (n == 63) /* an addition goes where a shift does not */
        return _mm256_or_si256(_mm256_srli_epi64(x, 63), _mm256_add_epi64(x, x));
    return _mm256_or_si256(_mm256_srli_epi64(x, n), _mm256_slli_epi64(x, 64 - n));
}

/* of numbers below 2^63 */
MC_INLINE __m256i min64(__m256i x, __m256i y) { return _mm256_blendv_epi8(x, y, _mm256_cmpgt_epi64(x, y)); }

/* rows r[0..7] of eight words become columns: r[i] word j -> r[j] word i */
MC_INLINE void transpose8(__m256i r[8]) {
    __m256i t[8], u[8];
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4)
        for (int j = 0; j < 2; j++) {
            u[i + 2 * j] = _mm256_unpacklo_epi64(t[i + j], t[i + j + 2]);
            u[i + 2 * j + 1] = _mm256_unpackhi_epi64(t[i + j], t[i + j + 2]);
        }
    for (int i = 0; i < 4; i++) {
        r[i] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x20);
        r[i + 4] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x31);
    }
}

MC_INLINE void load32(__m256i w[16], const uint8_t *const lane[8], int words, int big_endian) {
    for (int half = 0; half < words / 8; half++) {
        __m256i *r = w + 8 * half;
        for (int j = 0; j < 8; j++) {
            r[j] = _mm256_loadu_si256((const __m256i *)(const void *)(lane[j] + 32 * half));
            r[j] = big_endian ? swap32(r[j]) : r[j];
        }
        transpose8(r);
    }
}

MC_INLINE void store32(uint8_t *out, const __m256i s[8], int big_endian) {
    __m256i r[8];
    for (int i = 0; i < 8; i++)
        r[i] = big_endian ? swap32(s[i]) : s[i];
    transpose8(r);
    for (int j = 0; j < 8; j++)
        _mm256_storeu_si256((__m256i *)(void *)(out + 32 * j), r[j]);
}

/* four rows of four 64-bit words become columns */
MC_INLINE void transpose4(__m256i r[4]) {
    __m256i t0 = _mm256_unpacklo_epi64(r[0], r[1]), t1 = _mm256_unpackhi_epi64(r[0], r[1]);
    __m256i t2 = _mm256_unpacklo_epi64(r[2], r[3]), t3 = _mm256_unpackhi_epi64(r[2], r[3]);
    r[0] = _mm256_permute2x128_si256(t0, t2, 0x20);
    r[1] = _mm256_permute2x128_si256(t1, t3, 0x20);
    r[2] = _mm256_permute2x128_si256(t0, t2, 0x31);
    r[3] = _mm256_permute2x128_si256(t1, t3, 0x31);
}

MC_INLINE void load64(__m256i w[8], const uint8_t *const lane[4], int big_endian) {
    for (int half = 0; half < 2; half++) {
        __m256i *r = w + 4 * half;
        for (int j = 0; j < 4; j++) {
            r[j] = _mm256_loadu_si256((const __m256i *)(const void *)(lane[j] + 32 * half));
            r[j] = big_endian ? swap64(r[j]) : r[j];
        }
        transpose4(r);
    }
}

MC_INLINE void store_le64(uint8_t *out, const __m256i s[4]) {
    __m256i r[4] = {s[0], s[1], s[2], s[3]};
    transpose4(r);
    for (int j = 0; j < 4; j++)
        _mm256_storeu_si256((__m256i *)(void *)(out + 32 * j), r[j]);
}

MC_INLINE void store_be64(uint8_t *out, const __m256i s[8]) {
    for (int half = 0; half < 2; half++) {
        __m256i r[4];
        for (int i = 0; i < 4; i++)
            r[i] = swap64(s[4 * half + i]);
        transpose4(r);
        for (int j = 0; j < 4; j++)
            _mm256_storeu_si256((__m256i *)(void *)(out + 64 * j + 32 * half), r[j]);
    }
}

#include "hashes.h"

#else
typedef int mc_no_avx2; /* an empty translation unit is not ISO C */
#endif
