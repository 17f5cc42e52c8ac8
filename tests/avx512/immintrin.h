/* The intrinsics of csrc/isa/avx512.c and avx512_half.c in plain C, so that their kernels run, slowly, on every x86-64
 * machine.
 *
 * Found before the compiler's own header of this name when this folder stands first in the include path. Vectors are
 * those of GCC, which takes them apart where the CPU has none as wide. */
#ifndef MC_TESTS_IMMINTRIN_H
#define MC_TESTS_IMMINTRIN_H

#include <stdint.h>
#include <string.h>

#define target(features) /* no function is compiled for AVX-512 */

typedef long long __m128i __attribute__((vector_size(16), aligned(16)));
typedef long long __m256i __attribute__((vector_size(32), aligned(32)));
typedef long long __m512i __attribute__((vector_size(64), aligned(64)));
typedef uint16_t __mmask16;
typedef uint8_t __mmask8;

typedef uint32_t words32 __attribute__((vector_size(64)));
typedef uint64_t words64 __attribute__((vector_size(64)));
typedef uint32_t half32 __attribute__((vector_size(32)));

#define EMULATED static __attribute__((noinline, unused))

/* ---- lane by lane ------------------------------------------------------------------------------------------------
 */

#define EMULATE(bits, suffix, set_suffix)                                                                             \
    EMULATED __m512i _mm512_set1_##set_suffix(long long x) {                                                          \
        return (__m512i)((words##bits){0} + (uint##bits##_t)x);                                                       \
    }                                                                                                                 \
    EMULATED __m512i _mm512_add_##suffix(__m512i x, __m512i y) { return (__m512i)((words##bits)x + (words##bits)y); } \
    EMULATED __m512i _mm512_sub_##suffix(__m512i x, __m512i y) { return (__m512i)((words##bits)x - (words##bits)y); } \
    EMULATED __m512i _mm512_srli_##suffix(__m512i x, unsigned n) { return (__m512i)((words##bits)x >> n); }           \
    EMULATED __m512i _mm512_ror_##suffix(__m512i x, int n) {                                                          \
        return (__m512i)((words##bits)x >> n | (words##bits)x << (bits - n)); /* 0 < n < bits */                      \
    }                                                                                                                 \
    EMULATED __m512i _mm512_ternarylogic_##suffix(__m512i x, __m512i y, __m512i z, int table) {                       \
        __m512i found = {0};                                                                                          \
        for (int i = 0; i < 8; i++)                                                                                   \
            if (table >> i & 1)                                                                                       \
                found |= (i & 4 ? x : ~x) & (i & 2 ? y : ~y) & (i & 1 ? z : ~z);                                      \
        return found;                                                                                                 \
    }

EMULATE(32, epi32, epi32)
EMULATE(64, epi64, epi64)

#define EMULATE_CHOICE(bits, mask)                                                                                    \
    EMULATED __m512i _mm512_min_epu##bits(__m512i x, __m512i y) {                                                     \
        const words##bits a = (words##bits)x, b = (words##bits)y, less = (words##bits)(a < b);                        \
        return (__m512i)((a & less) | (b & ~less));                                                                   \
    }                                                                                                                 \
    EMULATED mask _mm512_testn_epi##bits##_mask(__m512i x, __m512i y) {                                               \
        const words##bits both = (words##bits)(x & y);                                                                \
        mask zero = 0;                                                                                                \
        for (int i = 0; i < 512 / bits; i++)                                                                          \
            zero |= (mask)((both[i] == 0) << i);                                                                      \
        return zero;                                                                                                  \
    }                                                                                                                 \
    EMULATED __m512i _mm512_maskz_mov_epi##bits(mask taken, __m512i x) {                                              \
        words##bits found = (words##bits)x;                                                                           \
        for (int i = 0; i < 512 / bits; i++)                                                                          \
            found[i] = taken >> i & 1 ? found[i] : 0;                                                                 \
        return (__m512i)found;                                                                                        \
    }

EMULATE_CHOICE(32, __mmask16)
EMULATE_CHOICE(64, __mmask8)

EMULATED __m512i _mm512_and_si512(__m512i x, __m512i y) { return x & y; }
EMULATED __m512i _mm512_or_si512(__m512i x, __m512i y) { return x | y; }
EMULATED __m512i _mm512_xor_si512(__m512i x, __m512i y) { return x ^ y; }

/* ---- memory ------------------------------------------------------------------------------------------------------
 */

EMULATED __m512i _mm512_load_si512(const void *p) { return *(const __m512i *)p; }
EMULATED void _mm512_store_si512(void *p, __m512i x) { *(__m512i *)p = x; }
EMULATED void _mm512_storeu_si512(void *p, __m512i x) { memcpy(p, &x, sizeof x); }
EMULATED void _mm256_storeu_si256(__m256i *p, __m256i x) { memcpy((void *)p, &x, sizeof x); }
EMULATED __m128i _mm_loadu_si128(const __m128i *p) {
    __m128i x;
    memcpy(&x, (const void *)p, sizeof x);
    return x;
}

/* ---- from lane to lane; 128 bits are a quarter -------------------------------------------------------------------
 */

EMULATED __m128i _mm_set_epi8(int f, int e, int d, int c, int b, int a, int b9, int b8, int b7, int b6, int b5, int b4,
                              int b3, int b2, int b1, int b0) {
    const uint8_t bytes[16] = {(uint8_t)b0, (uint8_t)b1, (uint8_t)b2, (uint8_t)b3, (uint8_t)b4, (uint8_t)b5,
                               (uint8_t)b6, (uint8_t)b7, (uint8_t)b8, (uint8_t)b9, (uint8_t)a,  (uint8_t)b,
                               (uint8_t)c,  (uint8_t)d,  (uint8_t)e,  (uint8_t)f};
    return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

EMULATED __m512i _mm512_set_epi64(long long h, long long g, long long f, long long e, long long d, long long c,
                                  long long b, long long a) {
    return (__m512i){a, b, c, d, e, f, g, h};
}

EMULATED __m512i _mm512_castsi128_si512(__m128i x) { return (__m512i){x[0], x[1]}; }
EMULATED __m256i _mm512_castsi512_si256(__m512i x) { return (__m256i){x[0], x[1], x[2], x[3]}; }
EMULATED __m256i _mm512_extracti64x4_epi64(__m512i x, int half) {
    return (__m256i){x[4 * half], x[4 * half + 1], x[4 * half + 2], x[4 * half + 3]};
}
EMULATED __m512i _mm512_inserti32x4(__m512i x, __m128i quarter, int at) {
    x[2 * at] = quarter[0];
    x[2 * at + 1] = quarter[1];
    return x;
}
EMULATED __m512i _mm512_broadcast_i32x4(__m128i x) {
    return (__m512i){x[0], x[1], x[0], x[1], x[0], x[1], x[0], x[1]};
}

EMULATED __m512i _mm512_shuffle_epi8(__m512i x, __m512i order) {
    uint8_t from[64], to[64], which[64];
    memcpy(from, &x, 64);
    memcpy(which, &order, 64);
    for (int i = 0; i < 64; i++)
        to[i] = which[i] & 0x80 ? 0 : from[(i & ~15) + (which[i] & 15)];
    memcpy(&x, to, 64);
    return x;
}

/* Of each quarter of x and y the words at `first` and behind, in turn. */
EMULATED __m512i unpacked32(__m512i x, __m512i y, int first) {
    const words32 a = (words32)x, b = (words32)y;
    words32 both = {0};
    for (int i = 0; i < 16; i += 4)
        for (int j = 0; j < 2; j++) {
            both[i + 2 * j] = a[i + first + j];
            both[i + 2 * j + 1] = b[i + first + j];
        }
    return (__m512i)both;
}
EMULATED __m512i _mm512_unpacklo_epi32(__m512i x, __m512i y) { return unpacked32(x, y, 0); }
EMULATED __m512i _mm512_unpackhi_epi32(__m512i x, __m512i y) { return unpacked32(x, y, 2); }
EMULATED __m512i _mm512_unpacklo_epi64(__m512i x, __m512i y) {
    return (__m512i){x[0], y[0], x[2], y[2], x[4], y[4], x[6], y[6]};
}
EMULATED __m512i _mm512_unpackhi_epi64(__m512i x, __m512i y) {
    return (__m512i){x[1], y[1], x[3], y[3], x[5], y[5], x[7], y[7]};
}

EMULATED __m512i _mm512_shuffle_i64x2(__m512i x, __m512i y, int which) {
    __m512i both = {0};
    for (int i = 0; i < 4; i++) {
        const __m512i from = i < 2 ? x : y;
        const int quarter = which >> 2 * i & 3;
        both[2 * i] = from[2 * quarter];
        both[2 * i + 1] = from[2 * quarter + 1];
    }
    return both;
}

EMULATED __m512i _mm512_permutex2var_epi64(__m512i x, __m512i which, __m512i y) {
    __m512i both = {0};
    for (int i = 0; i < 8; i++)
        both[i] = which[i] & 8 ? y[which[i] & 7] : x[which[i] & 7];
    return both;
}

/* ---- 256 bits ----------------------------------------------------------------------------------------------------
 */

EMULATED __m256i _mm256_set1_epi32(int x) { return (__m256i)((half32){0} + (uint32_t)x); }
EMULATED __m256i _mm256_add_epi32(__m256i x, __m256i y) { return (__m256i)((half32)x + (half32)y); }
EMULATED __m256i _mm256_srli_epi32(__m256i x, int n) { return (__m256i)((half32)x >> n); }
EMULATED __m256i _mm256_ror_epi32(__m256i x, int n) { return (__m256i)((half32)x >> n | (half32)x << (32 - n)); }
EMULATED __m256i _mm256_and_si256(__m256i x, __m256i y) { return x & y; }
EMULATED __m256i _mm256_or_si256(__m256i x, __m256i y) { return x | y; }
EMULATED __m256i _mm256_load_si256(const __m256i *p) { return *p; }
EMULATED void _mm256_store_si256(__m256i *p, __m256i x) { *p = x; }
EMULATED void _mm_storeu_si128(__m128i *p, __m128i x) { memcpy((void *)p, &x, sizeof x); }
EMULATED __m256i _mm256_castsi128_si256(__m128i x) { return (__m256i){x[0], x[1]}; }
EMULATED __m128i _mm256_castsi256_si128(__m256i x) { return (__m128i){x[0], x[1]}; }
EMULATED __m128i _mm256_extracti128_si256(__m256i x, int half) { return (__m128i){x[2 * half], x[2 * half + 1]}; }
EMULATED __m256i _mm256_broadcastsi128_si256(__m128i x) { return (__m256i){x[0], x[1], x[0], x[1]}; }
EMULATED __m256i _mm256_inserti128_si256(__m256i x, __m128i y, int half) {
    x[2 * half] = y[0];
    x[2 * half + 1] = y[1];
    return x;
}

/* The rest as of 512 bits, of which half is looked at. */
EMULATED __m512i whole(__m256i x) { return (__m512i){x[0], x[1], x[2], x[3]}; }

#define EMULATE_HALF(name)                                                                                            \
    EMULATED __m256i _mm256_##name(__m256i x, __m256i y) {                                                            \
        return _mm512_castsi512_si256(_mm512_##name(whole(x), whole(y)));                                             \
    }
EMULATE_HALF(shuffle_epi8)
EMULATE_HALF(unpacklo_epi32)
EMULATE_HALF(unpackhi_epi32)
EMULATE_HALF(unpacklo_epi64)
EMULATE_HALF(unpackhi_epi64)
EMULATED __m256i _mm256_ternarylogic_epi32(__m256i x, __m256i y, __m256i z, int table) {
    return _mm512_castsi512_si256(_mm512_ternarylogic_epi32(whole(x), whole(y), whole(z), table));
}

#endif
