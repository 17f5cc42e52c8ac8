/* AVX-512 on registers of 256 bits (F, VL): eight 32-bit lanes. A CPU that has two units for 512 bits has three for
 * 256, so that half a pass takes two thirds of a whole one; this serves levels of a tree that are too short for
 * sixteen lanes. Only SHA-256 is worth it: other hashes have nothing better for the levels above. */
#include "isa.h"

#if MC_X86_64

#include "../merklecore.h"

#include <immintrin.h>
#include <string.h>

#define MC_ISA_NAME avx512_half
#define MC_TARGET __attribute__((target("avx512f,avx512vl,avx2,prefer-vector-width=256,tune=skylake-avx512")))

#define V32 __m256i
#define V32_LANES 8
#define V32_SET1(x) _mm256_set1_epi32((int)(x))
#define V32_SET1_AT(p) _mm256_set1_epi32((int)*(p))
#define V32_ADD(x, y) _mm256_add_epi32(x, y)
#define V32_ADD_AT(x, p) _mm256_add_epi32(x, _mm256_set1_epi32((int)*(p)))
#define V32_AND(x, y) _mm256_and_si256(x, y)
#define V32_OR(x, y) _mm256_or_si256(x, y)
#define V32_XOR3(x, y, z) _mm256_ternarylogic_epi32(x, y, z, 0x96)
#define V32_CH(x, y, z) _mm256_ternarylogic_epi32(x, y, z, 0xCA)
#define V32_MAJ(x, y, z) _mm256_ternarylogic_epi32(x, y, z, 0xE8)
#define V32_ROR(x, n) _mm256_ror_epi32(x, n)
#define V32_SHR(x, n) _mm256_srli_epi32(x, n)
#define V32_LOAD(p) _mm256_load_si256((const __m256i *)(const void *)(p))
#define V32_STORE(p, x) _mm256_store_si256((__m256i *)(void *)(p), x)
#define V32_LOAD_BE16(w, lane) load32(w, lane, 16)
#define V32_LOAD_BE8(w, lane) load32(w, lane, 8)
#define V32_STORE_BE8(out, s) store32(out, s)

MC_INLINE __m256i swap32(__m256i x) {
    const __m128i order = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    return _mm256_shuffle_epi8(x, _mm256_broadcastsi128_si256(order));
}

/* Four rows of words become, in each half, four columns: u[c] half q = word 4q + c of the rows. */
MC_INLINE void transpose4(__m256i u[4], __m256i r0, __m256i r1, __m256i r2, __m256i r3) {
    __m256i t0 = _mm256_unpacklo_epi32(r0, r1), t1 = _mm256_unpackhi_epi32(r0, r1);
    __m256i t2 = _mm256_unpacklo_epi32(r2, r3), t3 = _mm256_unpackhi_epi32(r2, r3);
    u[0] = _mm256_unpacklo_epi64(t0, t2);
    u[1] = _mm256_unpackhi_epi64(t0, t2);
    u[2] = _mm256_unpacklo_epi64(t1, t3);
    u[3] = _mm256_unpackhi_epi64(t1, t3);
}

MC_INLINE __m256i two_lanes(const uint8_t *a, const uint8_t *b) {
    const __m128i low = _mm_loadu_si128((const __m128i *)(const void *)a);
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), _mm_loadu_si128((const __m128i *)(const void *)b), 1);
}

MC_INLINE void load32(__m256i w[16], const uint8_t *const lane[8], int words) {
    for (int i = 0; i < words; i += 4) {
        __m256i r[4];
        for (int j = 0; j < 4; j++)
            r[j] = swap32(two_lanes(lane[j] + 4 * i, lane[4 + j] + 4 * i));
        transpose4(w + i, r[0], r[1], r[2], r[3]);
    }
}

MC_INLINE void store32(uint8_t *out, const __m256i s[8]) {
    for (int i = 0; i < 8; i += 4) {
        __m256i u[4];
        transpose4(u, swap32(s[i]), swap32(s[i + 1]), swap32(s[i + 2]), swap32(s[i + 3]));
        for (int c = 0; c < 4; c++) { /* lanes c and 4 + c */
            uint8_t *at = out + 32 * c + 4 * i;
            _mm_storeu_si128((__m128i *)(void *)at, _mm256_castsi256_si128(u[c]));
            _mm_storeu_si128((__m128i *)(void *)(at + 128), _mm256_extracti128_si256(u[c], 1));
        }
    }
}

#include "lanes.h"

#include "../hash/sha256.h"

#else
typedef int mc_no_avx512_half; /* an empty translation unit is not ISO C */
#endif
