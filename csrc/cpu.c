/* CPU detection: CPUID says what the CPU has, XGETBV what registers the operating system keeps. */
#include "merklecore.h"
#include "isa/isa.h"

#include <string.h>

const mc_feature mc_features[] = {
    {"avx512", MC_ISA_AVX512}, /* F, BW, VL and zmm state */
    {"shani", MC_ISA_SHANI},   /* SHA, SSSE3, SSE4.1 */
    {"avx2", MC_ISA_AVX2},     /* AVX2 and ymm state */
    {"portable", MC_ISA_PORTABLE},
    {"fastsha", MC_FAST_SHA}, /* AMD from Zen 3 on, with AVX2 */
    {NULL, 0},
};

#if MC_X86_64

#include <cpuid.h>

static uint64_t saved_registers(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

/* The family of an AMD CPU, 0 for others. */
static uint32_t amd_family(void) {
    uint32_t a, b, c, d;
    if (!__get_cpuid(0, &a, &b, &c, &d) || b != signature_AMD_ebx || c != signature_AMD_ecx || d != signature_AMD_edx)
        return 0;
    __get_cpuid(1, &a, &b, &c, &d);
    const uint32_t family = a >> 8 & 0xf;
    return family == 0xf ? family + (a >> 20 & 0xff) : family;
}

uint32_t mc_cpu_features(void) {
    enum { FIRST_FAST_SHA = 0x19 };
    enum { YMM_STATE = 0x06, ZMM_STATE = 0xe6 };
    uint32_t found = MC_ISA_PORTABLE;
    uint32_t a, b, c, d, b7, c7, d7;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !__get_cpuid_count(7, 0, &a, &b7, &c7, &d7))
        return found;
    uint64_t saved = (c & bit_OSXSAVE) ? saved_registers() : 0;
    if ((b7 & bit_SHA) && (c & bit_SSSE3) && (c & bit_SSE4_1))
        found |= MC_ISA_SHANI;
    if ((c & bit_AVX) && (b7 & bit_AVX2) && (saved & YMM_STATE) == YMM_STATE)
        found |= MC_ISA_AVX2;
    if ((found & MC_ISA_AVX2) && (b7 & bit_AVX512F) && (b7 & bit_AVX512BW) && (b7 & bit_AVX512VL) &&
        (saved & ZMM_STATE) == ZMM_STATE)
        found |= MC_ISA_AVX512;
    if ((found & MC_ISA_SHANI) && (found & MC_ISA_AVX2) && amd_family() >= FIRST_FAST_SHA)
        found |= MC_FAST_SHA;
    return found;
}

void mc_cpu_brand(char text[49]) {
    uint32_t words[12] = {0};
    uint32_t a, b, c, d;
    if (__get_cpuid(0x80000000u, &a, &b, &c, &d) && a >= 0x80000004u)
        for (uint32_t i = 0; i < 3; i++)
            __get_cpuid(0x80000002u + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2], &words[4 * i + 3]);
    memcpy(text, words, 48);
    text[48] = 0;
}

#else

uint32_t mc_cpu_features(void) { return MC_ISA_PORTABLE; }

void mc_cpu_brand(char text[49]) { text[0] = 0; }

#endif
