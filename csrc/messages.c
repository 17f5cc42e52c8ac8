/* Batches of nodes and messages over the lanes of the kernels.
 *
 * A kernel knows blocks; this file knows messages. A message becomes at most three runs of blocks:
 *
 *     head   what is left of the prefix, filled up with the first bytes of the message   (a copy)
 *     body   whole blocks, read where they stand
 *     tail   the last bytes and the padding                                              (a copy)
 *
 * Messages of one length walk through these together. Of mixed lengths, short ones are sorted by their blocks, so that
 * those of a pass end together. For the others each lane has a message of its own and takes the next one when it ends;
 * when none is left and too few lanes are busy to pay for a wide pass, the messages under way move, with their state,
 * to the next kernel of the table. */
#include "merklecore.h"
#include "state.h"

#include <string.h>

enum {
    SCRATCH = 3 * MC_MAX_BLOCK,
    AHEAD = 2 * MC_MAX_LANES, /* messages */
    SHORT_END = 16,           /* bytes in the last block, and */
    SHORT_TOTAL = 1 << 28,    /* bytes in all whose number of bits has four bytes: what compress_end can do */
};

/* A prefix, the state after its whole blocks, and the bytes that are left of it. */
typedef struct start {
    const mc_hash *hash;
    const uint8_t *prefix;
    size_t prefix_bytes;
    uint8_t words[MC_STATE_BYTES] __attribute__((aligned(8)));
    const uint8_t *rest;
    size_t rest_bytes;
    size_t absorbed;
} start;

static void begin_with_prefix(start *begin, const mc_kernel *row, const mc_hash *hash, const uint8_t *prefix,
                              size_t prefix_bytes) {
    const size_t blocks = mc_whole_blocks(hash, prefix_bytes);
    begin->hash = hash;
    begin->prefix = prefix;
    begin->prefix_bytes = prefix_bytes;
    begin->absorbed = blocks * hash->block_bytes;
    begin->rest_bytes = prefix_bytes - begin->absorbed;
    begin->rest = begin->rest_bytes > 0 ? prefix + begin->absorbed : NULL;
    memcpy(begin->words, hash->initial, mc_state_bytes(hash));
    if (blocks == 0)
        return;
    uint8_t state[MC_LANES_BYTES] __attribute__((aligned(64)));
    const uint8_t *at[MC_MAX_LANES];
    if (hash->expect != NULL)
        hash->expect(begin->words, INT64_MAX); /* more, that is */
    for (size_t j = 0; j < row->lanes; j++) {
        at[j] = prefix;
        mc_put_words(hash, row->run, state, j, begin->words);
    }
    row->run->compress(state, at, blocks);
    mc_get_words(hash, row->run, state, 0, begin->words);
}

/* The state to start a message of `size` bytes from, written to `room` where it differs from message to message. */
static inline const uint8_t *state_for(const start *begin, size_t size, uint8_t *room) {
    const mc_hash *hash = begin->hash;
    if (hash->expect == NULL)
        return begin->words;
    memcpy(room, begin->words, mc_state_bytes(hash));
    hash->expect(room, begin->rest_bytes + size);
    return room;
}

/* The digests of all lanes, twice over where the hash is so. */
static inline void write_digests(const mc_hash *hash, const mc_lanes *run, const void *state, uint8_t *out) {
    if (hash->twice)
        run->digests_twice(state, out);
    else
        run->digests(state, out);
}

/* Whether a message is cut into chunks that are hashed by themselves (chunks.c). */
static inline int is_chunked(const start *begin, size_t size) {
    const size_t chunk = begin->hash->chunk_bytes;
    return chunk > 0 && begin->prefix_bytes + size > chunk;
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
    const size_t width = messages->width, rest = begin->rest_bytes, whole = mc_whole_blocks(hash, rest + width);
    const int joined = rest > 0 && whole == 0; /* what is left of the prefix meets the tail itself */
    const int has_head = rest > 0 && whole > 0;
    const size_t head = has_head ? block - rest : 0, body_blocks = whole - (size_t)has_head;
    const size_t left = width - head - body_blocks * block;

    /* Each lane's copies of head and tail stand side by side. The padding is the same for all and written once. */
    uint8_t scratch[MC_MAX_LANES][SCRATCH] __attribute__((aligned(64)));
    uint8_t state[MC_LANES_BYTES] __attribute__((aligned(64))), initial[MC_LANES_BYTES] __attribute__((aligned(64)));
    uint8_t room[MC_STATE_BYTES] __attribute__((aligned(8)));
    const uint8_t *words = state_for(begin, width, room);
    const size_t state_bytes = lanes * mc_state_bytes(hash);
    const size_t tail_at = has_head ? block : 0, left_at = tail_at + (joined ? rest : 0);
    const uint8_t *copies[MC_MAX_LANES], *tails[MC_MAX_LANES], *at[MC_MAX_LANES];
    size_t tail_blocks = 0;
    for (size_t j = 0; j < lanes; j++) {
        copies[j] = scratch[j];
        tails[j] = scratch[j] + tail_at;
        mc_copy(scratch[j], begin->rest, rest);
        tail_blocks = hash->pad(scratch[j] + tail_at, left_at - tail_at + left, begin->absorbed + rest + width);
        mc_put_words(hash, run, initial, j, words);
    }
    /* with no body between them, head and tail are one run */
    const size_t last_blocks = tail_blocks + (body_blocks == 0 && has_head ? 1 : 0);
    const int has_short_end = run->compress_end != NULL && last_blocks == 1 && left_at - tail_at + left <= SHORT_END &&
                              begin->absorbed + rest + width <= SHORT_TOTAL;

    for (size_t done = 0; done < n; done += lanes, out += lanes * d) {
        const size_t busy = n - done < lanes ? n - done : lanes;
        for (size_t j = 0; j < lanes; j++) /* idle lanes repeat the first */
            at[j] = message_at(messages, first + done + (j < busy ? j : 0));
        memcpy(state, initial, state_bytes);
        if (head > 0)
            for (size_t j = 0; j < busy; j++)
                mc_copy(scratch[j] + rest, at[j], head);
        for (size_t j = 0; j < busy; j++)
            mc_copy(scratch[j] + left_at, at[j] + (width - left), left);
        if (body_blocks > 0) {
            if (has_head)
                run->compress(state, copies, 1);
            for (size_t j = 0; j < lanes; j++)
                at[j] += head;
            run->compress(state, at, body_blocks);
        }
        uint8_t digests[MC_MAX_LANES * MC_MAX_DIGEST];
        if (has_short_end)
            run->compress_end(state, tails);
        else
            run->compress(state, body_blocks > 0 ? tails : copies, last_blocks);
        write_digests(hash, run, state, busy == lanes ? out : digests);
        if (busy < lanes)
            memcpy(out, digests, busy * d);
    }
}

/* ---- messages of mixed lengths: refilled lanes ------------------------------------------------------------------ */

typedef struct stretch { /* blocks that follow one another in memory */
    const uint8_t *at;
    size_t blocks;
} stretch;

typedef struct job { /* a message under way */
    stretch now, next[2];
    size_t message;
    int again; /* under way is the digest of the message: the hash is double */
    uint8_t words[MC_STATE_BYTES] __attribute__((aligned(8))); /* its state, while it is in no lane */
    uint8_t copies[SCRATCH];
} job;

static void begin_job(job *job, const start *begin, const mc_messages *messages, size_t message) {
    const mc_hash *hash = begin->hash;
    const size_t block = hash->block_bytes;
    const mc_span *span = &messages->spans[message];
    const uint8_t *data = span->data;
    size_t left = span->size, used = begin->rest_bytes, whole = mc_whole_blocks(hash, used + left);
    const uint64_t total = begin->absorbed + used + left;
    uint8_t *tail = job->copies;
    stretch *add = &job->now;

    job->message = message;
    job->again = 0;
    job->next[0].blocks = job->next[1].blocks = 0;
    mc_copy(tail, begin->rest, used);
    if (used > 0 && whole > 0) {
        mc_copy(tail + used, data, block - used);
        data += block - used;
        left -= block - used;
        *add = (stretch){tail, 1};
        add = &job->next[0];
        tail += block;
        used = 0;
        whole--;
    }
    if (whole > 0) {
        *add = (stretch){data, whole};
        add = add == &job->now ? &job->next[0] : &job->next[1];
        data += whole * block;
        left -= whole * block;
    }
    mc_copy(tail + used, data, left);
    *add = (stretch){tail, hash->pad(tail, used + left, total)};
}

/* Messages of a list lie anywhere in memory: what begins soon is fetched now. */
static inline void fetch(const mc_span *span) {
    enum { LINE = 64, MOST = 2048 }; /* what lies behind that in a longer one the hardware has seen coming */
    for (size_t at = 0; at < span->size && at < MOST; at += LINE)
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

/* Hashes the digest that `words` amount to once more. */
static void begin_again(job *job, const mc_hash *hash, const uint8_t *words) {
    hash->digest(words, job->copies);
    job->now = (stretch){job->copies, hash->pad(job->copies, hash->digest_bytes, hash->digest_bytes)};
    job->again = 1;
}

typedef struct queue { /* the messages that no lane has taken yet */
    const start *begin;
    const mc_messages *messages;
    const size_t *next, *end;
    size_t first; /* whose digest begins `out` */
    uint8_t *out;
    uint32_t isas;
} queue;

/* Begins the next message, and hashes on the way those that fill the lanes by themselves; false when none is left. */
static inline int next_job(queue *queue, job *job) {
    const mc_messages *messages = queue->messages;
    const start *begin = queue->begin;
    for (; queue->next < queue->end; queue->next++) {
        const size_t message = *queue->next;
        const mc_span *span = &messages->spans[message];
        if (queue->end - queue->next > AHEAD)
            fetch(&messages->spans[queue->next[AHEAD]]);
        if (!is_chunked(begin, span->size)) {
            queue->next++;
            begin_job(job, begin, messages, message);
            return 1;
        }
        mc_hash_chunks(begin->prefix, begin->prefix_bytes, span->data, span->size,
                       queue->out + (message - queue->first) * begin->hash->digest_bytes, queue->isas);
    }
    return 0;
}

static void refill_lanes(const start *begin, const mc_kernel *row, const mc_messages *messages, const size_t *which,
                         size_t n, size_t first, uint8_t *out, uint32_t isas) {
    const mc_hash *hash = begin->hash;
    const int id = (int)(hash - mc_hashes);
    const size_t d = hash->digest_bytes, block = hash->block_bytes;
    queue queue = {begin, messages, which, which + n, first, out, isas};
    uint8_t state[MC_LANES_BYTES] __attribute__((aligned(64)));
    uint8_t words[MC_STATE_BYTES] __attribute__((aligned(8)));
    job jobs[MC_MAX_LANES], *lane[MC_MAX_LANES], *waiting[MC_MAX_LANES];
    const uint8_t *at[MC_MAX_LANES];
    size_t waits = 0;

    while (waits < row->lanes && next_job(&queue, &jobs[waits])) {
        const size_t size = messages->spans[jobs[waits].message].size;
        memcpy(jobs[waits].words, state_for(begin, size, words), mc_state_bytes(hash));
        waiting[waits] = &jobs[waits];
        waits++;
    }
    while (waits > 0) { /* once for each kernel: the widest takes all messages, narrower ones the last few */
        const mc_lanes *run = row->run;
        size_t busy = 0;
        memset(state, 0, row->lanes * mc_state_bytes(hash));
        for (; busy < row->lanes && waits > 0; busy++) {
            lane[busy] = waiting[--waits];
            mc_put_words(hash, run, state, busy, lane[busy]->words);
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
                mc_get_words(hash, run, state, j, words);
                if (hash->twice && !lane[j]->again) {
                    begin_again(lane[j], hash, words);
                    mc_put_words(hash, run, state, j++, hash->initial);
                    continue;
                }
                hash->digest(words, out + (lane[j]->message - first) * d);
                if (next_job(&queue, lane[j])) {
                    const size_t size = messages->spans[lane[j]->message].size;
                    mc_put_words(hash, run, state, j, state_for(begin, size, words));
                    j++;
                } else if (waits > 0) {
                    lane[j] = waiting[--waits];
                    mc_put_words(hash, run, state, j, lane[j]->words);
                    j++;
                } else if (--busy > j) {
                    mc_get_words(hash, run, state, busy, words);
                    mc_put_words(hash, run, state, j, words);
                    lane[j] = lane[busy]; /* looked at next: it has not been moved on yet */
                }
            }
            if (busy > 0 && busy < row->pays_from) {
                const mc_kernel *narrower = mc_pick(id, MC_MESSAGES, busy, isas);
                if (narrower == row)
                    continue;
                for (; busy > 0; busy--) {
                    mc_get_words(hash, run, state, busy - 1, lane[busy - 1]->words);
                    waiting[waits++] = lane[busy - 1];
                }
                row = narrower;
            }
        }
    }
}

/* ---- messages of mixed lengths: whole passes first -------------------------------------------------------------- */

enum {
    WINDOW = 1024, /* messages sorted at a time: more would not stay in the second level of the cache */
    SHORT = 2048,  /* bytes, with what is left of the prefix: longer messages go to refilled lanes at once, where */
    LONG = 32,     /* blocks: it costs them little to end at different times */
};

/* The blocks of a message, what is left of the prefix and the padding included. */
static inline size_t blocks_of(const start *begin, size_t size) {
    const mc_hash *hash = begin->hash;
    const size_t bytes = begin->rest_bytes + size + hash->pad_bytes;
    return bytes == 0 ? 1 : (bytes + hash->block_bytes - 1) / hash->block_bytes;
}

/* One pass over full lanes, of messages of so many blocks each: copied whole, which costs no more than to compress
 * head, body and tail by themselves. */
static void hash_copies(const start *begin, const mc_kernel *row, const mc_span *spans, const uint16_t *which,
                        size_t blocks, uint8_t *out) {
    const mc_hash *hash = begin->hash;
    const mc_lanes *run = row->run;
    const size_t d = hash->digest_bytes, block = hash->block_bytes, rest = begin->rest_bytes;
    uint8_t copies[MC_MAX_LANES][SHORT + 2 * MC_MAX_BLOCK] __attribute__((aligned(64)));
    uint8_t state[MC_LANES_BYTES] __attribute__((aligned(64))), digests[MC_MAX_LANES * MC_MAX_DIGEST];
    uint8_t room[MC_STATE_BYTES] __attribute__((aligned(8)));
    const uint8_t *at[MC_MAX_LANES];
    for (size_t j = 0; j < row->lanes; j++) {
        const mc_span *span = &spans[which[j]];
        const size_t used = rest + span->size, whole = mc_whole_blocks(hash, used) * block;
        mc_copy(copies[j], begin->rest, rest);
        mc_copy(copies[j] + rest, span->data, span->size);
        hash->pad(copies[j] + whole, used - whole, begin->absorbed + used);
        mc_put_words(hash, run, state, j, state_for(begin, span->size, room));
        at[j] = copies[j];
    }
    run->compress(state, at, blocks);
    write_digests(hash, run, state, digests);
    for (size_t j = 0; j < row->lanes; j++)
        mc_copy(out + which[j] * d, digests + j * d, d);
}

/* Sorts a window of messages by their blocks and hashes whole passes of equal ones, from start to end without a look
 * at who ends when; those that fill no pass wait in `rest`, and go to refilled lanes when there are many. */
static void hash_mixed_lengths(const start *begin, const mc_kernel *row, const mc_messages *messages, size_t first,
                               size_t n, uint8_t *out, uint32_t isas) {
    const size_t d = begin->hash->digest_bytes, end = first + n;
    size_t rest[2 * WINDOW], rests = 0;
    for (size_t window = first; window < end; window += WINDOW) {
        const size_t width = end - window < WINDOW ? end - window : WINDOW;
        const mc_span *spans = &messages->spans[window];
        uint16_t ends[LONG + 2] = {0}, order[WINDOW];
        uint8_t blocks[WINDOW];
        for (size_t i = 0; i < width; i++) {
            const size_t size = spans[i].size;
            const int is_short = begin->rest_bytes + size <= SHORT && !is_chunked(begin, size);
            const size_t all = is_short ? blocks_of(begin, size) : LONG;
            blocks[i] = (uint8_t)(all < LONG ? all : LONG);
            ends[blocks[i] + 1]++;
        }
        for (size_t b = 1; b <= LONG + 1; b++)
            ends[b] = (uint16_t)(ends[b] + ends[b - 1]);
        for (size_t i = 0; i < width; i++) /* which makes the beginning of each its end */
            order[ends[blocks[i]]++] = (uint16_t)i;
        for (size_t i = 0; i < width;) {
            const size_t b = blocks[order[i]];
            for (; b < LONG && i + row->lanes <= ends[b]; i += row->lanes) {
                for (size_t j = 0; j < row->lanes && i + AHEAD + j < width; j++)
                    fetch(&spans[order[i + AHEAD + j]]);
                hash_copies(begin, row, spans, order + i, b, out + (window - first) * d);
            }
            for (; i < ends[b]; i++)
                rest[rests++] = window + order[i];
        }
        if (rests > WINDOW || window + width == end) {
            refill_lanes(begin, row, messages, rest, rests, first, out, isas);
            rests = 0;
        }
    }
}

/* ---- one message ------------------------------------------------------------------------------------------------ */

/* Whether a message may go through a one-lane kernel by itself: behind a prefix only if both are short. */
static inline int stands_alone(const mc_hash *hash, const mc_kernel *row, size_t prefix_bytes, size_t size) {
    return row->lanes == 1 && (prefix_bytes == 0 || (prefix_bytes <= MC_MAX_BLOCK && size <= MC_MAX_BLOCK)) &&
           (hash->chunk_bytes == 0 || prefix_bytes + size <= hash->chunk_bytes);
}

/* No lanes to fill, the state in order. Whole blocks are read where they stand, unless there is a prefix. */
static void hash_alone(const mc_hash *hash, const mc_lanes *run, const uint8_t *prefix, size_t prefix_bytes,
                       const uint8_t *data, size_t size, uint8_t *out) {
    uint8_t state[MC_STATE_BYTES] __attribute__((aligned(64))), tail[4 * MC_MAX_BLOCK] __attribute__((aligned(64)));
    const size_t total = prefix_bytes + size, whole = mc_whole_blocks(hash, total), bytes = whole * hash->block_bytes;
    const size_t read = prefix_bytes == 0 ? bytes : 0, copied = bytes - read;
    const uint8_t *at = data;
    memcpy(state, hash->initial, mc_state_bytes(hash));
    if (hash->expect != NULL)
        hash->expect(state, total);
    if (read > 0)
        run->compress(state, &at, whole);
    mc_copy(tail, prefix, prefix_bytes);
    mc_copy(tail + prefix_bytes, data + read, size - read);
    at = tail;
    const size_t padded = hash->pad(tail + copied, total - bytes, total);
    run->compress(state, &at, padded + (read > 0 ? 0 : whole));
    write_digests(hash, run, state, out);
}

/* ---- the calls ------------------------------------------------------------------------------------------------- */

/* How many of n the row takes now: whole passes, and the rest too where that pays. */
static inline size_t taken(const mc_kernel *row, size_t n) {
    const size_t rest = n % row->lanes;
    return n < row->lanes || rest >= row->pays_from ? n : n - rest;
}

/* Rows that are as long as two digests are nodes, whatever they mean, and those have kernels without copies. */
static inline int are_nodes(int id, size_t prefix_bytes, const mc_messages *messages, uint32_t isas) {
    const int shape = prefix_bytes == 0 ? MC_NODE : MC_PREFIXED_NODE;
    return messages->spans == NULL && messages->width == 2 * (size_t)mc_hashes[id].digest_bytes && prefix_bytes <= 1 &&
           mc_pick(id, shape, messages->n, isas) != NULL;
}

/* Whether a kernel has a way of its own for such rows, without copies. */
static inline int has_rows(const mc_hash *hash, const mc_kernel *row, size_t prefix_bytes,
                           const mc_messages *messages) {
    return messages->spans == NULL && messages->width == hash->digest_bytes && !hash->twice && prefix_bytes <= 1 &&
           (prefix_bytes == 1 ? row->run->rows != NULL : row->run->bare_rows != NULL);
}

static mc_status hash_all(int id, const uint8_t *prefix, size_t prefix_bytes, const mc_messages *messages,
                          size_t first, size_t n, uint8_t *out, uint32_t isas) {
    const mc_hash *hash = &mc_hashes[id];
    while (n > 0) {
        const mc_kernel *row = mc_pick(id, MC_MESSAGES, n, isas);
        if (row == NULL)
            return MC_NO_KERNEL;
        size_t now = taken(row, n);
        const size_t size = messages->width == MC_MIXED ? messages->spans[first].size : messages->width;
        if (has_rows(hash, row, prefix_bytes, messages) && now >= row->lanes) {
            const uint8_t *rows = messages->rows + first * size;
            now -= now % row->lanes;
            if (prefix_bytes > 0)
                row->run->rows(rows, now, out, prefix[0]);
            else
                row->run->bare_rows(rows, now, out);
        } else if (hash->twice && prefix_bytes == 0 && mc_hash_headers(row, messages, first, now, out)) {
            /* that was all there is to do */
        } else if (n == 1 && stands_alone(hash, row, prefix_bytes, size)) {
            hash_alone(hash, row->run, prefix, prefix_bytes, message_at(messages, first), size, out);
        } else {
            start begin;
            begin_with_prefix(&begin, row, hash, prefix, prefix_bytes);
            if (messages->width == MC_MIXED) {
                hash_mixed_lengths(&begin, row, messages, first, n, out, isas);
                break;
            }
            if (is_chunked(&begin, size))
                for (size_t i = 0; i < now; i++)
                    mc_hash_chunks(prefix, prefix_bytes, message_at(messages, first + i), size,
                                   out + i * hash->digest_bytes, isas);
            else
                hash_equal_lengths(&begin, row, messages, first, now, out);
        }
        first += now;
        n -= now;
        out += now * hash->digest_bytes;
    }
    return MC_OK;
}

mc_status mc_hash_messages(int hash, const uint8_t *prefix, size_t prefix_bytes, const mc_messages *messages,
                           size_t first, size_t n, uint8_t *out, uint32_t isas) {
    if (are_nodes(hash, prefix_bytes, messages, isas))
        return mc_hash_nodes(hash, prefix, prefix_bytes, messages->rows + first * messages->width, n, out, isas);
    return hash_all(hash, prefix, prefix_bytes, messages, first, n, out, isas);
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

mc_status mc_hash_one(int hash, const uint8_t *data, size_t size, uint8_t *out, uint32_t isas) {
    const mc_hash *h = &mc_hashes[hash];
    const mc_kernel *row = mc_pick(hash, MC_MESSAGES, 1, isas);
    if (row == NULL)
        return MC_NO_KERNEL;
    if (h->chunk_bytes > 0 && size > h->chunk_bytes)
        return mc_hash_chunks(NULL, 0, data, size, out, isas);
    if (!stands_alone(h, row, 0, size)) {
        const mc_messages one = {.rows = data, .width = size, .n = 1};
        return mc_hash_messages(hash, NULL, 0, &one, 0, 1, out, isas);
    }
    hash_alone(h, row->run, NULL, 0, data, size, out);
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
