/* AVX-512 (F, BW, VL): sixteen 32-bit lanes, rotates and three-operand logic in one instruction each. */
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
#define V32_ADD_AT(x, p) _mm512_add_epi32(x, _mm512_set1_epi32((int)*(p)))
#define V32_AND(x, y) _mm512_and_si512(x, y)
#define V32_OR(x, y) _mm512_or_si512(x, y)
#define V32_XOR3(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0x96)
#define V32_CH(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xCA)
#define V32_MAJ(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xE8)
#define V32_ROR(x, n) _mm512_ror_epi32(x, n)
#define V32_SHR(x, n) _mm512_srli_epi32(x, n)
#define V32_LOAD(p) _mm512_load_si512(p)
#define V32_STORE(p, x) _mm512_store_si512(p, x)
#define V32_LOAD_BE16(w, lane) load_be16(w, lane)
#define V32_STORE_BE8(out, s) store_be8(out, s)

MC_INLINE __m512i swap32(__m512i x) {
    const __m512i order = _mm512_broadcast_i32x4(_mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3));
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

MC_INLINE void load_be16(__m512i w[16], const uint8_t *const lane[16]) {
    __m512i u[16];
    for (int g = 0; g < 16; g += 4)
        transpose4(u + g, swap32(_mm512_loadu_si512(lane[g])), swap32(_mm512_loadu_si512(lane[g + 1])),
                   swap32(_mm512_loadu_si512(lane[g + 2])), swap32(_mm512_loadu_si512(lane[g + 3])));
    for (int c = 0; c < 4; c++) {
        __m512i even_low = _mm512_shuffle_i32x4(u[c], u[4 + c], 0x88);
        __m512i odd_low = _mm512_shuffle_i32x4(u[c], u[4 + c], 0xdd);
        __m512i even_high = _mm512_shuffle_i32x4(u[8 + c], u[12 + c], 0x88);
        __m512i odd_high = _mm512_shuffle_i32x4(u[8 + c], u[12 + c], 0xdd);
        w[c] = _mm512_shuffle_i32x4(even_low, even_high, 0x88);
        w[4 + c] = _mm512_shuffle_i32x4(odd_low, odd_high, 0x88);
        w[8 + c] = _mm512_shuffle_i32x4(even_low, even_high, 0xdd);
        w[12 + c] = _mm512_shuffle_i32x4(odd_low, odd_high, 0xdd);
    }
}

MC_INLINE void store_be8(uint8_t *out, const __m512i s[8]) {
    const __m512i first_two = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0);
    const __m512i last_two = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
    __m512i u[4], v[4];
    transpose4(u, swap32(s[0]), swap32(s[1]), swap32(s[2]), swap32(s[3]));
    transpose4(v, swap32(s[4]), swap32(s[5]), swap32(s[6]), swap32(s[7]));
    for (int c = 0; c < 4; c++) { /* lane 4q + c is quarter q of u[c], then of v[c] */
        __m512i low = _mm512_permutex2var_epi64(u[c], first_two, v[c]);
        __m512i high = _mm512_permutex2var_epi64(u[c], last_two, v[c]);
        _mm256_storeu_si256((__m256i *)(void *)(out + 32 * c), _mm512_castsi512_si256(low));
        _mm256_storeu_si256((__m256i *)(void *)(out + 32 * (4 + c)), _mm512_extracti64x4_epi64(low, 1));
        _mm256_storeu_si256((__m256i *)(void *)(out + 32 * (8 + c)), _mm512_castsi512_si256(high));
        _mm256_storeu_si256((__m256i *)(void *)(out + 32 * (12 + c)), _mm512_extracti64x4_epi64(high, 1));
    }
}

#include "../hash/sha256.h"

#else
typedef int mc_no_avx512; /* an empty translation unit is not ISO C */
#endif
