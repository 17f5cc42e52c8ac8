/* SHA-256 on the SHA extensions: several messages at a time, because sha256rnds2 takes four cycles to finish. Two
 * fill it where one can start every second or third cycle; four where one can start every cycle (MC_FAST_SHA).
 *
 * The instruction wants the state as (A B E F) and (C D G H). Each function below is written for `ways` independent
 * messages, a constant wherever it is called, so that the loops over `ways` unroll and interleave. */
#include "isa.h"

#if MC_X86_64

#include "../hash/sha256.h"
#include "../merklecore.h"

#include <immintrin.h>
#include <string.h>

#define MC_ISA_NAME shani
#define MC_TARGET __attribute__((target("sha,sse4.1,ssse3")))
/* Four messages want more than 16 registers and spill; instructions of three operands, which the CPUs concerned have,
 * save the copies that would come on top. */
#define MC_TARGET_FAST __attribute__((target("sha,avx2")))

enum { MC_WAYS = 4 };

typedef struct ni_state {
    __m128i abef, cdgh;
} ni_state;

MC_INLINE __m128i load16(const void *p) { return _mm_loadu_si128((const __m128i *)p); }

MC_INLINE __m128i swap32(__m128i x) {
    return _mm_shuffle_epi8(x, _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3));
}

MC_INLINE ni_state from_words(const uint32_t words[8]) {
    __m128i dcba = _mm_shuffle_epi32(load16(words), 0xb1), hgfe = _mm_shuffle_epi32(load16(words + 4), 0x1b);
    return (ni_state){_mm_alignr_epi8(dcba, hgfe, 8), _mm_blend_epi16(hgfe, dcba, 0xf0)};
}

/* The words in order: A B C D, E F G H. */
MC_INLINE void in_order(ni_state s, __m128i *abcd, __m128i *efgh) {
    __m128i feba = _mm_shuffle_epi32(s.abef, 0x1b), dchg = _mm_shuffle_epi32(s.cdgh, 0xb1);
    *abcd = _mm_blend_epi16(feba, dchg, 0xf0);
    *efgh = _mm_alignr_epi8(dchg, feba, 8);
}

/* Four rounds with K + W given. */
MC_INLINE void rounds4(ni_state *s, __m128i kw) {
    s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, kw);
    s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, _mm_shuffle_epi32(kw, 0x0e));
}

/* Four rounds of all messages, with the same K + W. */
MC_INLINE void known_rounds4(int ways, ni_state s[], __m128i kw) {
    const __m128i high = _mm_shuffle_epi32(kw, 0x0e);
    for (int i = 0; i < ways; i++)
        s[i].cdgh = _mm_sha256rnds2_epu32(s[i].cdgh, s[i].abef, kw);
    for (int i = 0; i < ways; i++)
        s[i].abef = _mm_sha256rnds2_epu32(s[i].abef, s[i].cdgh, high);
}

/* Group t of four rounds. m[i][t % 4] holds its words, the rest of m those before and what is to become of them. Bit t
 * of `idle`: the words in groups t - 1 and t are such that s0 adds nothing. */
MC_INLINE void group(int ways, ni_state s[], __m128i m[][4], int t, unsigned idle) {
    const __m128i k = load16(sha256_k + 4 * t);
    for (int i = 0; i < ways; i++) {
        __m128i *now = &m[i][t % 4], *next = &m[i][(t + 1) % 4], *last = &m[i][(t + 3) % 4];
        rounds4(&s[i], _mm_add_epi32(*now, k));
        if (t >= 3 && t < 15)
            *next = _mm_sha256msg2_epu32(_mm_add_epi32(*next, _mm_alignr_epi8(*now, *last, 4)), *now);
        if (t >= 1 && t < 13 && !(idle >> t & 1))
            *last = _mm_sha256msg1_epu32(*last, *now);
    }
}

/* Groups [from, 16); the words of the groups before `from` that the schedule needs have been made. */
MC_INLINE void groups(int ways, ni_state s[], __m128i m[][4], int from, unsigned idle) {
#pragma GCC unroll 16
    for (int t = from; t < 16; t++)
        group(ways, s, m, t, idle);
}

/* One block, its words in m. */
MC_INLINE void block(int ways, ni_state s[], __m128i m[][4], unsigned idle) {
    ni_state before[MC_WAYS];
    for (int i = 0; i < ways; i++)
        before[i] = s[i];
    groups(ways, s, m, 0, idle);
    for (int i = 0; i < ways; i++) {
        s[i].abef = _mm_add_epi32(s[i].abef, before[i].abef);
        s[i].cdgh = _mm_add_epi32(s[i].cdgh, before[i].cdgh);
    }
}

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

MC_INLINE void store_digest(uint8_t *out, ni_state s) {
    __m128i abcd, efgh;
    in_order(s, &abcd, &efgh);
    _mm_storeu_si128((__m128i *)(void *)out, swap32(abcd));
    _mm_storeu_si128((__m128i *)(void *)(out + 16), swap32(efgh));
}

/* SHA-256 of digests, of which m has the words in its first half. */
MC_INLINE void hash_digests(int ways, __m128i m[][4], uint8_t *out) {
    const ni_state start = from_words(sha256_initial);
    ni_state s[MC_WAYS] = {start, start, start, start};
    for (int i = 0; i < ways; i++) {
        m[i][2] = _mm_set_epi32(0, 0, 0, (int)0x80000000u);
        m[i][3] = _mm_set_epi32(32 * 8, 0, 0, 0);
    }
    block(ways, s, m, 1 << 3);
    for (int i = 0; i < ways; i++)
        store_digest(out + 32 * i, s[i]);
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

/* The words of a node behind its prefix, that is, one byte later. Four nodes, which come from memory at rest, are read
 * from one byte before; a single one may have been written a moment ago, and such loads, of what two stores wrote,
 * would wait for them. */
MC_INLINE void load_behind(int ways, __m128i m[4], const uint8_t *in, __m128i first) {
    __m128i before = load16(in);
    m[0] = swap32(_mm_alignr_epi8(before, first, 15));
    for (int j = 1; j < 4; j++) {
        if (ways == 4) {
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
    for (int i = 0; i < ways; i++) {
        load_behind(ways, m[i], in + 64 * i, first);
    }
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

MC_TARGET_FAST void sha256_node_fast_shani(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    sha256_node_fours(in, n, out, prefix);
}

MC_TARGET_FAST void sha256_prefixed_node_fast_shani(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    sha256_prefixed_node_fours(in, n, out, prefix);
}

/* Rounds keep one unit of these CPUs busy, schedules the others, and the padding of a node has no schedule. So the
 * padding of two nodes goes beside the first blocks of the next two, in registers that four first blocks would not
 * leave. It takes a pass more than there are pairs: in the first there is no padding, in the last no node. */
enum { PAIR = 2 };

/* Compilers would take the two apart again: no rounds of either move across this. */
MC_INLINE void keep_order(ni_state a[PAIR], ni_state b[PAIR]) {
    for (int i = 0; i < PAIR; i++)
        __asm__ volatile("" : "+x"(a[i].cdgh), "+x"(b[i].cdgh));
}

/* n is even. */
MC_TARGET_FAST static void nodes_in_pairs(const uint8_t *in, size_t n, uint8_t *out) {
    const ni_state start = from_words(sha256_initial);
    ni_state before[PAIR] = {start, start};
    for (size_t at = 0; at <= n; at += PAIR) {
        ni_state s[PAIR] = {start, start}, ends[PAIR] = {before[0], before[1]};
        __m128i m[PAIR][4];
        const uint8_t *pair = in + SHA256_NODE * (at < n ? at : 0);
        for (int i = 0; i < PAIR; i++)
            for (int j = 0; j < 4; j++)
                m[i][j] = swap32(load16(pair + SHA256_NODE * i + 16 * j));
#pragma GCC unroll 16
        for (int t = 0; t < 16; t++) {
            group(PAIR, s, m, t, 0);
            keep_order(s, ends);
            known_rounds4(PAIR, ends, load16(sha256_pad64 + 4 * t));
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
}

MC_TARGET_FAST static void hash_four_digests(uint8_t *digests) {
    __m128i m[MC_WAYS][4];
    for (int i = 0; i < MC_WAYS; i++)
        for (int j = 0; j < 2; j++)
            m[i][j] = swap32(load16(digests + SHA256_DIGEST * i + 16 * j));
    hash_digests(MC_WAYS, m, digests);
}

MC_TARGET_FAST void sha256d_node_fast_shani(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    enum { PAYS_FROM = 16, MOST = 256 }; /* nodes: the digests are to stay in the first level of the cache */
    while (n >= PAYS_FROM) {
        const size_t now = n < MOST ? n - n % MC_WAYS : MOST;
        nodes_in_pairs(in, now, out);
        for (size_t i = 0; i < now; i += MC_WAYS)
            hash_four_digests(out + SHA256_DIGEST * i);
        in += SHA256_NODE * now;
        out += SHA256_DIGEST * now;
        n -= now;
    }
    sha256d_node_fours(in, n, out, prefix);
}

MC_INLINE void store_words(uint32_t words[8], ni_state s) {
    __m128i abcd, efgh;
    in_order(s, &abcd, &efgh);
    _mm_storeu_si128((__m128i *)(void *)words, abcd);
    _mm_storeu_si128((__m128i *)(void *)(words + 4), efgh);
}

MC_INLINE void compress(int ways, void *state, const uint8_t *const *blocks, size_t n) {
    uint32_t (*words)[8] = state;
    const uint8_t *at[MC_WAYS];
    ni_state s[MC_WAYS];
    for (int i = 0; i < ways; i++) {
        s[i] = from_words(words[i]);
        at[i] = blocks[i];
    }
    for (; n > 0; n--) {
        __m128i m[MC_WAYS][4];
        for (int i = 0; i < ways; i++) {
            for (int j = 0; j < 4; j++)
                m[i][j] = swap32(load16(at[i] + 16 * j));
            at[i] += SHA256_BLOCK;
        }
        block(ways, s, m, 0);
    }
    for (int i = 0; i < ways; i++)
        store_words(words[i], s[i]);
}

/* What the messages share, they share in registers: three quarters of the words, and what K adds to them. */
MC_INLINE void compress_end(int ways, void *state, const uint8_t *const *blocks) {
    uint32_t (*words)[8] = state;
    __m128i m[MC_WAYS][4];
    ni_state s[MC_WAYS];
    for (int i = 0; i < ways; i++) {
        s[i] = from_words(words[i]);
        for (int j = 0; j < 4; j++)
            m[i][j] = swap32(load16(blocks[j == 0 ? i : 0] + 16 * j));
    }
    block(ways, s, m, 1 << 2 | 1 << 3);
    for (int i = 0; i < ways; i++)
        store_words(words[i], s[i]);
}

MC_INLINE void digests(int ways, const void *state, uint8_t *out) {
    const uint32_t (*words)[8] = state;
    for (int i = 0; i < ways; i++)
        for (int j = 0; j < 2; j++)
            _mm_storeu_si128((__m128i *)(void *)(out + 32 * i + 16 * j), swap32(load16(words[i] + 4 * j)));
}

/* Straight on from the last blocks, in registers, would take longer: there are not enough of them. */
MC_INLINE void digests_twice(int ways, const void *state, uint8_t *out) {
    const uint32_t (*words)[8] = state;
    __m128i m[MC_WAYS][4];
    for (int i = 0; i < ways; i++)
        for (int j = 0; j < 2; j++)
            m[i][j] = load16(words[i] + 4 * j);
    hash_digests(ways, m, out);
}

/* ---- double hashes of messages whose last block is nearly empty ------------------------------------------------- */

/* A block of which W[4 * varying ..] are the same in all messages or nothing: the bit that ends a message, zeros in
 * W[9..14], the length. `second` is W[4..7] where only the first four vary, `bits` W[12..15]. What these add to the
 * rounds and to the schedule is not computed for each message, and where they add nothing not at all. */
MC_INLINE void block_ending(int ways, ni_state s[], __m128i m[][4], int varying, __m128i second,
                            const __m128i bits[]) {
    const __m128i end = _mm_cvtsi32_si128((int)0x80000000u);
    ni_state before[MC_WAYS];
    for (int i = 0; i < ways; i++) {
        before[i] = s[i];
        rounds4(&s[i], _mm_add_epi32(m[i][0], load16(sha256_k)));
    }
    if (varying == 2) {
        for (int i = 0; i < ways; i++) {
            rounds4(&s[i], _mm_add_epi32(m[i][1], load16(sha256_k + 4)));
            m[i][0] = _mm_sha256msg1_epu32(m[i][0], m[i][1]);
            m[i][1] = _mm_sha256msg1_epu32(m[i][1], end);
        }
        known_rounds4(ways, s, _mm_add_epi32(load16(sha256_k + 8), end));
    } else {
        known_rounds4(ways, s, _mm_add_epi32(load16(sha256_k + 4), second));
        for (int i = 0; i < ways; i++) {
            m[i][0] = _mm_sha256msg1_epu32(m[i][0], second);
            m[i][1] = second;
        }
        known_rounds4(ways, s, load16(sha256_k + 8));
    }
    for (int i = 0; i < ways; i++) {
        rounds4(&s[i], _mm_add_epi32(bits[i], load16(sha256_k + 12)));
        m[i][0] = _mm_sha256msg2_epu32(m[i][0], bits[i]);
    }
    for (int i = 0; i < ways; i++) {
        rounds4(&s[i], _mm_add_epi32(m[i][0], load16(sha256_k + 16)));
        m[i][1] = _mm_sha256msg2_epu32(_mm_add_epi32(m[i][1], _mm_alignr_epi8(m[i][0], bits[i], 4)), m[i][0]);
        m[i][3] = _mm_sha256msg1_epu32(bits[i], m[i][0]);
    }
    for (int i = 0; i < ways; i++) {
        const __m128i shifted = _mm_alignr_epi8(m[i][1], m[i][0], 4);
        rounds4(&s[i], _mm_add_epi32(m[i][1], load16(sha256_k + 20)));
        m[i][2] = _mm_sha256msg2_epu32(varying == 2 ? _mm_add_epi32(end, shifted) : shifted, m[i][1]);
        m[i][0] = _mm_sha256msg1_epu32(m[i][0], m[i][1]);
    }
    groups(ways, s, m, 6, 0);
    for (int i = 0; i < ways; i++) {
        s[i].abef = _mm_add_epi32(s[i].abef, before[i].abef);
        s[i].cdgh = _mm_add_epi32(s[i].cdgh, before[i].cdgh);
    }
}

MC_INLINE void store_digests_of(int ways, ni_state s[], uint8_t *out) {
    const ni_state start = from_words(sha256_initial);
    const __m128i length = _mm_set_epi32(SHA256_DIGEST * 8, 0, 0, 0), bits[MC_WAYS] = {length, length, length, length};
    __m128i m[MC_WAYS][4];
    for (int i = 0; i < ways; i++) {
        in_order(s[i], &m[i][0], &m[i][1]);
        s[i] = start;
    }
    block_ending(ways, s, m, 2, length, bits);
    for (int i = 0; i < ways; i++)
        store_digest(out + SHA256_DIGEST * i, s[i]);
}

/* 80 bytes: headers of blocks. */
MC_INLINE void headers_twice(int ways, const uint8_t *const *messages, uint8_t *out) {
    const ni_state start = from_words(sha256_initial);
    const __m128i end = _mm_cvtsi32_si128((int)0x80000000u), length = _mm_set_epi32(80 * 8, 0, 0, 0);
    const __m128i bits[MC_WAYS] = {length, length, length, length};
    ni_state s[MC_WAYS] = {start, start, start, start};
    __m128i m[MC_WAYS][4];
    for (int i = 0; i < ways; i++)
        for (int j = 0; j < 4; j++)
            m[i][j] = swap32(load16(messages[i] + 16 * j));
    block(ways, s, m, 0);
    for (int i = 0; i < ways; i++)
        m[i][0] = swap32(load16(messages[i] + SHA256_BLOCK));
    block_ending(ways, s, m, 1, end, bits);
    store_digests_of(ways, s, out);
}

/* 8 to 15 bytes each, as two words of which the second overlaps the first: the least transactions. */
MC_INLINE void tiny_twice(int ways, const mc_span *messages, uint8_t *out) {
    const ni_state start = from_words(sha256_initial);
    ni_state s[MC_WAYS] = {start, start, start, start};
    __m128i m[MC_WAYS][4], bits[MC_WAYS];
    for (int i = 0; i < ways; i++) {
        const unsigned more = 8 * (unsigned)(messages[i].size - 8); /* bits behind the first word: at most 56 */
        const uint64_t first = mc_le64(messages[i].data), last = mc_le64(messages[i].data + more / 8);
        const uint64_t second = (uint64_t)0x80 << more | (more > 0 ? last >> (64 - more) : 0);
        m[i][0] = swap32(_mm_set_epi64x((int64_t)second, (int64_t)first));
        bits[i] = _mm_slli_si128(_mm_cvtsi32_si128((int)(64 + more)), 12);
    }
    block_ending(ways, s, m, 1, _mm_setzero_si128(), bits);
    store_digests_of(ways, s, out);
}

/* Rows of one digest behind a prefix of a byte, the leaves of most trees: a single block, made in registers, of which
 * W[9..14] are zero. */
MC_INLINE void rows(int ways, const uint8_t *in, uint8_t *out, uint8_t prefix) {
    const ni_state start = from_words(sha256_initial);
    const __m128i first = _mm_slli_si128(_mm_cvtsi32_si128(prefix), 15);
    ni_state s[MC_WAYS] = {start, start, start, start};
    __m128i m[MC_WAYS][4];
    for (int i = 0; i < ways; i++) {
        const uint8_t *row = in + SHA256_DIGEST * i;
        const __m128i half = load16(row);
        m[i][0] = swap32(_mm_alignr_epi8(half, first, 15));
        m[i][1] = swap32(_mm_alignr_epi8(load16(row + 16), half, 15));
        m[i][2] = _mm_cvtsi32_si128((int)((uint32_t)row[31] << 24 | 0x00800000u));
        m[i][3] = _mm_set_epi32((1 + SHA256_DIGEST) * 8, 0, 0, 0);
    }
    block(ways, s, m, 1 << 3);
    for (int i = 0; i < ways; i++)
        store_digest(out + SHA256_DIGEST * i, s[i]);
}

MC_INLINE void bare_rows(int ways, const uint8_t *in, uint8_t *out) {
    __m128i m[MC_WAYS][4];
    for (int i = 0; i < ways; i++)
        for (int j = 0; j < 2; j++)
            m[i][j] = swap32(load16(in + SHA256_DIGEST * i + 16 * j));
    hash_digests(ways, m, out);
}

#define MESSAGE_KERNEL(name, ways, target)                                                                            \
    target static void name##_compress(void *state, const uint8_t *const *blocks, size_t n) {                         \
        compress(ways, state, blocks, n);                                                                             \
    }                                                                                                                 \
    target static void name##_compress_end(void *state, const uint8_t *const *blocks) {                               \
        compress_end(ways, state, blocks);                                                                            \
    }                                                                                                                 \
    target static void name##_digests(const void *state, uint8_t *out) { digests(ways, state, out); }                 \
    target static void name##_digests_twice(const void *state, uint8_t *out) { digests_twice(ways, state, out); }     \
    target static void name##_headers_twice(const uint8_t *const *messages, uint8_t *out) {                           \
        headers_twice(ways, messages, out);                                                                           \
    }                                                                                                                 \
    target static void name##_tiny_twice(const mc_span *messages, uint8_t *out) { tiny_twice(ways, messages, out); }  \
    target static void name##_rows(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {                       \
        for (; n > 0; n -= ways, in += ways * SHA256_DIGEST, out += ways * SHA256_DIGEST)                             \
            rows(ways, in, out, prefix);                                                                              \
    }                                                                                                                 \
    target static void name##_bare_rows(const uint8_t *in, size_t n, uint8_t *out) {                                  \
        for (; n > 0; n -= ways, in += ways * SHA256_DIGEST, out += ways * SHA256_DIGEST)                             \
            bare_rows(ways, in, out);                                                                                 \
    }                                                                                                                 \
    const mc_lanes name = {                                                                                           \
        .word_stride = sizeof(uint32_t),                                                                              \
        .lane_stride = sizeof(uint32_t[8]),                                                                           \
        .compress = name##_compress,                                                                                  \
        .digests = name##_digests,                                                                                    \
        .digests_twice = name##_digests_twice,                                                                        \
        .compress_end = name##_compress_end,                                                                          \
        .headers_twice = name##_headers_twice,                                                                        \
        .tiny_twice = name##_tiny_twice,                                                                              \
        .rows = name##_rows,                                                                                          \
        .bare_rows = name##_bare_rows,                                                                                \
    };

/* Four messages are no slower than two where registers are spilled, and a sixth faster on Zen 3. */
MESSAGE_KERNEL(sha256_messages_one_shani, 1, MC_TARGET)
MESSAGE_KERNEL(sha256_messages_two_shani, 2, MC_TARGET)
MESSAGE_KERNEL(sha256_messages_four_shani, 4, MC_TARGET)
MESSAGE_KERNEL(sha256_messages_fast_shani, 4, MC_TARGET_FAST)

#else
typedef int mc_no_shani; /* an empty translation unit is not ISO C */
#endif
