/* Room that grows: small blocks from the allocator, large ones as mappings of their own, which move without a copy.
 *
 * Mappings begin where a huge page can, and grow by whole ones: then they stay on huge pages when they move, and a
 * tree that is extended batch by batch meets one page fault where it would meet five hundred. */
#define _GNU_SOURCE

#include "merklecore.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

static size_t round_up(size_t bytes, size_t unit) {
    return bytes > SIZE_MAX - unit ? 0 : (bytes + unit - 1) / unit * unit;
}

#ifdef __linux__

#include <sys/mman.h>

enum { LARGE = 1 << 20, PAGE = 4096, HUGE_PAGE = 2 << 20 };

static int is_mapping(const mc_block *block) { return block->bytes >= LARGE; }

static void unmap(mc_block *block) { munmap(block->at, block->bytes); }

/* A block made large at once has nothing to spare: it may never grow. */
static size_t mapping_bytes(const mc_block *old, size_t bytes) {
    return round_up(bytes, old->at != NULL ? HUGE_PAGE : PAGE);
}

/* Address space for `bytes`, aligned to a huge page. Nothing is there yet. */
static uint8_t *place(size_t bytes) {
    uint8_t *at = bytes > SIZE_MAX - HUGE_PAGE
                      ? MAP_FAILED
                      : mmap(NULL, bytes + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return NULL;
    const size_t before = (HUGE_PAGE - (uintptr_t)at % HUGE_PAGE) % HUGE_PAGE;
    if (before > 0)
        munmap(at, before);
    munmap(at + before + bytes, HUGE_PAGE - before);
    return at + before;
}

static uint8_t *map(const mc_block *old, size_t bytes) {
    const int moves = is_mapping(old);
    uint8_t *at = moves ? mremap(old->at, old->bytes, bytes, 0) : MAP_FAILED; /* where it stands, if there is room */
    if (at == MAP_FAILED) {
        uint8_t *there = place(bytes);
        if (there == NULL)
            return NULL;
        at = moves ? mremap(old->at, old->bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, there)
                   : mmap(there, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        if (at == MAP_FAILED) {
            munmap(there, bytes);
            return NULL;
        }
    }
    if (bytes >= HUGE_PAGE)
        (void)madvise(at, bytes, MADV_HUGEPAGE); /* a wish: nothing is wrong where it is not granted */
    return at;
}

#else

enum { LARGE = 0 };
static int is_mapping(const mc_block *block) { return (void)block, 0; }
static void unmap(mc_block *block) { (void)block; }
static size_t mapping_bytes(const mc_block *old, size_t bytes) { return (void)old, bytes; }
static uint8_t *map(const mc_block *old, size_t bytes) { return (void)old, (void)bytes, NULL; }

#endif

mc_status mc_reserve(mc_block *block, size_t kept, size_t bytes) {
    if (bytes <= block->bytes)
        return MC_OK;
    bytes = round_up(bytes, ALIGNMENT); /* first: what a block is, its rounded size tells */
    const int large = LARGE > 0 && bytes >= LARGE;
    if (large)
        bytes = mapping_bytes(block, bytes);
    if (bytes == 0)
        return MC_NO_MEMORY;
    uint8_t *at = large ? map(block, bytes) : aligned_alloc(ALIGNMENT, bytes);
    if (at == NULL)
        return MC_NO_MEMORY;
    if (!is_mapping(block)) { /* a mapping has taken its content along */
        if (kept > 0)
            memcpy(at, block->at, kept);
        free(block->at);
    }
    *block = (mc_block){at, bytes};
    return MC_OK;
}

void mc_release(mc_block *block) {
    if (is_mapping(block))
        unmap(block);
    else
        free(block->at);
    *block = (mc_block){NULL, 0};
}
