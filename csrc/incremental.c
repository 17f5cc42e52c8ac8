/* One message that comes piece by piece.
 *
 * What does not fill a block waits in the caller's room; where a last block is marked as such, so does a full one
 * until more comes. Of a hash that is cut into chunks, the room holds a group of chunks (chunks.c). */
#include "merklecore.h"
#include "state.h"

#include <string.h>

static size_t room_bytes(const mc_hash *hash) { return hash->chunk_bytes > 0 ? MC_GROUP_BYTES : hash->block_bytes; }

size_t mc_stream_room(int hash) { return room_bytes(&mc_hashes[hash]); }

void mc_stream_begin(mc_stream *stream, int hash, uint8_t *room) {
    memset(stream, 0, sizeof *stream);
    stream->hash = hash;
    stream->room = room;
    memcpy(stream->words, mc_hashes[hash].initial, mc_state_bytes(&mc_hashes[hash]));
}

/* Blocks of one message on whatever kernel there is: its other lanes do the same. */
static mc_status compress(int id, uint8_t *words, const uint8_t *data, size_t blocks, uint32_t isas) {
    const mc_hash *hash = &mc_hashes[id];
    const mc_kernel *row = mc_pick(id, MC_MESSAGES, 1, isas);
    uint8_t state[MC_LANES_BYTES] __attribute__((aligned(64)));
    const uint8_t *at[MC_MAX_LANES];
    if (row == NULL)
        return MC_NO_KERNEL;
    if (blocks == 0)
        return MC_OK;
    for (size_t j = 0; j < row->lanes; j++) {
        mc_put_words(hash, row->run, state, j, words);
        at[j] = data;
    }
    row->run->compress(state, at, blocks);
    mc_get_words(hash, row->run, state, 0, words);
    return MC_OK;
}

/* Whole rooms: blocks, or groups of chunks. */
static mc_status take(mc_stream *stream, const uint8_t *data, size_t rooms, uint32_t isas) {
    const mc_hash *hash = &mc_hashes[stream->hash];
    if (hash->chunk_bytes == 0) {
        if (hash->expect != NULL)
            hash->expect(stream->words, INT64_MAX); /* more, that is */
        return compress(stream->hash, stream->words, data, rooms, isas);
    }
    for (; rooms > 0; rooms--, data += MC_GROUP_BYTES)
        mc_chunks_add(&stream->tree, data, isas);
    return MC_OK;
}

mc_status mc_stream_update(mc_stream *stream, const uint8_t *data, size_t size, uint32_t isas) {
    const mc_hash *hash = &mc_hashes[stream->hash];
    const size_t room = room_bytes(hash);
    const int holds = hash->expect != NULL; /* a full room until more comes */
    mc_status status = MC_OK;
    stream->total += size;
    if (stream->used > 0) {
        const size_t now = size < room - stream->used ? size : room - stream->used;
        memcpy(stream->room + stream->used, data, now);
        stream->used += now;
        data += now;
        size -= now;
        if (stream->used < room || (holds && size == 0))
            return MC_OK;
        status = take(stream, stream->room, 1, isas);
        stream->used = 0;
    }
    const size_t rooms = holds && size > 0 ? (size - 1) / room : size / room;
    if (status == MC_OK)
        status = take(stream, data, rooms, isas);
    stream->used = size - rooms * room;
    if (stream->used > 0)
        memcpy(stream->room, data + rooms * room, stream->used);
    return status;
}

mc_status mc_stream_digest(const mc_stream *stream, uint8_t *out, uint32_t isas) {
    const mc_hash *hash = &mc_hashes[stream->hash];
    if (hash->chunk_bytes > 0) {
        if (stream->total <= hash->chunk_bytes)
            return mc_hash_one(stream->hash, stream->room, stream->used, out, isas);
        mc_chunks_end(&stream->tree, stream->room, stream->used, out, isas);
        return MC_OK;
    }
    uint8_t words[MC_STATE_BYTES] __attribute__((aligned(8))), tail[2 * MC_MAX_BLOCK];
    memcpy(words, stream->words, sizeof words);
    memcpy(tail, stream->room, stream->used);
    if (hash->expect != NULL)
        hash->expect(words, stream->used);
    mc_status status = compress(stream->hash, words, tail, hash->pad(tail, stream->used, stream->total), isas);
    if (status != MC_OK)
        return status;
    hash->digest(words, out);
    if (!hash->twice)
        return MC_OK;
    const mc_messages digest = {.rows = out, .width = hash->digest_bytes, .n = 1};
    return mc_hash_messages(MC_SHA256, NULL, 0, &digest, 0, 1, out, isas);
}
