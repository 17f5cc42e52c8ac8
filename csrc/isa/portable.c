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
#define V32_ADD_AT(x, p) ((x) + *(p))
#define V32_AND(x, y) ((x) & (y))
#define V32_OR(x, y) ((x) | (y))
#define V32_XOR3(x, y, z) ((x) ^ (y) ^ (z))
#define V32_CH(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define V32_MAJ(x, y, z) (((x) & (y)) | ((z) & ((x) | (y))))
#define V32_ROR(x, n) ((x) >> (n) | (x) << (32 - (n)))
#define V32_SHR(x, n) ((x) >> (n))
#define V32_LOAD(p) (*(const uint32_t *)(p))
#define V32_STORE(p, x) (*(uint32_t *)(p) = (x))
#define V32_LOAD_BE16(w, lane) load_be16(w, lane[0])
#define V32_STORE_BE8(out, s) store_be8(out, s)

MC_INLINE void load_be16(uint32_t w[16], const uint8_t *p) {
    for (int i = 0; i < 16; i++, p += 4)
        w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

MC_INLINE void store_be8(uint8_t *p, const uint32_t s[8]) {
    for (int i = 0; i < 8; i++, p += 4) {
        p[0] = (uint8_t)(s[i] >> 24);
        p[1] = (uint8_t)(s[i] >> 16);
        p[2] = (uint8_t)(s[i] >> 8);
        p[3] = (uint8_t)s[i];
    }
}

#include "../hash/sha256.h"
