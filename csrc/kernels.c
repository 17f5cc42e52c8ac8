/* The table of kernels, the loop that picks from it, and the self-test that each kernel passes before its first use.
 *
 * Rows stand best first, the same every run. `pays_from` is where a row beats the ones below it: a pass over 16 lanes
 * costs the same for one message as for sixteen, so a short list goes to SHA-NI. */
#include "merklecore.h"
#include "hash/sha256.h"
#include "isa/isa.h"

#define DECLARE_SHA256(isa)                                                                                           \
    void sha256_node_##isa(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix);                                \
    void sha256_prefixed_node_##isa(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix);                       \
    void sha256d_node_##isa(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix);                               \
    extern const mc_lanes sha256_messages_##isa

DECLARE_SHA256(portable);
DECLARE_SHA256(shani);
DECLARE_SHA256(fast_shani);
DECLARE_SHA256(avx2);
DECLARE_SHA256(avx512);
extern const mc_lanes sha256_message_shani;

#if MC_X86_64
#define X86(...) __VA_ARGS__,
#else
#define X86(...)
#endif
/* clang-format off: it takes X86(...) for the beginning of something */
#define FAST_SHA MC_ISA_SHANI | MC_FAST_SHA
#define NODES(fn)                                                                                                     \
    {                                                                                                                 \
        X86({MC_ISA_SHANI, FAST_SHA, 4, 3, fn##_fast_shani, NULL})                                                    \
            X86({MC_ISA_AVX512, MC_ISA_AVX512, 16, 8, fn##_avx512, NULL})                                             \
                X86({MC_ISA_SHANI, MC_ISA_SHANI, 2, 1, fn##_shani, NULL})                                             \
                    X86({MC_ISA_AVX2, MC_ISA_AVX2, 8, 3, fn##_avx2, NULL}){MC_ISA_PORTABLE, MC_ISA_PORTABLE, 1, 1,    \
                                                                           fn##_portable, NULL},                      \
    }
#define SHA256_MESSAGES                                                                                               \
    {                                                                                                                 \
        X86({MC_ISA_SHANI, FAST_SHA, 4, 3, NULL, &sha256_messages_fast_shani})                                        \
            X86({MC_ISA_AVX512, MC_ISA_AVX512, 16, 8, NULL, &sha256_messages_avx512})                                 \
                X86({MC_ISA_SHANI, MC_ISA_SHANI, 2, 2, NULL, &sha256_messages_shani})                                 \
                    X86({MC_ISA_SHANI, MC_ISA_SHANI, 1, 1, NULL, &sha256_message_shani})                              \
                        X86({MC_ISA_AVX2, MC_ISA_AVX2, 8, 3, NULL, &sha256_messages_avx2}){                           \
                            MC_ISA_PORTABLE, MC_ISA_PORTABLE, 1, 1, NULL, &sha256_messages_portable},                 \
    }

const mc_hash mc_hashes[MC_HASHES] = {
    [MC_SHA256] = {"sha256", SHA256_DIGEST, SHA256_BLOCK, 4, 8, sha256_initial, sha256_pad, sha256_digest, 0},
    [MC_SHA256D] = {"sha256d", SHA256_DIGEST, SHA256_BLOCK, 4, 8, sha256_initial, sha256_pad, sha256_digest, 1},
};

/* A shape without rows (double SHA-256 of a prefixed node) is hashed as messages. */
const mc_kernel mc_kernels[MC_HASHES][MC_SHAPES][MC_MAX_KERNELS] = {
    [MC_SHA256][MC_NODE] = NODES(sha256_node),   [MC_SHA256][MC_PREFIXED_NODE] = NODES(sha256_prefixed_node),
    [MC_SHA256][MC_MESSAGES] = SHA256_MESSAGES,  [MC_SHA256D][MC_NODE] = NODES(sha256d_node),
    [MC_SHA256D][MC_MESSAGES] = SHA256_MESSAGES,
};
/* clang-format on */

const mc_kernel *mc_pick(int hash, int shape, size_t n, uint32_t isas) {
    const mc_kernel *fallback = NULL;
    for (const mc_kernel *row = mc_kernels[hash][shape]; row->isa != 0; row++) {
        if ((row->needs & isas) != row->needs)
            continue;
        if (n >= row->pays_from)
            return row;
        fallback = row; /* one that does not pay is better than none: a forced kernel serves every n */
    }
    return fallback;
}

/* ---- self-test ------------------------------------------------------------------------------------------------- */

/* The message of every test: byte i is i * i / 8 + i, modulo 256. Digests over it were computed by other programs
 * and are fixed here; each entry is the digest of all digests of a shape, so that one lane gone wrong shows. */
enum { TEST_NODES = 21, TEST_BYTES = TEST_NODES * 2 * MC_MAX_DIGEST };

typedef struct known_answer {
    uint8_t shape[MC_SHAPES][MC_MAX_DIGEST];
} known_answer;

/* clang-format off */
static const known_answer known_answers[MC_HASHES] = {
    [MC_SHA256] = {{
        [MC_NODE] = {
            0xfd, 0x7b, 0x7f, 0x2d, 0xd8, 0x26, 0x99, 0x92, 0x49, 0xaf, 0xdf, 0xd8, 0xa8, 0x8e, 0x35, 0x1f, //
            0x68, 0x8e, 0x1a, 0x1d, 0xf0, 0x61, 0x75, 0xae, 0xed, 0x4e, 0xd5, 0x0c, 0x79, 0xaf, 0x07, 0x09, //
        },
        [MC_PREFIXED_NODE] = {
            0xe0, 0xa3, 0x94, 0x2f, 0xbc, 0xa4, 0x9f, 0x54, 0x9e, 0x90, 0x2b, 0x1d, 0x1c, 0x8d, 0x3e, 0x8a, //
            0xb8, 0xdb, 0xc0, 0xab, 0x5b, 0xdd, 0x57, 0x43, 0x51, 0x6d, 0xf8, 0x6b, 0xe3, 0x6e, 0x75, 0x8f, //
        },
        [MC_MESSAGES] = {
            0x6c, 0x4a, 0xf7, 0x1c, 0x98, 0x75, 0x6f, 0xa8, 0x24, 0x26, 0x57, 0x0b, 0x96, 0xb1, 0xc0, 0x1d, //
            0x77, 0xa4, 0x11, 0xb1, 0xba, 0x27, 0xd9, 0xb2, 0xef, 0x83, 0x7a, 0x4d, 0x55, 0xf9, 0xd7, 0x2b, //
        },
    }},
    [MC_SHA256D] = {{
        [MC_NODE] = {
            0xc6, 0xe8, 0xb3, 0xb5, 0x7e, 0x2c, 0x28, 0x73, 0xb7, 0x1d, 0xe9, 0xff, 0xf9, 0x76, 0x5e, 0xe7, //
            0x9d, 0xa2, 0x82, 0x78, 0x1f, 0x36, 0x84, 0x8a, 0x14, 0xad, 0xb5, 0x07, 0xf7, 0x4c, 0x0a, 0xbc, //
        },
        [MC_PREFIXED_NODE] = {
            0x2b, 0xe9, 0xe8, 0x52, 0x13, 0x8a, 0x64, 0x28, 0x82, 0xab, 0x09, 0xf8, 0xa9, 0xd7, 0x18, 0xbb, //
            0x0a, 0xa0, 0x3a, 0xc0, 0x2b, 0x90, 0x4b, 0x63, 0x5c, 0x2f, 0xbc, 0x6f, 0x44, 0x8b, 0x09, 0x63, //
        },
        [MC_MESSAGES] = {
            0x5a, 0x7c, 0x47, 0x06, 0x5f, 0xc3, 0xf7, 0x6a, 0x97, 0x23, 0xa8, 0xa5, 0xda, 0x09, 0x1c, 0x0d, //
            0x67, 0xb6, 0x5d, 0x60, 0xf4, 0xa8, 0xab, 0x9b, 0x3f, 0x3d, 0x36, 0x6c, 0xd1, 0xee, 0x8f, 0xb0, //
        },
    }},
};
/* clang-format on */

static mc_status answer(int hash, int shape, const uint8_t *data, uint8_t *digests, uint32_t isa) {
    const size_t d = mc_hashes[hash].digest_bytes;
    const uint8_t prefix = 0x01;
    if (shape == MC_NODE)
        return mc_hash_nodes(hash, NULL, 0, data, TEST_NODES, digests, isa);
    if (shape == MC_PREFIXED_NODE)
        return mc_hash_nodes(hash, &prefix, 1, data, TEST_NODES, digests, isa);
    mc_span spans[TEST_NODES]; /* lengths that end in every part of a block, short and long mixed */
    for (size_t i = 0; i < TEST_NODES; i++)
        spans[i] = (mc_span){data + i, (i * 61) % (TEST_NODES * 2 * d - TEST_NODES)};
    const mc_messages messages = {.spans = spans, .width = MC_MIXED, .n = TEST_NODES};
    return mc_hash_messages(hash, &prefix, 1, &messages, 0, TEST_NODES, digests, isa);
}

uint32_t mc_self_test(int hash, uint32_t isas) {
    const size_t d = mc_hashes[hash].digest_bytes;
    uint8_t data[TEST_BYTES], digests[TEST_NODES * MC_MAX_DIGEST], sum[MC_MAX_DIGEST];
    uint32_t passed = 0;
    for (size_t i = 0; i < TEST_BYTES; i++)
        data[i] = (uint8_t)(i * i / 8 + i);
    for (uint32_t isa = 1; isa <= MC_ISA_ALL; isa <<= 1) {
        if (!(isa & isas) || mc_pick(hash, MC_MESSAGES, 1, isa) == NULL)
            continue;
        int same = 1;
        for (uint32_t fast = 0; fast <= (isas & MC_FAST_SHA); fast += MC_FAST_SHA)
            for (int shape = 0; shape < MC_SHAPES; shape++) {
                mc_status status = answer(hash, shape, data, digests, isa | fast);
                if (status == MC_OK)
                    status = mc_hash_one(hash, digests, TEST_NODES * d, sum, isa | fast);
                same &= status == MC_OK && memcmp(sum, known_answers[hash].shape[shape], d) == 0;
            }
        if (same)
            passed |= isa;
    }
    return passed;
}
