/* Portable C: one lane, any CPU and byte order. */
#include "isa.h"

#include "../merklecore.h"

#include <string.h>

#define MC_ISA_NAME portable
#define MC_TARGET

#define V32 uint32_t
#define V32_LANES 1
#define V32_SET1(x) ((uint32_t)(x))
#define V32_SET1_AT(p) (*(p))
#define V32_ADD(x, y) ((x) + (y))
#define V32_ADD_LAST(x, y, last) ((x) + (y) + (last))
#define V32_ADD_AT(x, p) ((x) + *(p))
#define V32_SUB(x, y) ((x) - (y))
#define V32_AND(x, y) ((x) & (y))
#define V32_OR(x, y) ((x) | (y))
#define V32_XOR(x, y) ((x) ^ (y))
#define V32_XOR3(x, y, z) ((x) ^ (y) ^ (z))
#define V32_CH(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define V32_MAJ(x, y, z) (((x) & (y)) | ((z) & ((x) | (y))))
#define V32_ROR(x, n) ((x) >> (n) | (x) << (32 - (n)))
#define V32_SHR(x, n) ((x) >> (n))
#define V32_MIN(x, y) ((x) < (y) ? (x) : (y))
#define V32_IF_ZERO(x, y) ((x) == 0 ? (y) : 0)
#define V32_LOAD(p) (*(const uint32_t *)(p))
#define V32_STORE(p, x) (*(uint32_t *)(p) = (x))
#define V32_PARK(slot, x) ((slot) = (x))
#define V32_LOAD_BE16(w, lane) load_be(w, lane[0], 16)
#define V32_LOAD_BE8(w, lane) load_be(w, lane[0], 8)
#define V32_LOAD_LE16(w, lane) load_le(w, lane[0], 16)
#define V32_STORE_BE8(out, s) store_be(out, s, 8)
#define V32_STORE_LE8(out, s) store_le(out, s, 8)

#define V64 uint64_t
#define V64_LANES 1
#define V64_SET1(x) ((uint64_t)(x))
#define V64_SET1_AT(p) (*(p))
#define V64_ADD(x, y) ((x) + (y))
#define V64_ADD_AT(x, p) ((x) + *(p))
#define V64_SUB(x, y) ((x) - (y))
#define V64_AND(x, y) ((x) & (y))
#define V64_OR(x, y) ((x) | (y))
#define V64_XOR(x, y) ((x) ^ (y))
#define V64_XOR3(x, y, z) ((x) ^ (y) ^ (z))
#define V64_XOR3_IS_ONE 0
#define V64_CH(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define V64_MAJ(x, y, z) (((x) & (y)) | ((z) & ((x) | (y))))
#define V64_CHI(x, y, z) ((x) ^ (~(y) & (z)))
#define V64_ROR(x, n) ((x) >> (n) | (x) << (64 - (n)))
#define V64_SHR(x, n) ((x) >> (n))
#define V64_MIN(x, y) ((x) < (y) ? (x) : (y))
#define V64_IF_ZERO(x, y) ((x) == 0 ? (y) : 0)
#define V64_LOAD(p) (*(const uint64_t *)(p))
#define V64_STORE(p, x) (*(uint64_t *)(p) = (x))
#define V64_LOAD_BE8(w, lane) load_be64(w, lane[0], 8)
#define V64_LOAD_LE8(w, lane) load_le64(w, lane[0], 8)
#define V64_STORE_BE8(out, s) store_be64(out, s, 8)
#define V64_STORE_LE4(out, s) store_le64(out, s, 4)

/* Bytes one by one: compilers make it a load, and a swap where the byte order wants it. */
#define LOADS(name, word, shift)                                                                                      \
    MC_INLINE void name(word *w, const uint8_t *p, int n) {                                                           \
        for (int i = 0; i < n; i++, p += sizeof(word)) {                                                              \
            word x = 0;                                                                                               \
            for (int j = 0; j < (int)sizeof(word); j++)                                                               \
                x |= (word)p[j] << (shift);                                                                           \
            w[i] = x;                                                                                                 \
        }                                                                                                             \
    }
#define STORES(name, word, shift)                                                                                     \
    MC_INLINE void name(uint8_t *p, const word *s, int n) {                                                           \
        for (int i = 0; i < n; i++, p += sizeof(word))                                                                \
            for (int j = 0; j < (int)sizeof(word); j++)                                                               \
                p[j] = (uint8_t)(s[i] >> (shift));                                                                    \
    }
LOADS(load_be, uint32_t, 24 - 8 * j)
LOADS(load_le, uint32_t, 8 * j)
LOADS(load_be64, uint64_t, 56 - 8 * j)
LOADS(load_le64, uint64_t, 8 * j)
STORES(store_be, uint32_t, 24 - 8 * j)
STORES(store_le, uint32_t, 8 * j)
STORES(store_be64, uint64_t, 56 - 8 * j)
STORES(store_le64, uint64_t, 8 * j)

#include "hashes.h"
