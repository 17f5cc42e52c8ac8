/* AVX2: eight 32-bit lanes. */
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
#define V32_ADD_AT(x, p) _mm256_add_epi32(x, _mm256_set1_epi32((int)*(p)))
#define V32_AND(x, y) _mm256_and_si256(x, y)
#define V32_OR(x, y) _mm256_or_si256(x, y)
#define V32_XOR(x, y) _mm256_xor_si256(x, y)
#define V32_XOR3(x, y, z) V32_XOR(V32_XOR(x, y), z)
#define V32_CH(x, y, z) V32_XOR(z, V32_AND(x, V32_XOR(y, z)))
#define V32_MAJ(x, y, z) V32_OR(V32_AND(x, y), V32_AND(z, V32_OR(x, y)))
#define V32_ROR(x, n) V32_OR(_mm256_srli_epi32(x, n), _mm256_slli_epi32(x, 32 - (n)))
#define V32_SHR(x, n) _mm256_srli_epi32(x, n)
#define V32_LOAD(p) _mm256_load_si256((const __m256i *)(const void *)(p))
#define V32_STORE(p, x) _mm256_store_si256((__m256i *)(void *)(p), x)
#define V32_LOAD_BE16(w, lane) load_be16(w, lane)
#define V32_STORE_BE8(out, s) store_be8(out, s)

MC_INLINE __m256i swap32(__m256i x) {
    const __m256i order = _mm256_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9,
                                          10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    return _mm256_shuffle_epi8(x, order);
}

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

MC_INLINE void load_be16(__m256i w[16], const uint8_t *const lane[8]) {
    for (int half = 0; half < 2; half++) {
        __m256i *r = w + 8 * half;
        for (int j = 0; j < 8; j++)
            r[j] = swap32(_mm256_loadu_si256((const __m256i *)(const void *)(lane[j] + 32 * half)));
        transpose8(r);
    }
}

MC_INLINE void store_be8(uint8_t *out, const __m256i s[8]) {
    __m256i r[8];
    for (int i = 0; i < 8; i++)
        r[i] = swap32(s[i]);
    transpose8(r);
    for (int j = 0; j < 8; j++)
        _mm256_storeu_si256((__m256i *)(void *)(out + 32 * j), r[j]);
}

#include "../hash/sha256.h"

#else
typedef int mc_no_avx2; /* an empty translation unit is not ISO C */
#endif
