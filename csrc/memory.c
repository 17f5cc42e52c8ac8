/* Room that grows: small blocks from the allocator, large ones as mappings of their own, which move without a copy. */
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

enum { LARGE = 1 << 20, HUGE_PAGE = 2 << 20 };

static int is_mapping(const mc_block *block) { return block->bytes >= LARGE; }

static void unmap(mc_block *block) { munmap(block->at, block->bytes); }

static uint8_t *map(mc_block *old, size_t bytes) {
    void *at = old != NULL ? mremap(old->at, old->bytes, bytes, MREMAP_MAYMOVE)
                           : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return NULL;
    if (bytes >= HUGE_PAGE)
        (void)madvise(at, bytes, MADV_HUGEPAGE); /* a wish: nothing is wrong where it is not granted */
    return at;
}

#else

enum { LARGE = 0 };
static int is_mapping(const mc_block *block) { return (void)block, 0; }
static void unmap(mc_block *block) { (void)block; }
static uint8_t *map(mc_block *old, size_t bytes) { return (void)old, (void)bytes, NULL; }

#endif

mc_status mc_reserve(mc_block *block, size_t kept, size_t bytes) {
    enum { PAGE = 4096 };
    const int large = LARGE > 0 && bytes >= LARGE;
    if (bytes <= block->bytes)
        return MC_OK;
    bytes = round_up(bytes, large ? PAGE : ALIGNMENT);
    if (bytes == 0)
        return MC_NO_MEMORY;
    if (large && is_mapping(block)) {
        uint8_t *at = map(block, bytes);
        if (at == NULL)
            return MC_NO_MEMORY;
        *block = (mc_block){at, bytes};
        return MC_OK;
    }
    uint8_t *at = large ? map(NULL, bytes) : aligned_alloc(ALIGNMENT, bytes);
    if (at == NULL)
        return MC_NO_MEMORY;
    if (kept > 0)
        memcpy(at, block->at, kept);
    mc_release(block);
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
