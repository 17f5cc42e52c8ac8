/* BLAKE3 of messages longer than a chunk (the BLAKE3 paper, section 2.1).
 *
 * Chunks are hashed side by side, each from a state of its own number, then joined pair by pair. The tree is the one
 * of RFC 6962: what stands over 2^k aligned chunks depends on nothing else, and at the right edge the peaks, one for
 * each set bit of the number of chunks, are folded from the right. Only the node over all chunks is marked as the
 * root. */
#include "hash/blake3.h"
#include "merklecore.h"
#include "state.h"

#include <string.h>

enum { GROUP = MC_GROUP_BYTES / BLAKE3_CHUNK }; /* chunks at a time: they fill the lanes of a few levels above, too */

typedef struct message { /* prefix and data, as one */
    const uint8_t *prefix, *data;
    size_t prefix_bytes, bytes; /* of the prefix, of all */
    uint8_t copy[BLAKE3_CHUNK]; /* of the one chunk that begins in the prefix and ends in the data */
} message;

static const uint8_t *chunk_at(message *m, size_t at, size_t bytes) {
    if (at >= m->prefix_bytes)
        return m->data + (at - m->prefix_bytes);
    if (at + bytes <= m->prefix_bytes)
        return m->prefix + at;
    const size_t before = m->prefix_bytes - at;
    memcpy(m->copy, m->prefix + at, before);
    memcpy(m->copy + before, m->data, bytes - before);
    return m->copy;
}

/* A state for n lanes: the same words but for the numbers, which go up from `number` where they are counted. Word by
 * word, each for as many lanes as there can be: what is too much of one stands where the next is put. */
static void fill(const mc_kernel *row, uint8_t *state, size_t n, uint32_t bytes, uint64_t number, int counted,
                 uint32_t first, uint32_t last) {
    uint32_t words[BLAKE3_WORDS], same[MC_MAX_LANES];
    memcpy(words, blake3_initial, sizeof words);
    words[BLAKE3_LEFT] = bytes;
    words[BLAKE3_FIRST] = first;
    words[BLAKE3_LAST] = last;
    for (size_t i = 0; i < BLAKE3_WORDS; i++) {
        for (size_t j = 0; j < MC_MAX_LANES; j++)
            same[j] = words[i];
        memcpy(state + i * row->run->word_stride, same, sizeof same);
    }
    for (size_t j = 0; j < row->lanes; j++) {
        const uint64_t mine = number + (counted && j < n ? j : 0);
        const uint32_t low = (uint32_t)mine, high = (uint32_t)(mine >> 32);
        uint8_t *lane = state + j * row->run->lane_stride;
        memcpy(lane + BLAKE3_NUMBER * row->run->word_stride, &low, sizeof low);
        memcpy(lane + BLAKE3_NUMBER_HIGH * row->run->word_stride, &high, sizeof high);
    }
}

/* The digests of the first n lanes. */
static void take(const mc_kernel *row, const uint8_t *state, size_t n, uint8_t *out) {
    uint8_t all[MC_MAX_LANES * BLAKE3_DIGEST];
    if (n == row->lanes) {
        row->run->digests(state, out);
        return;
    }
    row->run->digests(state, all);
    memcpy(out, all, n * BLAKE3_DIGEST);
}

/* Compresses a chunk in each lane, the first of which stands at `from`. A chunk is over before the CPU has seen that
 * it is read in order: so, a piece at a time, the chunks of the next pass are asked for. */
static void compress_chunks(const message *m, size_t from, const mc_kernel *row, uint8_t *state, const uint8_t *at[]) {
    enum { PIECE = 4 * BLAKE3_BLOCK };
    const size_t next = from + row->lanes * BLAKE3_CHUNK;
    size_t n = next < m->prefix_bytes || next > m->bytes ? 0 : (m->bytes - next) / BLAKE3_CHUNK;
    n = n < row->lanes ? n : row->lanes;
    for (size_t done = 0; done < BLAKE3_CHUNK; done += PIECE) {
        for (size_t j = 0; j < n; j++)
            for (size_t i = 0; i < PIECE; i += BLAKE3_BLOCK)
                __builtin_prefetch(m->data + (next - m->prefix_bytes) + j * BLAKE3_CHUNK + done + i);
        row->run->compress(state, at, PIECE / BLAKE3_BLOCK);
        for (size_t j = 0; j < row->lanes; j++)
            at[j] += PIECE;
    }
}

/* n whole chunks that stand at `from`, the first of them number `first`. */
static void hash_chunks(message *m, size_t from, uint64_t first, size_t n, uint8_t *out, uint32_t isas) {
    uint8_t state[MC_LANES_BYTES] __attribute__((aligned(64)));
    const uint8_t *at[MC_MAX_LANES];
    while (n > 0) {
        const mc_kernel *row = mc_pick(MC_BLAKE3, MC_MESSAGES, n, isas);
        const size_t now = n < row->lanes ? n : row->lanes;
        for (size_t j = 0; j < row->lanes; j++)
            at[j] = j < now ? chunk_at(m, from + j * BLAKE3_CHUNK, BLAKE3_CHUNK) : at[0];
        fill(row, state, now, BLAKE3_CHUNK, first, 1, BLAKE3_CHUNK_START, BLAKE3_CHUNK_END);
        compress_chunks(m, from, row, state, at);
        take(row, state, now, out);
        from += now * BLAKE3_CHUNK;
        first += now;
        n -= now;
        out += now * BLAKE3_DIGEST;
    }
}

/* The last chunk, of fewer bytes. */
static void hash_rest(message *m, size_t from, uint64_t number, size_t bytes, uint8_t *out, uint32_t isas) {
    const mc_kernel *row = mc_pick(MC_BLAKE3, MC_MESSAGES, 1, isas);
    uint8_t state[MC_LANES_BYTES] __attribute__((aligned(64))), chunk[BLAKE3_CHUNK];
    const uint8_t *at[MC_MAX_LANES];
    memcpy(chunk, chunk_at(m, from, bytes), bytes);
    memset(chunk + bytes, 0, BLAKE3_CHUNK - bytes);
    for (size_t j = 0; j < row->lanes; j++)
        at[j] = chunk;
    fill(row, state, 1, (uint32_t)bytes, number, 0, BLAKE3_CHUNK_START, BLAKE3_CHUNK_END);
    row->run->compress(state, at, (bytes + BLAKE3_BLOCK - 1) / BLAKE3_BLOCK);
    take(row, state, 1, out);
}

/* n parents of 2n nodes; `out` may be `nodes`. */
static void hash_parents(const uint8_t *nodes, size_t n, uint8_t *out, int root, uint32_t isas) {
    uint8_t state[MC_LANES_BYTES] __attribute__((aligned(64)));
    const uint8_t *at[MC_MAX_LANES];
    while (n > 0) {
        const mc_kernel *row = mc_pick(MC_BLAKE3, MC_MESSAGES, n, isas);
        const size_t now = n < row->lanes ? n : row->lanes;
        for (size_t j = 0; j < row->lanes; j++)
            at[j] = nodes + (j < now ? j : 0) * BLAKE3_BLOCK;
        fill(row, state, now, BLAKE3_BLOCK, 0, 0, BLAKE3_PARENT, root ? BLAKE3_ROOT : 0);
        row->run->compress(state, at, 1);
        take(row, state, now, out);
        nodes += now * BLAKE3_BLOCK;
        n -= now;
        out += now * BLAKE3_DIGEST;
    }
}

static void join(const uint8_t *left, const uint8_t *right, uint8_t *out, int root, uint32_t isas) {
    uint8_t pair[2 * BLAKE3_DIGEST];
    memcpy(pair, left, BLAKE3_DIGEST);
    memcpy(pair + BLAKE3_DIGEST, right, BLAKE3_DIGEST);
    hash_parents(pair, 1, out, root, isas);
}

/* Puts the next group of chunks, `bytes` at `from`, behind those in the tree. `total` is the number of chunks of the
 * whole message; more than any where that is not known and the message goes on. */
static void add_group(mc_chunks *tree, message *m, size_t from, size_t bytes, uint64_t total, uint32_t isas) {
    const size_t whole = bytes / BLAKE3_CHUNK, rest = bytes % BLAKE3_CHUNK;
    uint8_t nodes[GROUP * BLAKE3_DIGEST];
    hash_chunks(m, from, tree->chunks, whole, nodes, isas);
    if (rest > 0)
        hash_rest(m, from + bytes - rest, tree->chunks + whole, rest, nodes + whole * BLAKE3_DIGEST, isas);
    size_t n = whole + (rest > 0);
    unsigned k = 0;
    for (; n > 1; k++, n /= 2) { /* of an odd level the last is a peak, with nothing to its right */
        if (n % 2)
            memcpy(tree->peak[k], nodes + (n - 1) * BLAKE3_DIGEST, BLAKE3_DIGEST);
        hash_parents(nodes, n / 2, nodes, total == (uint64_t)2 << k, isas);
    }
    for (; tree->chunks >> k & 1; k++)
        join(tree->peak[k], nodes, nodes, total == (uint64_t)2 << k, isas);
    memcpy(tree->peak[k], nodes, BLAKE3_DIGEST);
    tree->chunks += whole + (rest > 0);
}

/* Folds the peaks over all chunks, two at least. */
static void fold(const mc_chunks *tree, uint8_t *out, uint32_t isas) {
    unsigned k = (unsigned)__builtin_ctzll(tree->chunks);
    memcpy(out, tree->peak[k], BLAKE3_DIGEST);
    for (uint64_t above = tree->chunks & (tree->chunks - 1); above != 0; above &= above - 1) {
        k = (unsigned)__builtin_ctzll(above);
        join(tree->peak[k], out, out, (above & (above - 1)) == 0, isas);
    }
}

mc_status mc_hash_chunks(const uint8_t *prefix, size_t prefix_bytes, const uint8_t *data, size_t size, uint8_t *out,
                         uint32_t isas) {
    message m = {.prefix = prefix, .prefix_bytes = prefix_bytes, .data = data, .bytes = prefix_bytes + size};
    const size_t bytes = m.bytes;
    const uint64_t total = (bytes + BLAKE3_CHUNK - 1) / BLAKE3_CHUNK;
    mc_chunks tree;
    tree.chunks = 0;
    if (mc_pick(MC_BLAKE3, MC_MESSAGES, 1, isas) == NULL)
        return MC_NO_KERNEL;
    for (size_t from = 0; from < bytes; from += MC_GROUP_BYTES)
        add_group(&tree, &m, from, bytes - from < MC_GROUP_BYTES ? bytes - from : MC_GROUP_BYTES, total, isas);
    fold(&tree, out, isas);
    return MC_OK;
}

void mc_chunks_add(mc_chunks *tree, const uint8_t *group, uint32_t isas) {
    message m = {.data = group, .bytes = MC_GROUP_BYTES};
    add_group(tree, &m, 0, MC_GROUP_BYTES, UINT64_MAX, isas);
}

void mc_chunks_end(const mc_chunks *tree, const uint8_t *data, size_t bytes, uint8_t *out, uint32_t isas) {
    message m = {.data = data, .bytes = bytes};
    mc_chunks all = *tree;
    add_group(&all, &m, 0, bytes, all.chunks + (bytes + BLAKE3_CHUNK - 1) / BLAKE3_CHUNK, isas);
    fold(&all, out, isas);
}
