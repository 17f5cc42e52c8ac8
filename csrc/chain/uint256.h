/* Inside the core: unsigned integers of 256 bits, modulo 2^256, and the compact form that headers give a target in. */
#ifndef MC_UINT256_H
#define MC_UINT256_H

#include "cursor.h"

__extension__ typedef unsigned __int128 mc_u128;
__extension__ typedef __int128 mc_i128;

static inline mc_u256 mc_u256_from_le(const uint8_t bytes[32]) {
    return (mc_u256){{mc_le64(bytes), mc_le64(bytes + 8), mc_le64(bytes + 16), mc_le64(bytes + 24)}};
}

static inline void mc_put_be64(uint8_t *at, uint64_t x) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    memcpy(at, &x, 8);
}

static inline void mc_u256_to_be(const mc_u256 *x, uint8_t bytes[32]) {
    for (int i = 0; i < 4; i++)
        mc_put_be64(bytes + 8 * i, x->word[3 - i]);
}

static inline int mc_u256_above(const mc_u256 *x, const mc_u256 *y) {
    for (int i = 3; i > 0; i--)
        if (x->word[i] != y->word[i])
            return x->word[i] > y->word[i];
    return x->word[0] > y->word[0];
}

static inline int mc_u256_is_zero(const mc_u256 *x) {
    return (x->word[0] | x->word[1] | x->word[2] | x->word[3]) == 0;
}

static inline void mc_u256_add(mc_u256 *x, const mc_u256 *y) {
    uint64_t carry = 0;
    for (int i = 0; i < 4; i++) {
        const uint64_t sum = x->word[i] + y->word[i], with = sum + carry;
        carry = (sum < y->word[i]) | (with < sum);
        x->word[i] = with;
    }
}

static inline void mc_u256_times(mc_u256 *x, uint32_t factor) {
    mc_u128 carry = 0;
    for (int i = 0; i < 4; i++) {
        carry += (mc_u128)x->word[i] * factor;
        x->word[i] = (uint64_t)carry;
        carry >>= 64;
    }
}

static inline void mc_u256_over(mc_u256 *x, uint32_t divisor) {
    mc_u128 rest = 0;
    for (int i = 3; i >= 0; i--) {
        rest = rest << 64 | x->word[i];
        x->word[i] = (uint64_t)(rest / divisor);
        rest %= divisor;
    }
}

static inline unsigned mc_u256_bits(const mc_u256 *x) {
    for (unsigned i = 4; i-- > 0;)
        if (x->word[i] != 0)
            return 64 * i + 64 - (unsigned)__builtin_clzll(x->word[i]);
    return 0;
}

static inline mc_u256 mc_u256_left(const mc_u256 *x, unsigned shift) {
    mc_u256 y = {{0}};
    const unsigned words = shift / 64, bits = shift % 64;
    for (unsigned i = words; i < 4; i++) {
        y.word[i] = x->word[i - words] << bits;
        if (bits > 0 && i > words)
            y.word[i] |= x->word[i - words - 1] >> (64 - bits);
    }
    return y;
}

/* What a number shifted right by `shift` has in its lowest 64 bits. */
static inline uint64_t mc_u256_slice(const mc_u256 *x, unsigned shift) {
    const unsigned words = shift / 64, bits = shift % 64;
    if (words > 3)
        return 0;
    return x->word[words] >> bits | (bits > 0 && words < 3 ? x->word[words + 1] << (64 - bits) : 0);
}

enum { MC_COMPACT_NEGATIVE = 1, MC_COMPACT_OVERFLOW = 2 };

/* Three bytes of mantissa, with a sign, under an exponent of base 256 (arith_uint256::SetCompact). */
static inline mc_u256 mc_u256_from_compact(uint32_t compact, int *flags) {
    const unsigned size = compact >> 24;
    uint32_t mantissa = compact & 0x7fffff;
    if (size < 3)
        mantissa >>= 8 * (3 - size);
    const mc_u256 word = {{mantissa}};
    *flags = 0;
    if (mantissa != 0 && compact & 0x800000)
        *flags |= MC_COMPACT_NEGATIVE;
    if (mantissa != 0 && (size > 34 || (mantissa > 0xff && size > 33) || (mantissa > 0xffff && size > 32)))
        *flags |= MC_COMPACT_OVERFLOW;
    return size > 3 ? mc_u256_left(&word, 8 * (size - 3)) : word;
}

static inline uint32_t mc_u256_to_compact(const mc_u256 *x) {
    unsigned size = (mc_u256_bits(x) + 7) / 8;
    uint32_t compact =
        size <= 3 ? (uint32_t)x->word[0] << (8 * (3 - size)) : (uint32_t)mc_u256_slice(x, 8 * (size - 3));
    if (compact & 0x800000) { /* would be the sign */
        compact >>= 8;
        size++;
    }
    return compact | size << 24;
}

/* The expected number of hashes to meet a target: 2^256 / (target + 1), as (2^256 - 1 - target) / (target + 1) + 1.
 * The target has at most 24 bits that are not zero, but the divisor one more at its lowest end, so this is long
 * division, by words of 64 bits (Knuth, volume 2, algorithm D). */
static inline mc_u256 mc_u256_work(const mc_u256 *target) {
    const mc_u256 one = {{1}};
    mc_u256 divisor = *target, quotient = {{0}};
    mc_u256_add(&divisor, &one);
    const unsigned bits = mc_u256_bits(&divisor), n = (bits + 63) / 64, shift = 64 * n - bits;
    if (bits == 0) /* no compact form gives the largest number */
        return quotient;
    const mc_u256 d = mc_u256_left(&divisor, shift); /* its highest word is full */
    uint64_t rest[5] = {0};
    for (unsigned i = 0; i < 4; i++) {
        const uint64_t word = ~target->word[i];
        rest[i] |= word << shift;
        rest[i + 1] = shift > 0 ? word >> (64 - shift) : 0;
    }
    const uint64_t high = d.word[n - 1];
    for (unsigned j = 4 - n + 1; j-- > 0;) {
        const mc_u128 top = (mc_u128)rest[j + n] << 64 | rest[j + n - 1];
        mc_u128 guess = rest[j + n] >= high ? UINT64_MAX : top / high; /* at most two too large */
        mc_u128 carry = 0, borrow = 0;
        for (unsigned i = 0; i < n; i++) {
            carry += guess * d.word[i];
            borrow = (mc_u128)rest[i + j] - (uint64_t)carry - borrow;
            rest[i + j] = (uint64_t)borrow;
            borrow = borrow >> 64 & 1;
            carry >>= 64;
        }
        borrow = (mc_u128)rest[j + n] - (uint64_t)carry - borrow;
        rest[j + n] = (uint64_t)borrow;
        for (borrow = borrow >> 64 & 1; borrow > 0;) { /* add back until it is not below zero */
            guess--;
            carry = 0;
            for (unsigned i = 0; i < n; i++) {
                carry += (mc_u128)rest[i + j] + d.word[i];
                rest[i + j] = (uint64_t)carry;
                carry >>= 64;
            }
            carry += rest[j + n];
            rest[j + n] = (uint64_t)carry;
            borrow -= carry >> 64;
        }
        quotient.word[j] = (uint64_t)guess;
    }
    mc_u256_add(&quotient, &one);
    return quotient;
}

#endif
