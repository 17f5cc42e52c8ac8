/* What the hash bodies of a lane file share: lane pointers, and passes over nodes.
 *
 * A node with a one-byte prefix is read from one byte before it, where the prefix then takes the first byte's place;
 * the byte thus pushed out is fetched by itself. Only the first node of a call may not have a byte before it: it is
 * copied. */
#ifndef MC_ISA_LANES_H
#define MC_ISA_LANES_H

#include "../merklecore.h"
#include "isa.h"

#include <string.h>

/* Pointers to up to `lanes` nodes of `bytes`; lanes beyond n repeat the first. */
MC_INLINE void MC_NAME(point)(const uint8_t *lane[], size_t lanes, const uint8_t *in, size_t n, size_t bytes) {
    MC_HIDE(in); /* or the compiler makes lanes of its own of the passes of portable C, and worse ones */
    for (size_t j = 0; j < lanes; j++)
        lane[j] = in + (j < n ? j : 0) * bytes;
}

/* Moves the pointers to where prefixed nodes are read from; `first` is the copy of the call's first node, at `begin`.
 */
MC_INLINE void MC_NAME(point_before)(const uint8_t *lane[], size_t lanes, const uint8_t *begin, const uint8_t *first) {
    for (size_t j = 0; j < lanes; j++)
        lane[j] = lane[j] == begin ? first : lane[j] - 1;
}

/* for (each pass over n nodes) { lane pointers } */
/* clang-format off */
#define FOR_EACH_PASS(in, n, out, lanes, node, digest)                                                                \
    const uint8_t *lane[lanes];                                                                                       \
    for (; (n) > 0 && (MC_NAME(point)(lane, lanes, in, n, node), 1);                                                  \
         (in) += (lanes) * (node), (out) += (lanes) * (digest), (n) -= (n) < (lanes) ? (n) : (lanes))
/* clang-format on */

/* Stores the digests of a pass, of which n count. */
#define STORE_PASS(store, out, s, n, lanes, digest)                                                                   \
    do {                                                                                                              \
        if ((n) >= (lanes)) {                                                                                         \
            store(out, s);                                                                                            \
        } else {                                                                                                      \
            uint8_t all_[(lanes) * (digest)];                                                                         \
            store(all_, s);                                                                                           \
            memcpy(out, all_, (n) * (digest));                                                                        \
        }                                                                                                             \
    } while (0)

/* The first node of a call behind its prefix. */
#define COPY_FIRST(first, in, n, node, prefix)                                                                        \
    uint8_t first[1 + (node)];                                                                                        \
    first[0] = prefix;                                                                                                \
    if ((n) > 0)                                                                                                      \
    memcpy(first + 1, in, node)

#endif
