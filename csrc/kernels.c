/* The table of kernels, the loop that picks from it, and the self-test that each kernel passes before its first use.
 *
 * Rows stand best first, the same every run. `pays_from` is where a row beats the ones below it: a pass over 16 lanes
 * costs the same for one message as for sixteen, so a short list goes to SHA-NI. */
#include "merklecore.h"
#include "hash/blake2b.h"
#include "hash/blake3.h"
#include "hash/keccak.h"
#include "hash/sha256.h"
#include "hash/sha512.h"
#include "hash/sm3.h"
#include "isa/isa.h"

#define DECLARE_NODE(name) void name(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix)
#define DECLARE_NODES(stem, isa)                                                                                      \
    DECLARE_NODE(stem##_node_##isa);                                                                                  \
    DECLARE_NODE(stem##_prefixed_node_##isa)
#define DECLARE_CLIMB(name)                                                                                           \
    void name(uint8_t *digest, const uint8_t *siblings, const uint8_t *is_left, size_t n, uint8_t prefix)
#define DECLARE_LANES(isa)                                                                                            \
    DECLARE_NODES(sha256, isa);                                                                                       \
    DECLARE_NODE(sha256d_node_##isa);                                                                                 \
    DECLARE_NODES(sha512, isa);                                                                                       \
    DECLARE_NODES(sha3_256, isa);                                                                                     \
    DECLARE_NODES(keccak256, isa);                                                                                    \
    DECLARE_NODES(sm3, isa);                                                                                          \
    DECLARE_NODES(blake3, isa);                                                                                       \
    DECLARE_NODES(blake2b_256, isa);                                                                                  \
    extern const mc_lanes sha256_messages_##isa, sha512_messages_##isa, keccak_messages_##isa, sm3_messages_##isa,    \
        blake3_messages_##isa, blake2b_256_messages_##isa

DECLARE_LANES(portable);
DECLARE_LANES(avx2);
DECLARE_LANES(avx512);
DECLARE_NODES(sha256, avx512_half);
DECLARE_NODE(sha256d_node_avx512_half);
extern const mc_lanes sha256_messages_avx512_half;
DECLARE_NODES(sha256, shani);
DECLARE_NODES(sha256, fast_shani);
DECLARE_CLIMB(sha256_node_climb_shani);
DECLARE_CLIMB(sha256_prefixed_node_climb_shani);
DECLARE_NODE(sha256d_node_shani);
DECLARE_NODE(sha256d_node_fast_shani);
extern const mc_lanes sha256_messages_one_shani, sha256_messages_two_shani, sha256_messages_four_shani,
    sha256_messages_fast_shani;

#if MC_X86_64
#define X86(...) __VA_ARGS__,
#else
#define X86(...)
#endif
/* clang-format off: it takes X86(...) for the beginning of something */
#define FAST_SHA MC_ISA_SHANI | MC_FAST_SHA
#define BESIDE_FAST_SHA MC_ISA_AVX512 | MC_FAST_SHA
#define SHA256_NODES(fn, climb)                                                                                       \
    {                                                                                                                 \
        X86({MC_ISA_AVX512, BESIDE_FAST_SHA, 16, 13, fn##_avx512, NULL, NULL})                                        \
            X86({MC_ISA_SHANI, FAST_SHA, 4, 3, fn##_fast_shani, NULL, NULL})                                          \
                X86({MC_ISA_AVX512, MC_ISA_AVX512, 16, 11, fn##_avx512, NULL, NULL})                                  \
                    X86({MC_ISA_AVX512, MC_ISA_AVX512, 8, 6, fn##_avx512_half, NULL, NULL})                           \
                        X86({MC_ISA_SHANI, MC_ISA_SHANI, 2, 1, fn##_shani, NULL, climb})                              \
                            X86({MC_ISA_AVX2, MC_ISA_AVX2, 8, 3, fn##_avx2, NULL, NULL}){                             \
                                MC_ISA_PORTABLE, MC_ISA_PORTABLE, 1, 1, fn##_portable, NULL, NULL},                   \
    }
#define SHA256_MESSAGES                                                                                               \
    {                                                                                                                 \
        X86({MC_ISA_AVX512, BESIDE_FAST_SHA, 16, 13, NULL, &sha256_messages_avx512, NULL})                            \
            X86({MC_ISA_SHANI, FAST_SHA, 4, 3, NULL, &sha256_messages_fast_shani, NULL})                              \
                X86({MC_ISA_AVX512, MC_ISA_AVX512, 16, 11, NULL, &sha256_messages_avx512, NULL})                      \
                    X86({MC_ISA_AVX512, MC_ISA_AVX512, 8, 7, NULL, &sha256_messages_avx512_half, NULL})               \
                        X86({MC_ISA_SHANI, MC_ISA_SHANI, 4, 3, NULL, &sha256_messages_four_shani, NULL})              \
                            X86({MC_ISA_SHANI, MC_ISA_SHANI, 2, 2, NULL, &sha256_messages_two_shani, NULL})           \
                                X86({MC_ISA_SHANI, MC_ISA_SHANI, 1, 1, NULL, &sha256_messages_one_shani, NULL}) X86(  \
                                    {MC_ISA_AVX2, MC_ISA_AVX2, 8, 3, NULL, &sha256_messages_avx2, NULL}){             \
                                    MC_ISA_PORTABLE, MC_ISA_PORTABLE, 1, 1, NULL, &sha256_messages_portable, NULL},   \
    }
#define NODES(bits, from_avx512, from_avx2, fn)                                                                       \
    {                                                                                                                 \
        X86({MC_ISA_AVX512, MC_ISA_AVX512, 512 / (bits), from_avx512, fn##_avx512, NULL, NULL})                       \
            X86({MC_ISA_AVX2, MC_ISA_AVX2, 256 / (bits), from_avx2, fn##_avx2, NULL, NULL}){                          \
                MC_ISA_PORTABLE, MC_ISA_PORTABLE, 1, 1, fn##_portable, NULL, NULL},                                   \
    }
#define MESSAGES(bits, from_avx512, from_avx2, run)                                                                   \
    {                                                                                                                 \
        X86({MC_ISA_AVX512, MC_ISA_AVX512, 512 / (bits), from_avx512, NULL, &run##_avx512, NULL})                     \
            X86({MC_ISA_AVX2, MC_ISA_AVX2, 256 / (bits), from_avx2, NULL, &run##_avx2, NULL}){                        \
                MC_ISA_PORTABLE, MC_ISA_PORTABLE, 1, 1, NULL, &run##_portable, NULL},                                 \
    }
/* A hash without instructions of its own: the bits of a lane; from how many messages on a pass pays on AVX-512 and on
 * AVX2; the stems of its node and of its message kernels. */
#define HASH(id, bits, from_avx512, from_avx2, stem, messages)                                                        \
    [id][MC_NODE] = NODES(bits, from_avx512, from_avx2, stem##_node),                                                 \
    [id][MC_PREFIXED_NODE] = NODES(bits, from_avx512, from_avx2, stem##_prefixed_node),                               \
    [id][MC_MESSAGES] = MESSAGES(bits, from_avx512, from_avx2, messages##_messages)

/* A shape without rows (double SHA-256 of a prefixed node) is hashed as messages. */
const mc_kernel mc_kernels[MC_HASHES][MC_SHAPES][MC_MAX_KERNELS] = {
    [MC_SHA256][MC_NODE] = SHA256_NODES(sha256_node, sha256_node_climb_shani),
    [MC_SHA256][MC_PREFIXED_NODE] = SHA256_NODES(sha256_prefixed_node, sha256_prefixed_node_climb_shani),
    [MC_SHA256][MC_MESSAGES] = SHA256_MESSAGES,
    [MC_SHA256D][MC_NODE] = SHA256_NODES(sha256d_node, NULL),
    [MC_SHA256D][MC_MESSAGES] = SHA256_MESSAGES,
    HASH(MC_SHA512, 64, 2, 2, sha512, sha512),
    HASH(MC_SHA3_256, 64, 2, 2, sha3_256, keccak),
    HASH(MC_KECCAK256, 64, 2, 2, keccak256, keccak),
    HASH(MC_SM3, 32, 2, 2, sm3, sm3),
    HASH(MC_BLAKE3, 32, 2, 2, blake3, blake3),
    HASH(MC_BLAKE2B_256, 64, 2, 2, blake2b_256, blake2b_256),
};

const mc_hash mc_hashes[MC_HASHES] = {
    /* name, bytes of digest, block and word, words of state, bytes of padding; initial state, padding, digest; what is
     * special */
    [MC_SHA256] = {"sha256", 32, 64, 4, 8, 9, sha256_initial, sha256_pad, sha256_digest},
    [MC_SHA256D] = {"sha256d", 32, 64, 4, 8, 9, sha256_initial, sha256_pad, sha256_digest, .twice = 1},
    [MC_SHA512] = {"sha512", 64, 128, 8, 8, 17, sha512_initial, sha512_pad, sha512_digest},
    [MC_SHA3_256] = {"sha3_256", 32, 136, 8, 25, 1, keccak_initial, sha3_256_pad, keccak_digest},
    [MC_KECCAK256] = {"keccak256", 32, 136, 8, 25, 1, keccak_initial, keccak256_pad, keccak_digest},
    [MC_SM3] = {"sm3", 32, 64, 4, 8, 9, sm3_initial, sha256_pad, sha256_digest}, /* framed as SHA-256 */
    [MC_BLAKE3] = {"blake3", 32, 64, 4, BLAKE3_WORDS, 0, blake3_initial, blake3_pad, blake3_digest,
                   .expect = blake3_expect, .chunk_bytes = BLAKE3_CHUNK},
    [MC_BLAKE2B_256] = {"blake2b_256", 32, 128, 8, BLAKE2B_WORDS, 0, blake2b_initial, blake2b_pad, blake2b_digest,
                        .expect = blake2b_expect},
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
 * and are fixed here; each entry is the digest of all digests of a shape, so that one lane gone wrong shows. A few of
 * the nodes fill all lanes of the rows that do not serve sixteen. */
enum { TEST_NODES = 21, TEST_FEW = 8, TEST_BYTES = TEST_NODES * 2 * MC_MAX_DIGEST, TEST_PREFIX = 0x01 };
enum { TEST_SHORT = 16, TEST_LONG = 207 }; /* with the prefix, 16 bytes in the last block of 64 */

/* clang-format off */
static const uint8_t known_answers[MC_HASHES][MC_SHAPES][MC_MAX_DIGEST] = {
    [MC_SHA256] = {
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
    },
    [MC_SHA256D] = {
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
    },
    [MC_SHA512] = {
        [MC_NODE] = {
            0x3d, 0x1b, 0x64, 0x58, 0x32, 0xd9, 0xb0, 0x85, 0x6a, 0x8b, 0x3e, 0xa6, 0xc0, 0x69, 0x17, 0x99, //
            0x81, 0x33, 0x23, 0x59, 0xd2, 0x53, 0x17, 0xf8, 0x7e, 0x2e, 0xc3, 0x85, 0xae, 0x8f, 0x5d, 0x19, //
            0xed, 0x5f, 0x2e, 0x0e, 0x69, 0xe6, 0x52, 0x54, 0x02, 0x68, 0xf8, 0x93, 0x3c, 0xa7, 0xc5, 0xd0, //
            0x6f, 0xfb, 0x90, 0x7e, 0xd5, 0x91, 0x17, 0x7b, 0x24, 0xd3, 0x6b, 0x10, 0xaa, 0xa0, 0xbd, 0x9e, //
        },
        [MC_PREFIXED_NODE] = {
            0x6e, 0xfd, 0xd0, 0x0f, 0x3a, 0xb3, 0xc6, 0x64, 0xcb, 0xe5, 0xca, 0x6b, 0x53, 0x80, 0xe1, 0x9d, //
            0xc4, 0x95, 0x60, 0xc4, 0xe1, 0x2b, 0x38, 0x4a, 0xb1, 0x73, 0x9f, 0xe7, 0x59, 0xa0, 0x0c, 0x4f, //
            0xf4, 0x76, 0xc9, 0xc9, 0x84, 0x56, 0x44, 0x7f, 0x94, 0x4d, 0x85, 0x18, 0xbb, 0x3e, 0xe7, 0x0e, //
            0xe5, 0x14, 0xa6, 0xcc, 0x59, 0xb2, 0x53, 0x75, 0x1e, 0x3d, 0x04, 0x80, 0x51, 0xb0, 0x40, 0xa9, //
        },
        [MC_MESSAGES] = {
            0xcc, 0x88, 0x9c, 0xb3, 0xad, 0x98, 0x96, 0xb4, 0xc7, 0xa8, 0xe4, 0xee, 0x45, 0x2b, 0x33, 0xc2, //
            0x4d, 0x66, 0xe1, 0xdc, 0xe3, 0x25, 0x74, 0xaa, 0xd5, 0x11, 0x92, 0x02, 0x33, 0x0f, 0x13, 0xc3, //
            0xbf, 0x8b, 0xa1, 0x1f, 0x93, 0x14, 0xed, 0xb3, 0xbf, 0x6e, 0x12, 0xf9, 0x9f, 0x5a, 0x90, 0x2c, //
            0x7d, 0xec, 0x5e, 0x8a, 0x38, 0x54, 0xe2, 0x00, 0x82, 0x24, 0x9b, 0xe2, 0xc9, 0xf7, 0x44, 0x17, //
        },
    },
    [MC_SHA3_256] = {
        [MC_NODE] = {
            0x64, 0xc8, 0x96, 0xd9, 0xf2, 0x8d, 0xc6, 0x52, 0x2f, 0xb5, 0xb4, 0xca, 0xbe, 0xe7, 0x2f, 0x09, //
            0x1c, 0x76, 0xbc, 0x46, 0x27, 0xd0, 0x52, 0x06, 0x21, 0x86, 0x83, 0xf6, 0x2c, 0x6c, 0x6c, 0xdf, //
        },
        [MC_PREFIXED_NODE] = {
            0x8b, 0x19, 0x82, 0x37, 0x58, 0x0c, 0x6a, 0x42, 0x2f, 0x27, 0x0f, 0xfd, 0x97, 0x8a, 0x3c, 0xb6, //
            0xc7, 0xa7, 0xe0, 0xb5, 0x74, 0x38, 0x2d, 0xab, 0xd4, 0xd3, 0x4e, 0x2b, 0xe4, 0x7d, 0xc6, 0x9d, //
        },
        [MC_MESSAGES] = {
            0x78, 0x13, 0x5f, 0x1a, 0x15, 0x72, 0xf1, 0xab, 0x74, 0xc9, 0xfe, 0xd2, 0xaa, 0x86, 0x7a, 0xf4, //
            0x77, 0xea, 0x44, 0x00, 0x84, 0xbf, 0x03, 0x97, 0xca, 0x88, 0x96, 0x6a, 0x8a, 0x1e, 0xe1, 0x31, //
        },
    },
    [MC_KECCAK256] = {
        [MC_NODE] = {
            0xa0, 0x82, 0xfb, 0xe2, 0x95, 0xa8, 0x12, 0xf2, 0x8e, 0xf4, 0x4a, 0x40, 0x37, 0x02, 0xd1, 0x14, //
            0x70, 0x76, 0xd3, 0xf8, 0xe8, 0xd7, 0xb5, 0x27, 0xfd, 0xee, 0x5f, 0x87, 0xeb, 0x6e, 0x7e, 0x0e, //
        },
        [MC_PREFIXED_NODE] = {
            0xed, 0xcf, 0xd0, 0x1c, 0xc6, 0x38, 0x7a, 0xab, 0x84, 0x8f, 0xbc, 0xf2, 0x81, 0xfc, 0x4c, 0x02, //
            0xcf, 0xc4, 0x3f, 0x66, 0x7f, 0x77, 0xa7, 0x8d, 0x8e, 0xa6, 0xb6, 0x8a, 0x86, 0x19, 0xaf, 0x23, //
        },
        [MC_MESSAGES] = {
            0xc3, 0x75, 0xe5, 0x9d, 0xfa, 0x63, 0x86, 0xf3, 0x78, 0xca, 0xf6, 0xa4, 0x60, 0xd7, 0x74, 0xb2, //
            0x5e, 0xc4, 0xe3, 0x73, 0x17, 0x06, 0x23, 0x0c, 0x28, 0x49, 0xbb, 0x99, 0xe0, 0xd5, 0x43, 0x2e, //
        },
    },
    [MC_SM3] = {
        [MC_NODE] = {
            0x21, 0xcc, 0xd2, 0xbf, 0xba, 0xd8, 0x26, 0x53, 0xfb, 0xae, 0x11, 0xb7, 0x7c, 0x1d, 0xe2, 0xe8, //
            0xa0, 0x4b, 0xa7, 0x49, 0xc5, 0x9c, 0x3e, 0xc5, 0x84, 0xbe, 0xd2, 0x03, 0x30, 0xae, 0xac, 0xa7, //
        },
        [MC_PREFIXED_NODE] = {
            0x18, 0x90, 0xf2, 0xba, 0x93, 0x6b, 0x43, 0x34, 0xb3, 0xf2, 0xd7, 0xb0, 0xc1, 0xd2, 0x9d, 0xe3, //
            0x5b, 0x75, 0x15, 0x81, 0xf1, 0x59, 0x87, 0xb1, 0x8f, 0x73, 0xd7, 0x3b, 0xdd, 0x6f, 0xb1, 0x5f, //
        },
        [MC_MESSAGES] = {
            0x13, 0x14, 0xfe, 0x10, 0x62, 0x2f, 0xd6, 0x02, 0x18, 0xda, 0x2b, 0xa9, 0xdb, 0x2e, 0x88, 0x9a, //
            0x59, 0x26, 0x79, 0x77, 0xaf, 0x1b, 0x24, 0x1c, 0xee, 0x7d, 0xfa, 0x69, 0x64, 0x3e, 0xff, 0x6b, //
        },
    },
    [MC_BLAKE3] = {
        [MC_NODE] = {
            0xdc, 0xb5, 0x7f, 0xff, 0x29, 0x1e, 0x91, 0x87, 0xf9, 0x1d, 0x11, 0x87, 0xfb, 0xd5, 0xf8, 0xb2, //
            0x47, 0x78, 0x4b, 0x7d, 0xf8, 0x93, 0x6b, 0xcb, 0x7a, 0x7f, 0x3c, 0x75, 0xfe, 0x0c, 0x50, 0xba, //
        },
        [MC_PREFIXED_NODE] = {
            0xdd, 0xe9, 0x5d, 0x22, 0x50, 0xd1, 0x13, 0x3d, 0x91, 0x4c, 0x4e, 0xa6, 0xf4, 0x5c, 0x88, 0x40, //
            0x84, 0xad, 0xd2, 0x8f, 0x94, 0xee, 0x2d, 0x1c, 0x18, 0xcc, 0x9d, 0x95, 0xc8, 0x62, 0x03, 0x5a, //
        },
        [MC_MESSAGES] = {
            0x09, 0x1f, 0x25, 0x0d, 0x48, 0xfc, 0xaf, 0x2e, 0x59, 0xb6, 0x8a, 0x03, 0xb6, 0x7b, 0x70, 0xc2, //
            0xfd, 0x99, 0xaf, 0xb5, 0x20, 0x6f, 0xb5, 0x88, 0x18, 0x1d, 0x8b, 0x9a, 0xd2, 0xaa, 0x41, 0x60, //
        },
    },
    [MC_BLAKE2B_256] = {
        [MC_NODE] = {
            0x96, 0xe7, 0x4a, 0x95, 0x0f, 0x1e, 0x0d, 0xeb, 0xd7, 0xb8, 0xcd, 0xbe, 0xa0, 0xd6, 0x3c, 0x5b, //
            0x0e, 0x72, 0x11, 0x51, 0x5c, 0xb8, 0x3e, 0x68, 0x0a, 0x9c, 0x23, 0x7e, 0xab, 0x6d, 0xe8, 0x67, //
        },
        [MC_PREFIXED_NODE] = {
            0x37, 0x03, 0x96, 0xfd, 0xb4, 0x0a, 0x6d, 0xc6, 0xd5, 0x3d, 0x37, 0xbb, 0xa6, 0xb0, 0xa1, 0xb0, //
            0xc2, 0xf0, 0xb5, 0xae, 0x06, 0xfb, 0x97, 0xbc, 0x1a, 0xc8, 0x8a, 0xa7, 0xb6, 0xd6, 0xcd, 0x5d, //
        },
        [MC_MESSAGES] = {
            0x77, 0x41, 0xe0, 0x08, 0x36, 0xa9, 0x16, 0xb3, 0x71, 0xa4, 0x1d, 0x23, 0x88, 0xc6, 0x0c, 0x2f, //
            0xb0, 0xff, 0xa4, 0x14, 0x11, 0x20, 0xc8, 0x26, 0x11, 0x04, 0xfb, 0xb0, 0x94, 0xee, 0x48, 0x9c, //
        },
    },
};
/* clang-format on */

static mc_status answer(int hash, int shape, const uint8_t *data, uint8_t *digests, uint32_t isa) {
    const size_t d = mc_hashes[hash].digest_bytes;
    const uint8_t prefix = TEST_PREFIX;
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

/* Whether a path climbed in one go ends where its nodes, hashed one by one, do. */
static int climbs_alike(int hash, int shape, const uint8_t *data, uint32_t isa) {
    const size_t d = mc_hashes[hash].digest_bytes;
    const mc_kernel *row = mc_pick(hash, shape, 1, isa);
    uint8_t climbed[MC_MAX_DIGEST], node[MC_MAX_DIGEST], pair[2 * MC_MAX_DIGEST], is_left[TEST_NODES];
    if (row == NULL || row->climb == NULL)
        return 1;
    memcpy(climbed, data, d);
    memcpy(node, data, d);
    for (size_t i = 0; i < TEST_NODES; i++) {
        is_left[i] = i % 3 == 1;
        memcpy(pair + (is_left[i] ? d : 0), node, d);
        memcpy(pair + (is_left[i] ? 0 : d), data + i * d, d);
        row->nodes(pair, 1, node, TEST_PREFIX);
    }
    row->climb(climbed, data, is_left, TEST_NODES, TEST_PREFIX);
    return memcmp(climbed, node, d) == 0;
}

/* Whether fewer nodes, which another row of the table may serve, have the digests that they had among more. */
static int few_alike(int hash, int shape, const uint8_t *data, const uint8_t *digests, uint32_t isa) {
    const uint8_t prefix = TEST_PREFIX;
    uint8_t few[TEST_FEW * MC_MAX_DIGEST];
    const mc_status status = mc_hash_nodes(hash, &prefix, shape == MC_PREFIXED_NODE, data, TEST_FEW, few, isa);
    return status == MC_OK && memcmp(few, digests, TEST_FEW * mc_hashes[hash].digest_bytes) == 0;
}

/* Whether many nodes at once, for which SHA-NI has another way where it is fast, have the digests that a few of them
 * at a time have: behind a prefix, with every last byte. In place, as trees are hashed. */
static int many_alike(int hash, int shape, const uint8_t *data, uint32_t isa) {
    enum { MANY = 256, D = 32 };
    const mc_kernel *row = mc_pick(hash, shape, MANY, isa);
    uint8_t nodes[MANY * 2 * D], few[TEST_FEW * 2 * D], digests[TEST_FEW * D];
    int same = 1;
    if (shape != MC_PREFIXED_NODE || row == NULL || !(row->needs & MC_FAST_SHA))
        return 1;
    for (size_t i = 0; i < MANY; i++) {
        memcpy(nodes + i * 2 * D, data + i, 2 * D);
        nodes[(i + 1) * 2 * D - 1] = (uint8_t)i;
    }
    row->nodes(nodes, MANY, nodes, TEST_PREFIX);
    for (size_t i = 0; i < MANY; i += TEST_FEW) {
        for (size_t j = 0; j < TEST_FEW; j++) {
            memcpy(few + j * 2 * D, data + i + j, 2 * D);
            few[(j + 1) * 2 * D - 1] = (uint8_t)(i + j);
        }
        row->nodes(few, TEST_FEW, digests, TEST_PREFIX);
        same &= memcmp(digests, nodes + i * D, TEST_FEW * D) == 0;
    }
    return same;
}

/* Whether rows, and the first of them alone, have the digests that each has as a message of mixed lengths, which have
 * no ways of their own: on all lanes of one row of the table or another, on two, on one. */
static int rows_alike(int hash, size_t width, size_t prefix_bytes, const uint8_t *data, size_t n, uint32_t isa) {
    const size_t d = mc_hashes[hash].digest_bytes, counts[] = {n, TEST_FEW, 2, 1};
    const uint8_t prefix = TEST_PREFIX;
    uint8_t found[TEST_NODES * MC_MAX_DIGEST], wanted[TEST_NODES * MC_MAX_DIGEST];
    int same = 1;
    for (size_t i = 0; i < n; i++) {
        const mc_span span = {data + i * width, width};
        const mc_messages one = {.spans = &span, .width = MC_MIXED, .n = 1};
        same &= mc_hash_messages(hash, &prefix, prefix_bytes, &one, 0, 1, wanted + i * d, isa) == MC_OK;
    }
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        const mc_messages rows = {.rows = data, .width = width, .n = counts[i]};
        same &= mc_hash_messages(hash, &prefix, prefix_bytes, &rows, 0, rows.n, found, isa) == MC_OK &&
                memcmp(found, wanted, rows.n * d) == 0;
    }
    return same;
}

/* Whether tiny messages have them too: of all lengths, not all for places side by side; on all lanes, on two, on one.
 */
static int tiny_alike(const uint8_t *data, uint32_t isa) {
    uint8_t found[32 * (TEST_NODES + 1)], wanted[32];
    mc_span spans[TEST_NODES];
    uint16_t at[TEST_NODES];
    mc_status status = MC_OK;
    int same = 1;
    for (uint16_t i = 0; i < TEST_NODES; i++) {
        spans[i] = (mc_span){data + 5 * i, MC_LEAST_TINY + (size_t)i % (MC_MOST_TINY - MC_LEAST_TINY + 1)};
        at[i] = (uint16_t)(i + (i > TEST_NODES / 2));
    }
    for (size_t n = TEST_NODES; n > 0; n = n > 2 ? 2 : n - 1) {
        mc_hash_tiny(spans, at, n, found, isa);
        for (size_t i = 0; i < n && status == MC_OK; i++) {
            const mc_messages one = {.spans = &spans[i], .width = MC_MIXED, .n = 1};
            status = mc_hash_messages(MC_SHA256D, NULL, 0, &one, 0, 1, wanted, isa);
            same &= memcmp(found + 32 * (size_t)at[i], wanted, 32) == 0;
        }
    }
    return status == MC_OK && same;
}

/* Rows of one digest behind a prefix and behind nothing, and rows whose last block a kernel may have a shorter way
 * for: alone, behind nothing and behind whole blocks; headers, and tiny messages. */
static int all_rows_alike(int hash, const uint8_t *data, uint32_t isa) {
    const size_t d = mc_hashes[hash].digest_bytes;
    const int has_bare = mc_pick(hash, MC_MESSAGES, TEST_NODES, isa)->run->bare_rows != NULL;
    return (!has_bare || rows_alike(hash, d, 0, data, TEST_NODES, isa)) &&
           rows_alike(hash, d, 1, data, TEST_NODES, isa) && rows_alike(hash, TEST_SHORT, 0, data, TEST_NODES, isa) &&
           rows_alike(hash, TEST_LONG, 1, data, TEST_BYTES / TEST_LONG, isa) &&
           rows_alike(hash, MC_HEADER_BYTES, 0, data, TEST_NODES, isa) &&
           (!mc_hashes[hash].twice || !mc_hashes_tiny(isa) || tiny_alike(data, isa));
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
                same &= status == MC_OK && memcmp(sum, known_answers[hash][shape], d) == 0 &&
                        (shape == MC_MESSAGES ? all_rows_alike(hash, data, isa | fast)
                                              : few_alike(hash, shape, data, digests, isa | fast) &&
                                                    many_alike(hash, shape, data, isa | fast) &&
                                                    climbs_alike(hash, shape, data, isa | fast));
            }
        if (same)
            passed |= isa;
    }
    return passed;
}
