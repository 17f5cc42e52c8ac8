/* Batches of nodes and messages over the lanes of the kernels.
 *
 * A kernel knows blocks; this file knows messages. A message becomes at most three runs of blocks:
 *
 *     head   what is left of the prefix, filled up with the first bytes of the message   (a copy)
 *     body   whole blocks, read where they stand
 *     tail   the last bytes and the padding                                              (a copy)
 *
 * Messages of one length walk through these together. Of mixed lengths, each lane has a message of its own and takes
 * the next one when it ends; when none is left and too few lanes are busy to pay for a wide pass, the messages under
 * way move, with their state, to the next kernel of the table. */
#include "merklecore.h"

#include <string.h>

enum { MAX_STATE = 25 * 8 * MC_MAX_LANES, SCRATCH = 3 * MC_MAX_BLOCK };

/* The state after the whole blocks of a prefix, and the bytes that are left of it. */
typedef struct start {
    const mc_hash *hash;
    uint8_t words[25 * 8] __attribute__((aligned(8)));
    const uint8_t *rest;
    size_t rest_bytes;
    size_t absorbed;
} start;

/* memcpy, inlined: most copies here are shorter than a block, and a call costs more than they do. */
static inline __attribute__((always_inline)) void copy(uint8_t *to, const uint8_t *from, size_t n) {
    if (n >= 32) {
        for (size_t i = 0; i + 32 < n; i += 32)
            memcpy(to + i, from + i, 32);
        memcpy(to + n - 32, from + n - 32, 32);
    } else if (n >= 16) {
        memcpy(to, from, 16);
        memcpy(to + n - 16, from + n - 16, 16);
    } else if (n >= 8) {
        memcpy(to, from, 8);
        memcpy(to + n - 8, from + n - 8, 8);
    } else if (n >= 4) {
        memcpy(to, from, 4);
        memcpy(to + n - 4, from + n - 4, 4);
    } else {
        for (size_t i = 0; i < n; i++)
            to[i] = from[i];
    }
}

static inline __attribute__((always_inline)) void put_words(const mc_hash *hash, const mc_lanes *run, uint8_t *state,
                                                            size_t lane, const uint8_t *words) {
    uint8_t *at = state + lane * run->lane_stride;
    if (run->word_stride == hash->word_bytes)
        copy(at, words, (size_t)hash->word_bytes * hash->state_words);
    else if (hash->word_bytes == 4)
        for (size_t w = 0; w < hash->state_words; w++)
            memcpy(at + w * run->word_stride, words + 4 * w, 4);
    else
        for (size_t w = 0; w < hash->state_words; w++)
            memcpy(at + w * run->word_stride, words + 8 * w, 8);
}

static inline __attribute__((always_inline)) void get_words(const mc_hash *hash, const mc_lanes *run,
                                                            const uint8_t *state, size_t lane, uint8_t *words) {
    const uint8_t *at = state + lane * run->lane_stride;
    if (run->word_stride == hash->word_bytes)
        copy(words, at, (size_t)hash->word_bytes * hash->state_words);
    else if (hash->word_bytes == 4)
        for (size_t w = 0; w < hash->state_words; w++)
            memcpy(words + 4 * w, at + w * run->word_stride, 4);
    else
        for (size_t w = 0; w < hash->state_words; w++)
            memcpy(words + 8 * w, at + w * run->word_stride, 8);
}

static void begin_with_prefix(start *begin, const mc_kernel *row, const mc_hash *hash, const uint8_t *prefix,
                              size_t prefix_bytes) {
    const size_t blocks = prefix_bytes / hash->block_bytes;
    begin->hash = hash;
    begin->absorbed = blocks * hash->block_bytes;
    begin->rest_bytes = prefix_bytes - begin->absorbed;
    begin->rest = begin->rest_bytes > 0 ? prefix + begin->absorbed : NULL;
    memcpy(begin->words, hash->initial, (size_t)hash->word_bytes * hash->state_words);
    if (blocks == 0)
        return;
    uint8_t state[MAX_STATE] __attribute__((aligned(64)));
    const uint8_t *at[MC_MAX_LANES];
    for (size_t j = 0; j < row->lanes; j++) {
        at[j] = prefix;
        put_words(hash, row->run, state, j, begin->words);
    }
    row->run->compress(state, at, blocks);
    get_words(hash, row->run, state, 0, begin->words);
}

/* ---- messages of one length ------------------------------------------------------------------------------------ */

static inline __attribute__((always_inline)) const uint8_t *message_at(const mc_messages *messages, size_t i) {
    return messages->spans != NULL ? messages->spans[i].data : messages->rows + i * messages->width;
}

static void hash_equal_lengths(const start *begin, const mc_kernel *row, const mc_messages *messages, size_t first,
                               size_t n, uint8_t *out) {
    const mc_hash *hash = begin->hash;
    const mc_lanes *run = row->run;
    const size_t d = hash->digest_bytes, block = hash->block_bytes, lanes = row->lanes;
    const size_t width = messages->width, rest = begin->rest_bytes;
    const int joined = rest > 0 && rest + width < block; /* what is left of the prefix meets the tail itself */
    const size_t head = rest > 0 && !joined ? block - rest : 0;
    const size_t body_blocks = joined ? 0 : (width - head) / block;
    const size_t left = width - head - body_blocks * block;

    /* Each lane's copies of head and tail stand side by side. The padding is the same for all and written once. */
    uint8_t scratch[MC_MAX_LANES][SCRATCH] __attribute__((aligned(64)));
    uint8_t state[MAX_STATE] __attribute__((aligned(64))), initial[MAX_STATE] __attribute__((aligned(64)));
    const size_t state_bytes = lanes * hash->state_words * hash->word_bytes;
    const size_t tail_at = head > 0 ? block : 0, left_at = tail_at + (joined ? rest : 0);
    const uint8_t *copies[MC_MAX_LANES], *tails[MC_MAX_LANES], *at[MC_MAX_LANES];
    size_t tail_blocks = 0;
    for (size_t j = 0; j < lanes; j++) {
        copies[j] = scratch[j];
        tails[j] = scratch[j] + tail_at;
        copy(scratch[j], begin->rest, rest);
        tail_blocks = hash->pad(scratch[j] + tail_at, left_at - tail_at + left, begin->absorbed + rest + width);
        put_words(hash, run, initial, j, begin->words);
    }
    /* with no body between them, head and tail are one run */
    const size_t first_blocks = (head > 0) + (body_blocks == 0 ? tail_blocks : 0);

    for (size_t done = 0; done < n; done += lanes, out += lanes * d) {
        const size_t busy = n - done < lanes ? n - done : lanes;
        for (size_t j = 0; j < lanes; j++) /* idle lanes repeat the first */
            at[j] = message_at(messages, first + done + (j < busy ? j : 0));
        memcpy(state, initial, state_bytes);
        if (head > 0)
            for (size_t j = 0; j < busy; j++)
                copy(scratch[j] + rest, at[j], head);
        for (size_t j = 0; j < busy; j++)
            copy(scratch[j] + left_at, at[j] + (width - left), left);
        if (first_blocks > 0)
            run->compress(state, copies, first_blocks);
        if (body_blocks > 0) {
            for (size_t j = 0; j < lanes; j++)
                at[j] += head;
            run->compress(state, at, body_blocks);
            run->compress(state, tails, tail_blocks);
        }
        if (busy == lanes) {
            run->digests(state, out);
        } else {
            uint8_t digests[MC_MAX_LANES * MC_MAX_DIGEST];
            run->digests(state, digests);
            memcpy(out, digests, busy * d);
        }
    }
}

/* ---- messages of mixed lengths --------------------------------------------------------------------------------- */

typedef struct stretch { /* blocks that follow one another in memory */
    const uint8_t *at;
    size_t blocks;
} stretch;

typedef struct job { /* a message under way */
    stretch now, next[2];
    size_t message;
    uint8_t words[25 * 8] __attribute__((aligned(8))); /* its state, while it is in no lane */
    uint8_t copies[SCRATCH];
} job;

static void begin_job(job *job, const start *begin, const mc_messages *messages, size_t message) {
    const mc_hash *hash = begin->hash;
    const size_t block = hash->block_bytes;
    const mc_span *span = &messages->spans[message];
    const uint8_t *data = span->data;
    size_t left = span->size, used = begin->rest_bytes;
    const uint64_t total = begin->absorbed + used + left;
    uint8_t *tail = job->copies;
    stretch *add = &job->now;

    job->message = message;
    job->next[0].blocks = job->next[1].blocks = 0;
    copy(tail, begin->rest, used);
    if (used > 0 && used + left >= block) {
        copy(tail + used, data, block - used);
        data += block - used;
        left -= block - used;
        *add = (stretch){tail, 1};
        add = &job->next[0];
        tail += block;
        used = 0;
    }
    if (used == 0 && left >= block) {
        *add = (stretch){data, left / block};
        add = add == &job->now ? &job->next[0] : &job->next[1];
        data += left / block * block;
        left %= block;
    }
    copy(tail + used, data, left);
    *add = (stretch){tail, hash->pad(tail, used + left, total)};
}

/* Messages of a list lie anywhere in memory: what begins soon is fetched now. */
static inline void look_ahead(const mc_messages *messages, size_t i, size_t end) {
    enum { LINE = 64, LINES = 4 }; /* further ones the hardware has seen coming */
    if (i >= end)
        return;
    const mc_span *span = &messages->spans[i];
    for (size_t at = 0; at < span->size && at < LINES * LINE; at += LINE)
        __builtin_prefetch(span->data + at);
    __builtin_prefetch(span->data + span->size);
}

/* Moves a job on by `blocks`; false when the message has ended. */
static inline int advance(job *job, size_t blocks, size_t block) {
    job->now.at += blocks * block;
    job->now.blocks -= blocks;
    if (job->now.blocks == 0) {
        job->now = job->next[0];
        job->next[0] = job->next[1];
        job->next[1].blocks = 0;
    }
    return job->now.blocks > 0;
}

static void hash_mixed_lengths(const start *begin, const mc_kernel *row, const mc_messages *messages, size_t first,
                               size_t n, uint8_t *out, uint32_t isas) {
    const mc_hash *hash = begin->hash;
    const int id = (int)(hash - mc_hashes);
    const size_t d = hash->digest_bytes, block = hash->block_bytes, end = first + n;
    uint8_t state[MAX_STATE] __attribute__((aligned(64)));
    uint8_t words[25 * 8] __attribute__((aligned(8)));
    job jobs[MC_MAX_LANES], *lane[MC_MAX_LANES], *waiting[MC_MAX_LANES];
    const uint8_t *at[MC_MAX_LANES];
    size_t next = first, waits = 0;

    for (size_t j = 0; j < row->lanes && next < end; j++) {
        begin_job(&jobs[j], begin, messages, next++);
        memcpy(jobs[j].words, begin->words, sizeof words);
        waiting[waits++] = &jobs[j];
    }
    while (waits > 0) { /* once for each kernel: the widest takes all messages, narrower ones the last few */
        const mc_lanes *run = row->run;
        size_t busy = 0;
        memset(state, 0, sizeof state);
        for (; busy < row->lanes && waits > 0; busy++) {
            lane[busy] = waiting[--waits];
            put_words(hash, run, state, busy, lane[busy]->words);
        }
        /* lanes [0, busy) are at work; a job that ends makes room for another or for the last one */
        while (busy > 0) {
            size_t step = lane[0]->now.blocks;
            for (size_t j = 1; j < busy; j++)
                step = lane[j]->now.blocks < step ? lane[j]->now.blocks : step;
            for (size_t j = 0; j < row->lanes; j++)
                at[j] = lane[j < busy ? j : 0]->now.at;
            run->compress(state, at, step);

            for (size_t j = 0; j < busy;) {
                if (advance(lane[j], step, block)) {
                    j++;
                    continue;
                }
                get_words(hash, run, state, j, words);
                hash->digest(words, out + (lane[j]->message - first) * d);
                if (next < end) {
                    look_ahead(messages, next + 2 * row->lanes, end);
                    begin_job(lane[j], begin, messages, next++);
                    put_words(hash, run, state, j, begin->words);
                    j++;
                } else if (waits > 0) {
                    lane[j] = waiting[--waits];
                    put_words(hash, run, state, j, lane[j]->words);
                    j++;
                } else if (--busy > j) {
                    get_words(hash, run, state, busy, words);
                    put_words(hash, run, state, j, words);
                    lane[j] = lane[busy]; /* looked at next: it has not been moved on yet */
                }
            }
            if (busy > 0 && busy < row->pays_from) {
                const mc_kernel *narrower = mc_pick(id, MC_MESSAGES, busy, isas);
                if (narrower == row)
                    continue;
                for (; busy > 0; busy--) {
                    get_words(hash, run, state, busy - 1, lane[busy - 1]->words);
                    waiting[waits++] = lane[busy - 1];
                }
                row = narrower;
            }
        }
    }
}

/* ---- the calls ------------------------------------------------------------------------------------------------- */

/* How many of n the row takes now: whole passes, and the rest too where that pays. */
static inline size_t taken(const mc_kernel *row, size_t n) {
    const size_t rest = n % row->lanes;
    return n < row->lanes || rest >= row->pays_from ? n : n - rest;
}

static mc_status hash_once(int id, const uint8_t *prefix, size_t prefix_bytes, const mc_messages *messages,
                           size_t first, size_t n, uint8_t *out, uint32_t isas) {
    const mc_hash *hash = &mc_hashes[id];
    while (n > 0) {
        const mc_kernel *row = mc_pick(id, MC_MESSAGES, n, isas);
        if (row == NULL)
            return MC_NO_KERNEL;
        start begin;
        begin_with_prefix(&begin, row, hash, prefix, prefix_bytes);
        if (messages->width == MC_MIXED) {
            hash_mixed_lengths(&begin, row, messages, first, n, out, isas);
            break;
        }
        const size_t now = taken(row, n);
        hash_equal_lengths(&begin, row, messages, first, now, out);
        first += now;
        n -= now;
        out += now * hash->digest_bytes;
    }
    return MC_OK;
}

mc_status mc_hash_messages(int hash, const uint8_t *prefix, size_t prefix_bytes, const mc_messages *messages,
                           size_t first, size_t n, uint8_t *out, uint32_t isas) {
    mc_status status = hash_once(hash, prefix, prefix_bytes, messages, first, n, out, isas);
    if (status == MC_OK && mc_hashes[hash].twice) {
        const mc_messages digests = {.rows = out, .width = mc_hashes[hash].digest_bytes, .n = n};
        status = hash_once(hash, NULL, 0, &digests, 0, n, out, isas);
    }
    return status;
}

mc_status mc_hash_nodes(int hash, const uint8_t *prefix, size_t prefix_bytes, const uint8_t *nodes, size_t n,
                        uint8_t *out, uint32_t isas) {
    const size_t d = mc_hashes[hash].digest_bytes;
    const int shape = prefix_bytes == 0 ? MC_NODE : MC_PREFIXED_NODE;
    if (prefix_bytes > 1 || mc_pick(hash, shape, n, isas) == NULL) {
        const mc_messages pairs = {.rows = nodes, .width = 2 * d, .n = n};
        return mc_hash_messages(hash, prefix, prefix_bytes, &pairs, 0, n, out, isas);
    }
    while (n > 0) {
        const mc_kernel *row = mc_pick(hash, shape, n, isas);
        const size_t now = taken(row, n);
        row->nodes(nodes, now, out, prefix_bytes > 0 ? prefix[0] : 0);
        nodes += now * 2 * d;
        out += now * d;
        n -= now;
    }
    return MC_OK;
}

/* One message through a one-lane kernel: no lanes to fill, the state in order. */
static void hash_alone(const mc_hash *hash, const mc_lanes *run, const uint8_t *data, size_t size, uint8_t *out) {
    uint8_t state[25 * 8] __attribute__((aligned(64))), tail[2 * MC_MAX_BLOCK] __attribute__((aligned(64)));
    const uint8_t *at = data;
    const size_t blocks = size / hash->block_bytes, left = size % hash->block_bytes;
    memcpy(state, hash->initial, (size_t)hash->word_bytes * hash->state_words);
    if (blocks > 0)
        run->compress(state, &at, blocks);
    copy(tail, data + (size - left), left);
    at = tail;
    run->compress(state, &at, hash->pad(tail, left, size));
    run->digests(state, out);
}

mc_status mc_hash_one(int hash, const uint8_t *data, size_t size, uint8_t *out, uint32_t isas) {
    const mc_hash *h = &mc_hashes[hash];
    const mc_kernel *row = mc_pick(hash, MC_MESSAGES, 1, isas);
    if (row == NULL)
        return MC_NO_KERNEL;
    if (row->lanes > 1) {
        const mc_messages one = {.rows = data, .width = size, .n = 1};
        return mc_hash_messages(hash, NULL, 0, &one, 0, 1, out, isas);
    }
    hash_alone(h, row->run, data, size, out);
    if (h->twice)
        hash_alone(h, row->run, out, h->digest_bytes, out);
    return MC_OK;
}

/* ---- the same on several threads ------------------------------------------------------------------------------- */

typedef struct batch {
    int hash;
    const uint8_t *prefix;
    size_t prefix_bytes;
    const uint8_t *nodes; /* or */
    const mc_messages *messages;
    size_t n, chunk;
    uint8_t *out;
    uint32_t isas;
} batch;

static mc_status hash_chunk(void *context, size_t i, unsigned worker) {
    const batch *all = context;
    const size_t d = mc_hashes[all->hash].digest_bytes, first = i * all->chunk;
    const size_t n = all->n - first < all->chunk ? all->n - first : all->chunk;
    (void)worker;
    if (all->nodes != NULL)
        return mc_hash_nodes(all->hash, all->prefix, all->prefix_bytes, all->nodes + first * 2 * d, n,
                             all->out + first * d, all->isas);
    return mc_hash_messages(all->hash, all->prefix, all->prefix_bytes, all->messages, first, n, all->out + first * d,
                            all->isas);
}

/* Chunks are whole passes of the widest kernel, and many enough that no thread waits long for the last one. */
static mc_status hash_chunks(batch *all, unsigned threads) {
    enum { CHUNKS_PER_THREAD = 8, LARGEST = 1 << 14 };
    size_t chunk = all->n;
    if (threads > 1) {
        chunk = all->n / ((size_t)threads * CHUNKS_PER_THREAD) / MC_MAX_LANES * MC_MAX_LANES;
        chunk = chunk > LARGEST ? LARGEST : chunk;
        if (chunk == 0) /* few messages, then: an equal share each */
            chunk = (all->n + threads - 1) / threads;
    }
    all->chunk = chunk > 0 ? chunk : 1;
    return mc_parallel_for((all->n + all->chunk - 1) / all->chunk, threads, hash_chunk, all);
}

mc_status mc_hash_nodes_parallel(int hash, const uint8_t *prefix, size_t prefix_bytes, const uint8_t *nodes, size_t n,
                                 uint8_t *out, uint32_t isas, unsigned threads) {
    batch all = {.hash = hash,
                 .prefix = prefix,
                 .prefix_bytes = prefix_bytes,
                 .nodes = nodes,
                 .n = n,
                 .out = out,
                 .isas = isas};
    return hash_chunks(&all, threads);
}

mc_status mc_hash_messages_parallel(int hash, const uint8_t *prefix, size_t prefix_bytes, const mc_messages *messages,
                                    uint8_t *out, uint32_t isas, unsigned threads) {
    batch all = {.hash = hash,
                 .prefix = prefix,
                 .prefix_bytes = prefix_bytes,
                 .messages = messages,
                 .n = messages->n,
                 .out = out,
                 .isas = isas};
    return hash_chunks(&all, threads);
}
