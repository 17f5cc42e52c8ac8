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

int mc_hash_tiny(const mc_span *spans, size_t n, uint8_t *out, uint32_t isas) {
    const mc_kernel *row = mc_pick(MC_SHA256D, MC_MESSAGES, n, isas);
    if (row == NULL || row->run->tiny_twice == NULL)
        return 0;
    for (size_t i = 0; i < n;) {
        uint8_t digests[MC_MAX_LANES * 32];
        mc_span tiny[MC_MAX_LANES];
        size_t at[MC_MAX_LANES] = {0}, busy = 0;
        for (; i < n && busy < row->lanes; i++) {
            tiny[busy] = spans[i];
            at[busy] = i;
            busy += (size_t)mc_is_tiny(spans[i].size);
        }
        for (size_t j = busy; j < row->lanes && busy > 0; j++)
            tiny[j] = tiny[0];
        const int together = busy == row->lanes && at[busy - 1] - at[0] == busy - 1; /* as nearly always */
        if (busy > 0)
            row->run->tiny_twice(tiny, together ? out + 32 * at[0] : digests);
        for (size_t j = 0; j < busy && !together; j++)
            memcpy(out + 32 * at[j], digests + 32 * j, 32);
    }
    return 1;
}
