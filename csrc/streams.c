/* Messages that come piece by piece, several side by side.
 *
 * What a stream is given makes at most two runs of blocks: the one that waits in its room, filled up, and those that
 * follow where they stand. The streams walk through them together, as far as the shortest run goes; those that have no
 * more leave their lanes to the others, and the last few move to a narrower kernel. A hash that is cut into chunks
 * fills the lanes with one message (chunks.c). */
#include "merklecore.h"
#include "state.h"

#include <string.h>

typedef struct run {
    const uint8_t *at;
    size_t blocks;
} run;

typedef struct lane {
    mc_stream *stream;
    run now, next;
    const uint8_t *rest; /* bytes for the room, once it is free */
} lane;

/* Lays out what a stream is to take; false where it makes no block. */
static int begin(lane *lane, mc_stream *stream, const mc_span *piece) {
    const mc_hash *hash = &mc_hashes[stream->hash];
    const size_t block = hash->block_bytes, used = stream->used;
    size_t whole = mc_whole_blocks(hash, used + piece->size);
    const uint8_t *data = piece->data;
    stream->total += piece->size;
    stream->used = used + piece->size - whole * block;
    if (whole == 0) {
        memcpy(stream->room + used, data, piece->size);
        return 0;
    }
    lane->stream = stream;
    lane->next.blocks = 0;
    if (hash->expect != NULL)
        hash->expect(stream->words, INT64_MAX); /* more, that is */
    if (used > 0) {
        memcpy(stream->room + used, data, block - used);
        data += block - used;
        lane->now = (run){stream->room, 1};
        lane->next = (run){data, --whole};
    } else {
        lane->now = (run){data, whole};
    }
    lane->rest = data + whole * block;
    return 1;
}

/* Moves a lane on; false when its blocks are done. */
static int advance(lane *lane, size_t blocks) {
    lane->now.at += blocks * mc_hashes[lane->stream->hash].block_bytes;
    lane->now.blocks -= blocks;
    if (lane->now.blocks == 0) {
        lane->now = lane->next;
        lane->next.blocks = 0;
    }
    if (lane->now.blocks > 0)
        return 1;
    memcpy(lane->stream->room, lane->rest, lane->stream->used);
    return 0;
}

/* One pass over the first lanes, as many as the kernel has; returns how many of `busy` are left. */
static size_t pass(lane *lanes, size_t busy, const mc_kernel *row) {
    const mc_hash *hash = &mc_hashes[lanes[0].stream->hash];
    const size_t now = busy < row->lanes ? busy : row->lanes;
    uint8_t state[MC_LANES_BYTES] __attribute__((aligned(64)));
    const uint8_t *at[MC_MAX_LANES];
    size_t blocks = SIZE_MAX;
    for (size_t j = 0; j < row->lanes; j++) { /* idle ones repeat the first */
        const lane *mine = &lanes[j < now ? j : 0];
        at[j] = mine->now.at;
        blocks = mine->now.blocks < blocks ? mine->now.blocks : blocks;
        mc_put_words(hash, row->run, state, j, mine->stream->words);
    }
    row->run->compress(state, at, blocks);
    for (size_t j = now; j-- > 0;) {
        mc_get_words(hash, row->run, state, j, lanes[j].stream->words);
        if (!advance(&lanes[j], blocks))
            lanes[j] = lanes[--busy];
    }
    return busy;
}

mc_status mc_streams_update(mc_stream *const *streams, const mc_span *pieces, size_t n, uint32_t isas) {
    if (n == 1 || mc_hashes[streams[0]->hash].chunk_bytes > 0) {
        mc_status status = MC_OK;
        for (size_t i = 0; i < n && status == MC_OK; i++)
            status = mc_stream_update(streams[i], pieces[i].data, pieces[i].size, isas);
        return status;
    }
    lane lanes[MC_MAX_LANES];
    size_t busy = 0;
    for (size_t i = 0; i < n; i++)
        busy += (size_t)begin(&lanes[busy], streams[i], &pieces[i]);
    while (busy > 0) {
        const mc_kernel *row = mc_pick(streams[0]->hash, MC_MESSAGES, busy, isas);
        if (row == NULL)
            return MC_NO_KERNEL;
        busy = pass(lanes, busy, row);
    }
    return MC_OK;
}
