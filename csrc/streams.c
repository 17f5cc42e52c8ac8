/* Several messages that come piece by piece, their pieces side by side in the lanes.
 *
 * What a stream is given becomes at most two runs of blocks: the one that waits in its room, filled up, and those that
 * follow where they stand. The streams walk through these together, as far as the shortest run goes; when one has no
 * more, fewer lanes, or a narrower kernel, serve the others. A hash that is cut into chunks fills the lanes by itself
 * (chunks.c). */
#include "merklecore.h"
#include "state.h"

#include <string.h>

typedef struct lane {
    mc_stream *stream;
    const uint8_t *at, *body;
    size_t blocks, body_blocks;
} lane;

/* Takes the piece but for its whole blocks; false where it holds none. */
static int begin(lane *lane, const mc_hash *hash, mc_stream *stream, const mc_span *piece) {
    const size_t block = hash->block_bytes;
    const uint8_t *data = piece->data;
    size_t size = piece->size;
    const size_t all = stream->used + size, whole = mc_whole_blocks(hash, all);
    *lane = (struct lane){.stream = stream, .body = data, .body_blocks = whole};
    stream->total += size;
    if (whole == 0) {
        memcpy(stream->room + stream->used, data, size);
        stream->used = all;
        return 0;
    }
    if (stream->used > 0) {
        memcpy(stream->room + stream->used, data, block - stream->used);
        lane->at = stream->room;
        lane->blocks = 1;
        lane->body = data + (block - stream->used);
        lane->body_blocks = whole - 1;
    }
    stream->used = all - whole * block; /* they stand behind the body, until the room is free */
    if (lane->blocks == 0) {
        lane->at = lane->body;
        lane->blocks = lane->body_blocks;
    }
    if (hash->expect != NULL)
        hash->expect(stream->words, INT64_MAX); /* more, that is */
    return 1;
}

/* Moves a lane on; false when its blocks are done. */
static int advance(lane *lane, size_t blocks, size_t block) {
    lane->at += blocks * block;
    lane->blocks -= blocks;
    if (lane->blocks > 0)
        return 1;
    if (lane->at != lane->body + lane->body_blocks * block) { /* it was the room */
        lane->at = lane->body;
        lane->blocks = lane->body_blocks;
    }
    if (lane->blocks > 0)
        return 1;
    memcpy(lane->stream->room, lane->body + lane->body_blocks * block, lane->stream->used);
    return 0;
}

/* One step of the first lanes, as many as one pass takes; returns how many of `busy` are left. */
static size_t step(const mc_hash *hash, const mc_kernel *row, lane *lanes, size_t busy) {
    uint8_t state[MC_LANES_BYTES] __attribute__((aligned(64)));
    const uint8_t *at[MC_MAX_LANES];
    const size_t now = busy < row->lanes ? busy : row->lanes;
    size_t blocks = lanes[0].blocks;
    for (size_t j = 0; j < row->lanes; j++) { /* idle lanes repeat the first */
        const lane *mine = &lanes[j < now ? j : 0];
        mc_put_words(hash, row->run, state, j, mine->stream->words);
        at[j] = mine->at;
        blocks = mine->blocks < blocks ? mine->blocks : blocks;
    }
    row->run->compress(state, at, blocks);
    for (size_t j = 0; j < now; j++)
        mc_get_words(hash, row->run, state, j, lanes[j].stream->words);
    for (size_t j = now; j-- > 0;)
        if (!advance(&lanes[j], blocks, hash->block_bytes))
            lanes[j] = lanes[--busy];
    return busy;
}

mc_status mc_streams_update(mc_stream *const *streams, const mc_span *pieces, size_t n, uint32_t isas) {
    lane lanes[MC_MAX_LANES];
    mc_status status = MC_OK;
    while (n > 0 && status == MC_OK) {
        const mc_hash *hash = &mc_hashes[streams[0]->hash];
        const size_t now = n < MC_MAX_LANES ? n : MC_MAX_LANES;
        if (now == 1 || hash->chunk_bytes > 0) {
            for (size_t i = 0; i < now && status == MC_OK; i++)
                status = mc_stream_update(streams[i], pieces[i].data, pieces[i].size, isas);
        } else {
            size_t busy = 0;
            for (size_t i = 0; i < now; i++)
                busy += begin(&lanes[busy], hash, streams[i], &pieces[i]) ? 1 : 0;
            while (busy > 0 && status == MC_OK) {
                const mc_kernel *row = mc_pick(streams[0]->hash, MC_MESSAGES, busy, isas);
                if (row == NULL)
                    status = MC_NO_KERNEL;
                else
                    busy = step(hash, row, lanes, busy);
            }
        }
        streams += now;
        pieces += now;
        n -= now;
    }
    return status;
}
