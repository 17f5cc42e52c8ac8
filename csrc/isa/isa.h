/* What every kernel file starts from: where x86 kernels exist, and how a function is named and targeted.
 *
 * A lane file (portable.c, avx2.c, avx512.c) defines MC_ISA_NAME, MC_TARGET and the V32_ macros, then includes every
 * hash body. Target attributes stand on each function, because no file is compiled with flags of its own. */
#ifndef MC_ISA_ISA_H
#define MC_ISA_ISA_H

#include <stdint.h>

#if defined(__x86_64__) && !defined(MC_PORTABLE_ONLY)
#define MC_X86_64 1
#else
#define MC_X86_64 0
#endif

#define MC_JOIN2(a, b) a##_##b
#define MC_JOIN(a, b) MC_JOIN2(a, b)
#define MC_NAME(stem) MC_JOIN(stem, MC_ISA_NAME)

/* of helpers: inlined into the kernel, with its target */
#define MC_INLINE static inline __attribute__((always_inline)) MC_TARGET

/* The compiler must not know where `pointer` points to: it then reads constants from memory where they are used
 * (on AVX-512 as broadcast operands, at no cost) instead of keeping 64 of them in registers it does not have. */
#define MC_HIDE(pointer) __asm__ volatile("" : "+r"(pointer))

/* Eight bytes, the first the lowest: one load, which compilers do not see in a loop. */
static inline __attribute__((always_inline)) uint64_t mc_le64(const uint8_t *p) {
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 |
           (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

#endif
