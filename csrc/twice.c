/* Double hashes that a kernel makes without a stop between the two: the messages that a chain has most of are short,
 * and what a stop costs, they have nothing to hide behind. */
#include "merklecore.h"
#include "state.h"

#include <string.h>

int mc_hash_headers(const mc_kernel *row, const mc_messages *messages, size_t first, size_t n, uint8_t *out) {
    const size_t lanes = row->lanes;
    if (row->run->headers_twice == NULL || messages->width != MC_HEADER_BYTES)
        return 0;
    for (size_t done = 0; done < n; done += lanes, out += 32 * lanes) {
        const size_t busy = n - done < lanes ? n - done : lanes;
        const uint8_t *at[MC_MAX_LANES];
        uint8_t digests[MC_MAX_LANES * 32];
        for (size_t j = 0; j < lanes; j++) { /* idle lanes repeat the first */
            const size_t i = first + done + (j < busy ? j : 0);
            at[j] = messages->spans != NULL ? messages->spans[i].data : messages->rows + i * MC_HEADER_BYTES;
        }
        row->run->headers_twice(at, busy == lanes ? out : digests);
        if (busy < lanes)
            memcpy(out, digests, 32 * busy);
    }
    return 1;
}

int mc_hashes_tiny(uint32_t isas) {
    const mc_kernel *row = mc_pick(MC_SHA256D, MC_MESSAGES, MC_MAX_LANES, isas);
    return row != NULL && row->run->tiny_twice != NULL;
}

void mc_hash_tiny(const mc_span *messages, const uint16_t *at, size_t n, uint8_t *out, uint32_t isas) {
    const mc_kernel *row = mc_pick(MC_SHA256D, MC_MESSAGES, n, isas);
    for (size_t i = 0, busy; i < n; i += busy) {
        uint8_t digests[MC_MAX_LANES * 32];
        mc_span some[MC_MAX_LANES];
        if (n - i < row->lanes)
            row = mc_pick(MC_SHA256D, MC_MESSAGES, n - i, isas);
        busy = n - i < row->lanes ? n - i : row->lanes;
        if (busy == row->lanes &&
            (size_t)(at[i + busy - 1] - at[i]) == busy - 1) { /* side by side, as nearly always */
            row->run->tiny_twice(messages + i, out + 32 * (size_t)at[i]);
            continue;
        }
        for (size_t j = 0; j < row->lanes; j++) /* idle lanes repeat the first */
            some[j] = messages[i + (j < busy ? j : 0)];
        row->run->tiny_twice(some, digests);
        for (size_t j = 0; j < busy; j++)
            memcpy(out + 32 * (size_t)at[i + j], digests + 32 * j, 32);
    }
}
