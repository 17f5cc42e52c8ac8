/* SHA-256 on the SHA extensions: nodes, in batches and one above the other. */
#include "sha256_ni.h"

#if MC_X86_64

#include <pthread.h>
#include <stdatomic.h>

MC_INLINE void block_pad64(int ways, ni_state s[]) {
    ni_state before[MC_WAYS];
    for (int i = 0; i < ways; i++)
        before[i] = s[i];
#pragma GCC unroll 16
    for (int t = 0; t < 16; t++) {
        const __m128i kw = load16(sha256_pad64 + 4 * t);
        for (int i = 0; i < ways; i++)
            rounds4(&s[i], kw);
    }
    for (int i = 0; i < ways; i++) {
        s[i].abef = _mm_add_epi32(s[i].abef, before[i].abef);
        s[i].cdgh = _mm_add_epi32(s[i].cdgh, before[i].cdgh);
    }
}

/* The second block of a 65-byte message. The lowest word of last[i] is W[0], the others are zero, as are W[1..14]: of
 * the first sixteen rounds all but one are the same for all messages, and of W[16..19] only s1 is to be computed. */
MC_INLINE void block_pad65(int ways, ni_state s[], const __m128i last[]) {
    const __m128i zero = _mm_setzero_si128(), length = _mm_set_epi32(65 * 8, 0, 0, 0);
    const __m128i k0 = load16(sha256_k), k2 = _mm_shuffle_epi32(k0, 0x0e);
    ni_state before[MC_WAYS];
    __m128i m[MC_WAYS][4];
    for (int i = 0; i < ways; i++)
        before[i] = s[i];
    for (int i = 0; i < ways; i++) {
        s[i].cdgh = _mm_sha256rnds2_epu32(s[i].cdgh, s[i].abef, _mm_add_epi32(last[i], k0));
        s[i].abef = _mm_sha256rnds2_epu32(s[i].abef, s[i].cdgh, k2);
        m[i][0] = _mm_sha256msg2_epu32(last[i], length);
        m[i][1] = m[i][2] = zero;
        m[i][3] = length;
    }
    known_rounds4(ways, s, load16(sha256_k + 4));
    known_rounds4(ways, s, load16(sha256_k + 8));
    known_rounds4(ways, s, _mm_add_epi32(load16(sha256_k + 12), length));
    groups(ways, s, m, 4, 0);
    for (int i = 0; i < ways; i++) {
        s[i].abef = _mm_add_epi32(s[i].abef, before[i].abef);
        s[i].cdgh = _mm_add_epi32(s[i].cdgh, before[i].cdgh);
    }
}

MC_INLINE void node(int ways, const uint8_t *in, uint8_t *out, uint8_t prefix) {
    (void)prefix;
    const ni_state start = from_words(sha256_initial);
    ni_state s[MC_WAYS] = {start, start, start, start};
    __m128i m[MC_WAYS][4];
    for (int i = 0; i < ways; i++)
        for (int j = 0; j < 4; j++)
            m[i][j] = swap32(load16(in + 64 * i + 16 * j));
    block(ways, s, m, 0);
    block_pad64(ways, s);
    for (int i = 0; i < ways; i++)
        store_digest(out + 32 * i, s[i]);
}

/* The words of a node behind its prefix, that is, one byte later. Of memory at rest they are read from one byte
 * before; what has been written a moment ago would make such loads wait, of what two stores wrote. */
MC_INLINE void load_behind(int at_rest, __m128i m[4], const uint8_t *in, __m128i first) {
    __m128i before = load16(in);
    m[0] = swap32(_mm_alignr_epi8(before, first, 15));
    for (int j = 1; j < 4; j++) {
        if (at_rest) {
            m[j] = swap32(load16(in + 16 * j - 1));
        } else {
            __m128i x = load16(in + 16 * j);
            m[j] = swap32(_mm_alignr_epi8(x, before, 15));
            before = x;
        }
    }
}

MC_INLINE void prefixed_node(int ways, const uint8_t *in, uint8_t *out, uint8_t prefix) {
    const ni_state start = from_words(sha256_initial);
    const __m128i first = _mm_slli_si128(_mm_cvtsi32_si128(prefix), 15);
    ni_state s[MC_WAYS] = {start, start, start, start};
    __m128i m[MC_WAYS][4], tail[MC_WAYS];
    for (int i = 0; i < ways; i++)
        load_behind(ways == 4, m[i], in + 64 * i, first);
    block(ways, s, m, 0);
    for (int i = 0; i < ways; i++)
        tail[i] = _mm_cvtsi32_si128((int)((uint32_t)in[64 * i + 63] << 24 | 0x00800000u));
    block_pad65(ways, s, tail);
    for (int i = 0; i < ways; i++)
        store_digest(out + 32 * i, s[i]);
}

MC_INLINE void double_node(int ways, const uint8_t *in, uint8_t *out, uint8_t prefix) {
    (void)prefix;
    const ni_state start = from_words(sha256_initial);
    ni_state s[MC_WAYS] = {start, start, start, start};
    __m128i m[MC_WAYS][4];
    for (int i = 0; i < ways; i++)
        for (int j = 0; j < 4; j++)
            m[i][j] = swap32(load16(in + 64 * i + 16 * j));
    block(ways, s, m, 0);
    block_pad64(ways, s);
    for (int i = 0; i < ways; i++)
        in_order(s[i], &m[i][0], &m[i][1]);
    hash_digests(ways, m, out);
}

/* ---- one digest upwards ---------------------------------------------------------------------------------------- */

/* The words of a digest in registers, in reverse: the first one highest, so that the whole is a big-endian number and
 * moves on by a byte with one instruction. */
typedef struct ni_digest {
    __m128i dcba, hgfe;
} ni_digest;

MC_INLINE __m128i reversed(__m128i words) { return _mm_shuffle_epi32(words, 0x1b); }

MC_INLINE ni_digest digest_of(ni_state s) {
    return (ni_digest){_mm_unpackhi_epi64(s.cdgh, s.abef), _mm_unpacklo_epi64(s.cdgh, s.abef)};
}

MC_INLINE ni_digest load_digest(const uint8_t *in) {
    return (ni_digest){reversed(swap32(load16(in))), reversed(swap32(load16(in + 16)))};
}

/* The left one where `mask` is all zeros, the right one where it is all ones. Which side a node is on nobody can
 * predict, so no branch depends on it. */
MC_INLINE ni_digest either(ni_digest left, ni_digest right, __m128i mask) {
    return (ni_digest){_mm_blendv_epi8(left.dcba, right.dcba, mask), _mm_blendv_epi8(left.hgfe, right.hgfe, mask)};
}

MC_INLINE void words_of(ni_digest left, ni_digest right, __m128i m[4]) {
    m[0] = reversed(left.dcba);
    m[1] = reversed(left.hgfe);
    m[2] = reversed(right.dcba);
    m[3] = reversed(right.hgfe);
}

MC_INLINE ni_digest plain_parent(ni_digest left, ni_digest right, uint8_t prefix) {
    (void)prefix;
    ni_state s[1] = {from_words(sha256_initial)};
    __m128i m[1][4];
    words_of(left, right, m[0]);
    block(1, s, m, 0);
    block_pad64(1, s);
    return digest_of(s[0]);
}

MC_INLINE ni_digest prefixed_parent(ni_digest left, ni_digest right, uint8_t prefix) {
    ni_state s[1] = {from_words(sha256_initial)};
    __m128i m[1][4];
    m[0][0] = reversed(_mm_alignr_epi8(_mm_cvtsi32_si128(prefix), left.dcba, 1));
    m[0][1] = reversed(_mm_alignr_epi8(left.dcba, left.hgfe, 1));
    m[0][2] = reversed(_mm_alignr_epi8(left.hgfe, right.dcba, 1));
    m[0][3] = reversed(_mm_alignr_epi8(right.dcba, right.hgfe, 1));
    block(1, s, m, 0);
    const __m128i byte = _mm_srli_si128(_mm_slli_si128(right.hgfe, 15), 12);
    const __m128i last[1] = {_mm_or_si128(byte, _mm_cvtsi32_si128(0x00800000))};
    block_pad65(1, s, last);
    return digest_of(s[0]);
}

/* A node waits for the one below it, so what counts is how long one takes: it stays in registers all the way. */
#define CLIMB_KERNEL(stem, parent)                                                                                    \
    MC_TARGET void stem##_climb_shani(uint8_t *digest, const uint8_t *siblings, const uint8_t *is_left, size_t n,     \
                                      uint8_t prefix) {                                                               \
        ni_digest node = load_digest(digest);                                                                         \
        for (; n > 0; n--, siblings += SHA256_DIGEST) {                                                               \
            const ni_digest sibling = load_digest(siblings);                                                          \
            const __m128i mask = _mm_set1_epi8((char)-*is_left++);                                                    \
            node = parent(either(node, sibling, mask), either(sibling, node, mask), prefix);                          \
        }                                                                                                             \
        _mm_storeu_si128((__m128i *)(void *)digest, swap32(reversed(node.dcba)));                                     \
        _mm_storeu_si128((__m128i *)(void *)(digest + 16), swap32(reversed(node.hgfe)));                              \
    }

CLIMB_KERNEL(sha256_node, plain_parent)
CLIMB_KERNEL(sha256_prefixed_node, prefixed_parent)

/* ---- batches of nodes ------------------------------------------------------------------------------------------ */

typedef void (*few_nodes)(const uint8_t *in, uint8_t *out, uint8_t prefix);

/* Four nodes at a time, and three as four of which one counts for nothing. */
MC_INLINE void by_fours(few_nodes four, mc_node_fn rest, const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    for (; n >= 4; n -= 4, in += 4 * SHA256_NODE, out += 4 * SHA256_DIGEST)
        four(in, out, prefix);
    if (n == 3) {
        uint8_t nodes[4 * SHA256_NODE], digests[4 * SHA256_DIGEST];
        memcpy(nodes, in, 3 * SHA256_NODE);
        memcpy(nodes + 3 * SHA256_NODE, in, SHA256_NODE);
        four(nodes, digests, prefix);
        memcpy(out, digests, 3 * SHA256_DIGEST);
    } else if (n > 0) {
        rest(in, n, out, prefix);
    }
}

#define NODE_KERNELS(stem, body)                                                                                      \
    MC_TARGET void stem##_shani(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {                          \
        for (; n >= 2; n -= 2, in += 2 * SHA256_NODE, out += 2 * SHA256_DIGEST)                                       \
            body(2, in, out, prefix);                                                                                 \
        if (n > 0)                                                                                                    \
            body(1, in, out, prefix);                                                                                 \
    }                                                                                                                 \
    MC_TARGET_FAST static inline void stem##_four(const uint8_t *in, uint8_t *out, uint8_t prefix) {                  \
        body(4, in, out, prefix);                                                                                     \
    }                                                                                                                 \
    MC_TARGET_FAST static inline void stem##_fours(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {       \
        by_fours(stem##_four, stem##_shani, in, n, out, prefix);                                                      \
    }

NODE_KERNELS(sha256_node, node)
NODE_KERNELS(sha256_prefixed_node, prefixed_node)
NODE_KERNELS(sha256d_node, double_node)

/* ---- many nodes ------------------------------------------------------------------------------------------------ */

enum { PAIR = 2, PAIRS_PAY_FROM = 16, TABLE_PAYS_FROM = 256 /* nodes */ };

/* Behind a prefix the second block is one of 256, for all that it holds of the node is the last byte: K + W of each,
 * of which the first sixteen are the same but for W[0]. The one thing in the core that is made and kept: when first so
 * many nodes come at once that its 64 KiB do not count, which take 60 us, most of it page faults. */
static uint32_t pad65[256][64] __attribute__((aligned(64)));
static pthread_once_t pad65_once = PTHREAD_ONCE_INIT;
static atomic_int pad65_made;

MC_TARGET_FAST static void make_pad65(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        __m128i m[4] = {_mm_cvtsi32_si128((int)(byte << 24 | 0x00800000u)), _mm_setzero_si128(), _mm_setzero_si128(),
                        _mm_set_epi32(65 * 8, 0, 0, 0)};
#pragma GCC unroll 16
        for (int t = 0; t < 16; t++) {
            _mm_store_si128((__m128i *)(void *)(pad65[byte] + 4 * t),
                            _mm_add_epi32(m[t % 4], load16(sha256_k + 4 * t)));
            schedule(m, t, 0);
        }
    }
    atomic_store_explicit(&pad65_made, 1, memory_order_release);
}

static int has_pad65(size_t n) {
    if (n >= TABLE_PAYS_FROM)
        pthread_once(&pad65_once, make_pad65);
    return atomic_load_explicit(&pad65_made, memory_order_acquire);
}

/* Compilers would take the two apart again: no rounds of either move across this. */
MC_INLINE void keep_order(ni_state a[PAIR], ni_state b[PAIR]) {
    for (int i = 0; i < PAIR; i++)
        __asm__ volatile("" : "+x"(a[i].cdgh), "+x"(b[i].cdgh));
}

/* Rounds keep one unit of these CPUs busy, schedules the others, and the second block of a node needs no schedule. So
 * that of two nodes goes beside the first blocks of the next two, in registers that four first blocks would not
 * leave. It takes a pass more than there are pairs: in the first there is no second block, in the last no node.
 *
 * Returns how many it has hashed, an even number or, where that would not pay, none. */
MC_INLINE size_t in_pairs(int is_prefixed, const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    const ni_state start = from_words(sha256_initial);
    const __m128i first = _mm_slli_si128(_mm_cvtsi32_si128(prefix), 15);
    ni_state before[PAIR] = {start, start};
    uint8_t last[PAIR] = {0, 0}; /* byte of each node */
    if (n < PAIRS_PAY_FROM || (is_prefixed && !has_pad65(n)))
        return 0;
    n -= n % PAIR;
    for (size_t at = 0; at <= n; at += PAIR) {
        ni_state s[PAIR] = {start, start}, ends[PAIR] = {before[0], before[1]};
        __m128i m[PAIR][4];
        const uint32_t *kw[PAIR] = {pad65[last[0]], pad65[last[1]]};
        const uint8_t *pair = in + SHA256_NODE * (at < n ? at : 0);
        for (int i = 0; i < PAIR; i++, pair += SHA256_NODE) {
            if (is_prefixed)
                load_behind(1, m[i], pair, first);
            else
                for (int j = 0; j < 4; j++)
                    m[i][j] = swap32(load16(pair + 16 * j));
            last[i] = pair[SHA256_NODE - 1];
        }
#pragma GCC unroll 16
        for (int t = 0; t < 16; t++) {
            group(PAIR, s, m, t, 0);
            keep_order(s, ends);
            if (is_prefixed && (t == 0 || t > 3))
                for (int i = 0; i < PAIR; i++)
                    rounds4(&ends[i], load16(kw[i] + 4 * t));
            else
                known_rounds4(PAIR, ends, load16((is_prefixed ? pad65[0] : sha256_pad64) + 4 * t));
            keep_order(s, ends);
        }
        for (int i = 0; i < PAIR; i++) {
            ends[i].abef = _mm_add_epi32(ends[i].abef, before[i].abef);
            ends[i].cdgh = _mm_add_epi32(ends[i].cdgh, before[i].cdgh);
            if (at > 0)
                store_digest(out + SHA256_DIGEST * (at - PAIR + (size_t)i), ends[i]);
            before[i].abef = _mm_add_epi32(s[i].abef, start.abef);
            before[i].cdgh = _mm_add_epi32(s[i].cdgh, start.cdgh);
        }
    }
    return n;
}

MC_TARGET_FAST static size_t nodes_in_pairs(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    return in_pairs(0, in, n, out, prefix);
}

MC_TARGET_FAST static size_t prefixed_nodes_in_pairs(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    return in_pairs(1, in, n, out, prefix);
}

#define PAIRED_KERNEL(stem, pairs)                                                                                    \
    MC_TARGET_FAST void stem##_fast_shani(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {                \
        const size_t now = pairs(in, n, out, prefix);                                                                 \
        stem##_fours(in + SHA256_NODE * now, n - now, out + SHA256_DIGEST * now, prefix);                             \
    }

PAIRED_KERNEL(sha256_node, nodes_in_pairs)
PAIRED_KERNEL(sha256_prefixed_node, prefixed_nodes_in_pairs)

MC_TARGET_FAST static void hash_four_digests(uint8_t *digests) {
    __m128i m[MC_WAYS][4];
    for (int i = 0; i < MC_WAYS; i++)
        for (int j = 0; j < 2; j++)
            m[i][j] = swap32(load16(digests + SHA256_DIGEST * i + 16 * j));
    hash_digests(MC_WAYS, m, digests);
}

MC_TARGET_FAST void sha256d_node_fast_shani(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    enum { MOST = 256 }; /* nodes: the digests are to stay in the first level of the cache */
    while (n >= PAIRS_PAY_FROM) {
        const size_t now = nodes_in_pairs(in, n < MOST ? n - n % MC_WAYS : MOST, out, prefix);
        for (size_t i = 0; i < now; i += MC_WAYS)
            hash_four_digests(out + SHA256_DIGEST * i);
        in += SHA256_NODE * now;
        out += SHA256_DIGEST * now;
        n -= now;
    }
    sha256d_node_fours(in, n, out, prefix);
}

#else
typedef int mc_no_shani_nodes; /* an empty translation unit is not ISO C */
#endif
